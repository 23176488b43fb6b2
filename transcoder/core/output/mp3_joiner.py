"""Joins what one ffmpeg after another writes as MP3, frame after frame, into one file."""

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import read_mpeg_audio_header
from transcoder.core.media.streams import Medium
from transcoder.core.output.header import Durations
from transcoder.core.output.written_samples import WrittenSamples


class Mp3Joiner:
    """Takes bare MP3 frames, period after period, in pieces of any size; returns them unchanged and counts them.

    MP3 has neither a header nor an end, so that the file itself cannot show whether it is whole.
    """

    def __init__(self, durations: Durations) -> None:
        """Make a file that is announced with `durations`."""
        self.durations = durations
        self._frames = AudioFrameCounter(read_mpeg_audio_header)

    def begin_period(self, *, last: bool = True) -> None:
        """Begin a period; whether it is the last makes no difference."""
        del last
        self._frames = AudioFrameCounter(read_mpeg_audio_header)

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece of ffmpeg's output and return what can be sent: all of it.

        Raises:
            UpstreamError: a frame is not followed by another.
        """
        self._frames.feed(piece)
        return [piece]

    def end_period(self) -> tuple[list[bytes], WrittenSamples]:
        """End a period whose ffmpeg has ended well; return what was held back, which is nothing, and what ffmpeg wrote."""
        written = WrittenSamples()
        written.samples[Medium.AUDIO] = self._frames.count
        written.seconds[Medium.AUDIO] = self._frames.seconds
        return [], written

    def finish(self) -> bytes:
        """Return the last bytes of the file, which are none."""
        return b""
