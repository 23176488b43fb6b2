"""The output format: file type, clip, and whether each stream is copied or re-encoded."""

from dataclasses import dataclass
from enum import Enum

from transcoder.core.media.streams import Medium, Stream

MP3_BITS_PER_SECOND = 192_000
"""Constant, so that a player can compute the duration from the number of bytes when nothing else gives it."""

ENCODER_CODECS = {"libx264": "h264", "aac": "aac", "libmp3lame": "mp3"}
"""The codec that each of ffmpeg's encoders produces."""


class FileFormat(Enum):
    """The type of the output file; the value is its file name extension."""

    MP4 = "mp4"
    M4A = "m4a"
    MP3 = "mp3"

    @property
    def content_type(self) -> str:
        """Its media type (RFC 4337, RFC 3003)."""
        return {"mp4": "video/mp4", "m4a": "audio/mp4", "mp3": "audio/mpeg"}[self.value]


class VideoMode(Enum):
    """How the video gets into the output."""

    COPY = "copy"
    H264 = "h264"
    """It is re-encoded as H.264 if it has another codec."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The requested part of the segments that a plan lists."""

    start: float | None
    """Seconds after the plan's first video segment begins, or its first audio segment if it has no video; None: at its beginning."""
    seconds: float | None
    """Its duration; None: up to the end of the source."""
    exact: bool = False
    """Video and audio are re-encoded, so that the output begins at `start` and not at the key frame before it."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The part of one period that goes into the output, in seconds on the period's own timeline; None is no limit."""

    start: float | None = None
    end: float | None = None

    def overlap(self, start: float, end: float) -> float:
        """Return how many seconds between two times are within the window."""
        return max(0.0, min(end, end if self.end is None else self.end) - max(start, start if self.start is None else self.start))


WHOLE_PERIOD = TimeWindow()


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What to make of the fetched media."""

    format: FileFormat = FileFormat.MP4
    video_mode: VideoMode = VideoMode.COPY
    clip: Clip | None = None

    def encoder(self, stream: Stream) -> str | None:
        """Return the name of ffmpeg's encoder for this stream; None if it is copied."""
        exact = self.clip is not None and self.clip.exact
        if stream.medium is Medium.VIDEO:
            return "libx264" if exact or (self.video_mode is VideoMode.H264 and stream.codec != "h264") else None
        if self.format is FileFormat.MP3:
            # An MP3 frame may use data from earlier frames (the bit reservoir), so a copied clip would not begin cleanly.
            return None if stream.codec == "mp3" and self.clip is None else "libmp3lame"
        return "aac" if exact or (self.format is FileFormat.M4A and stream.codec != "aac") else None


COPY_EVERYTHING = OutputFormat()
