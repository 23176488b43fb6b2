"""In which form a film is wanted: what of it, from where to where, copied or encoded."""

from dataclasses import dataclass
from enum import Enum

from transcoder.core.media.streams import Medium, Stream

MP3_BITS = 192_000
"""Per second, always the same: a player that knows no length can tell it from the bytes."""

ENCODER_CODECS = {"libx264": "h264", "aac": "aac", "libmp3lame": "mp3"}
"""What each encoder makes."""


class FileFormat(Enum):
    """What kind of file is made; the value is its name's ending."""

    MP4 = "mp4"
    M4A = "m4a"
    MP3 = "mp3"

    @property
    def content_type(self) -> str:
        """Its media type (RFC 4337, RFC 3003)."""
        return {"mp4": "video/mp4", "m4a": "audio/mp4", "mp3": "audio/mpeg"}[self.value]


class VideoMode(Enum):
    """What becomes of the picture."""

    COPY = "copy"
    H264 = "h264"
    """It is encoded anew as H.264, unless it is that already."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Which part of what a plan lists is wanted."""

    start: float | None
    """Seconds after the begin of the plan's first segment of the picture, or of the sound where there is no picture; None: at its begin."""
    seconds: float | None
    """How long it is; None reaches to the film's end."""
    exact: bool = False
    """Picture and sound are encoded anew, so that the film begins there and not at the key picture before it."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """What is wanted of one period, in seconds on its own timeline; None is no limit."""

    start: float | None = None
    end: float | None = None

    def seconds(self, start: float, end: float) -> float:
        """Return how much of what lies between two times is wanted."""
        return max(0.0, min(end, end if self.end is None else self.end) - max(start, start if self.start is None else self.start))


WHOLE_PERIOD = TimeWindow()


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What is made of what is fetched."""

    format: FileFormat = FileFormat.MP4
    picture: VideoMode = VideoMode.COPY
    clip: Clip | None = None

    def encoder(self, stream: Stream) -> str | None:
        """Return ffmpeg's name of what encodes that stream anew; None where it is copied."""
        exact = self.clip is not None and self.clip.exact
        if stream.medium is Medium.VIDEO:
            return "libx264" if exact or (self.picture is VideoMode.H264 and stream.codec != "h264") else None
        if self.format is FileFormat.MP3:
            # A frame of MP3 may lean on the ones before it, so a clip of MP3 that begins with any of them would not be clean.
            return None if stream.codec == "mp3" and self.clip is None else "libmp3lame"
        return "aac" if exact or (self.format is FileFormat.M4A and stream.codec != "aac") else None


COPY_EVERYTHING = OutputFormat()
