"""One input of ffmpeg: a pipe, and how much of it ffmpeg has to see before it knows the streams."""

from typing import NamedTuple

from transcoder.core.media.streams import Container, Stream

_MOST_BYTES = 32 * 1024 * 1024
_FIRST_FRAMES_BYTES = 5_000_000
"""So many bytes after the beginning of the last stream ffmpeg has seen a whole frame of each: what it probes by default."""


class FfmpegInput(NamedTuple):
    """One pipe that ffmpeg reads: its container, and which of its streams go into the output."""

    fd: int
    container: Container
    streams: tuple[Stream, ...]
    begun_within: int | None = None
    """All of its streams begin within so many bytes; None if that is not known."""

    @property
    def probe_bytes(self) -> int:
        """How many bytes of a transport stream ffmpeg may read until it knows the streams; it keeps room in memory for as many.

        Of video that begins in the middle of a group of pictures, the parameter sets come later than the first frame.
        """
        if self.begun_within is None or any(stream.is_headless for stream in self.streams):
            return _MOST_BYTES
        return min(self.begun_within + _FIRST_FRAMES_BYTES, _MOST_BYTES)
