"""What one ffmpeg after another writes as MP3, frame behind frame: one file."""

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import read_mpeg_audio_header
from transcoder.core.media.streams import Medium
from transcoder.core.output.header import Durations
from transcoder.core.output.written import WrittenSamples


class Mp3Joiner:
    """Take bare MP3, period after period, in any pieces, and give it on as it is; count what passes.

    MP3 has neither a header nor an end, so the file itself cannot tell whether it is whole.
    """

    def __init__(self, durations: Durations) -> None:
        """Make a file that is to be so long."""
        self.durations = durations
        self._frames = AudioFrameCounter(read_mpeg_audio_header)

    def begin_period(self, *, last: bool = True) -> None:
        """Begin a period; whether it is the last makes no difference."""
        del last
        self._frames = AudioFrameCounter(read_mpeg_audio_header)

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece of ffmpeg's output and return what is to be sent on."""
        self._frames.feed(piece)
        return [piece]

    def end_period(self) -> tuple[list[bytes], WrittenSamples]:
        """End a period whose ffmpeg has ended well; return what was held back, which is nothing, and what ffmpeg wrote."""
        count = WrittenSamples()
        count.samples[Medium.AUDIO] = self._frames.count
        count.seconds[Medium.AUDIO] = self._frames.seconds
        return [], count

    def finish(self) -> bytes:
        """Return the file's last bytes, of which there are none."""
        return b""
