"""The job itself: a plan becomes the bytes of one output, pushed into a sink."""

from transcoder.pipeline.output_stream import Sink
from transcoder.pipeline.transcode import transcode

__all__ = ["Sink", "transcode"]
