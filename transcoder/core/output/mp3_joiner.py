"""Joins what one ffmpeg after another writes as MP3, frame after frame, into one file."""

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import HEADER_BYTES, read_mpeg_audio_header
from transcoder.core.media.streams import Medium
from transcoder.core.output.header import Durations
from transcoder.core.output.written_samples import WrittenSamples


class Mp3Joiner:
    """Takes bare MP3 frames, period after period, in pieces of any size; counts them and passes them on.

    An encoder begins with about a frame of silence, so the first frame of each later period is left out if it was encoded. MP3 has neither
    a header nor an end, so that the file itself cannot show whether it is whole.
    """

    def __init__(self, durations: Durations, *, encoded: bool) -> None:
        """Make a file that is announced with `durations`, of frames that were `encoded`, or copied."""
        self.durations = durations
        self._frames = AudioFrameCounter(read_mpeg_audio_header)
        self._encoded = encoded
        self._has_output = False
        self._first_frame: bytes | None = None
        """What has come of a frame that is left out; None once it has ended."""

    def begin_period(self, *, last: bool = True) -> None:
        """Begin a period; whether it is the last makes no difference."""
        del last
        self._frames = AudioFrameCounter(read_mpeg_audio_header)
        self._first_frame = b"" if self._encoded and self._has_output else None

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece of ffmpeg's output and return what can be sent.

        Raises:
            UpstreamError: a frame is not followed by another.
        """
        self._frames.feed(piece)
        self._has_output = True
        if self._first_frame is None:
            return [piece]
        held = self._first_frame + piece
        header = read_mpeg_audio_header(held, 0) if len(held) >= HEADER_BYTES else None
        self._first_frame = held if header is None or len(held) < header.length else None
        return [held[header.length :]] if header and self._first_frame is None else []

    def end_period(self) -> tuple[list[bytes], WrittenSamples]:
        """End a period whose ffmpeg has ended well; return what was held back, which is nothing, and what ffmpeg wrote."""
        written = WrittenSamples()
        written.samples[Medium.AUDIO] = self._frames.count
        written.seconds[Medium.AUDIO] = self._frames.seconds
        return [], written

    def finish(self) -> bytes:
        """Return the last bytes of the file, which are none."""
        return b""
