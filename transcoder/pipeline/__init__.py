"""The job itself: a plan becomes the bytes of one MP4, pushed into a sink."""

from transcoder.pipeline.transcode import Sink, transcode

__all__ = ["Sink", "transcode"]
