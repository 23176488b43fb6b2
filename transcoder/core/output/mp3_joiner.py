"""Joins what one ffmpeg after another writes as MP3, frame after frame, into one file."""

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import HEADER_BYTES, read_mpeg_audio_header
from transcoder.core.media.streams import Medium
from transcoder.core.output.header import Durations
from transcoder.core.output.written_samples import WrittenSamples

_HELD_FRAMES = 3
"""More than an encoder adds at the end of a period."""


class Mp3Joiner:
    """Takes bare MP3 frames, period after period, in pieces of any size; counts them and passes them on.

    An encoder begins with about a frame of silence, and ends with as much as fills a frame. So that periods do not add up to more than
    their source, the first frame of each later one is left out, and those at the end of each earlier one that the source is over for.
    Copied frames pass as they are; a period between them may be silence, which is encoded. MP3 has neither a header nor an end, so that
    the file itself cannot show whether it is whole.
    """

    def __init__(self, durations: Durations) -> None:
        """Make a file that is announced with `durations`."""
        self.durations = durations
        self._encoded = True
        self._frames = AudioFrameCounter(read_mpeg_audio_header)
        self._has_output = False
        self._rest = b""
        """What has come of a frame that is not whole yet."""
        self._held: list[bytes] = []
        """The newest frames."""
        self._last = True
        self._skips_first = False
        self._source_seconds = 0.0
        """How long the periods so far were, by their source."""
        self._out_seconds = 0.0
        """How long the frames are that have been let out, and those that are held."""

    def begin_period(self, *, encoded: bool, last: bool = True) -> None:
        """Begin a period of frames that are `encoded`, or copied; with `last=False` another one is known to follow."""
        self._frames, self._last, self._skips_first = AudioFrameCounter(read_mpeg_audio_header), last, self._has_output
        self._encoded = encoded

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece of ffmpeg's output and return what can be sent.

        Raises:
            UpstreamError: a frame is not followed by another.
        """
        self._frames.feed(piece)
        self._has_output = True
        if not self._encoded:
            return [piece]
        self._split(piece)
        let_out, self._held = self._held[:-_HELD_FRAMES], self._held[-_HELD_FRAMES:]
        return [b"".join(let_out)] if let_out else []

    def _split(self, piece: bytes) -> None:
        """Add the frames that `piece` completes to those that are held."""
        data, at = self._rest + piece, 0
        while len(data) - at >= HEADER_BYTES and (header := read_mpeg_audio_header(data, at)) and at + header.length <= len(data):
            if not self._skips_first:
                self._held.append(data[at : at + header.length])
                self._out_seconds += header.samples / header.sample_rate
            self._skips_first = False
            at += header.length
        self._rest = data[at:]

    def end_period(self, source_seconds: float) -> tuple[list[bytes], WrittenSamples]:
        """End a period whose ffmpeg has ended well; return what was held back, and what ffmpeg wrote.

        `source_seconds` is how long the audio of the period is in the source.
        """
        written = WrittenSamples()
        written.samples[Medium.AUDIO] = self._frames.count
        written.seconds[Medium.AUDIO] = self._frames.seconds
        self._source_seconds += source_seconds
        self._out_seconds += 0.0 if self._encoded else self._frames.seconds
        frame = self._frames.frame_seconds or 0.0
        # The frame of silence at the beginning of the first period stays, and moves everything after it.
        while self._held and not self._last and self._out_seconds - frame / 2 > self._source_seconds + frame:
            self._held.pop()
            self._out_seconds -= frame
        held, self._held, self._rest = [*self._held, self._rest], [], b""
        return held, written

    def finish(self) -> bytes:
        """Return the last bytes of the file, which are none."""
        return b""
