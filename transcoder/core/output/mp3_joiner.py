"""Joins what one ffmpeg after another writes as MP3, frame after frame, into one file."""

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import HEADER_BYTES, read_mpeg_audio_header
from transcoder.core.media.streams import Medium
from transcoder.core.output.copied_mp3 import CopiedMp3
from transcoder.core.output.header import Durations
from transcoder.core.output.written_samples import WrittenSamples

_SYNCWORD = b"\xff"
"""The first byte of a bare frame, and not of an MP4."""
_HELD_FRAMES = 3
"""More than an encoder adds at the end of a period."""


class Mp3Joiner:
    """Takes MP3 frames, period after period, in pieces of any size; counts them and passes them on.

    Those that were encoded come bare. An encoder begins with about a frame of silence, and ends with as much as fills a frame. So that
    periods do not add up to more than their source, the first frame of each later one is left out, and those at the end of each earlier one
    that the source is over for. Those that were copied come in fragments of an MP4, which say where they pause, and pass as they are; a
    period between them may be silence, which is encoded. MP3
    has neither a header nor an end, so that the file itself cannot show whether it is whole.
    """

    def __init__(self, durations: Durations) -> None:
        """Make a file that is announced with `durations`."""
        self.durations = durations
        self._frames = AudioFrameCounter(read_mpeg_audio_header)
        self._copied: CopiedMp3 | None = None
        """What reads this period, if its frames are copied."""
        self._has_output = False
        self._rest = b""
        """What has come of a frame that is not whole yet."""
        self._held: list[bytes] = []
        """The newest frames."""
        self._last = True
        self._has_begun = False
        self._goes_on_from: float | None = None
        self._skips_first = False
        self._source_seconds = 0.0
        """How long the periods so far were, by their source."""
        self._out_seconds = 0.0
        """How long the frames are that have been let out, and those that are held."""

    def begin_period(self, *, last: bool = True, goes_on_from: float | None = None) -> None:
        """Begin a period; with `last=False` another one is known to follow.

        `goes_on_from` is when the audio before it ended on the same clock, in seconds, if that goes on.
        """
        self._frames, self._last, self._skips_first = AudioFrameCounter(read_mpeg_audio_header), last, self._has_output
        self._copied, self._has_begun, self._goes_on_from = None, False, goes_on_from

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece of ffmpeg's output and return what can be sent.

        Raises:
            TranscodeError: the fragments are broken.
            UpstreamError: a frame is not followed by another.
        """
        if not self._has_begun and not piece.startswith(_SYNCWORD):
            self._copied = CopiedMp3(goes_on_from=self._goes_on_from)
        self._has_begun = self._has_output = True
        if self._copied:
            return [self._copied.feed(piece)]
        self._frames.feed(piece)
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
        self._source_seconds += source_seconds
        if self._copied:
            self._copied.end()
            self._out_seconds += self._copied.written.seconds[Medium.AUDIO]
            return [], self._copied.written
        written = WrittenSamples()
        written.samples[Medium.AUDIO] = self._frames.count
        written.seconds[Medium.AUDIO] = self._frames.seconds
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
