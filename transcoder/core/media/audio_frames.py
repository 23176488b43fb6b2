"""A counter of the audio frames in a byte stream."""

from collections.abc import Callable

from transcoder.core.media.audio_headers import BLOCK_SAMPLES, CHANGEABLE_CHANNELS, HEADER_BYTES, FrameHeader, HeaderReader
from transcoder.core.media.header_search import header_offsets
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

_BLOCKS_PER_SAMPLE = 6
"""An MP4 sample of E-AC-3 has six blocks (ETSI TS 102 366, F.6)."""
_FORMAT = slice(3, None)
"""The fields of a header that describe the format of its frame."""
MAX_SHORT_FRAMES = 20_000
"""More ADTS frames are refused if they have less than 12 bytes on average: the shortest that encoders write, of silence, have 13."""
_BYTES_PER_FRAME = 12
OtherReader = Callable[[bytes, int], int | None]
"""Returns the length of what stands at an offset instead of a frame: 0 if nothing that may stand there, None if more bytes are needed."""


class AudioFrameCounter:
    """Counts the frames of one elementary stream, given in pieces of any size, by following each frame's length to the next header."""

    def __init__(self, read_header: HeaderReader, read_other: OtherReader | None = None) -> None:
        """Begin before the first byte of the stream, which may be in the middle of a frame."""
        self._read_header = read_header
        self._read_other = read_other
        self._carry = b""
        self._bytes_to_skip = 0
        self._blocks = self._bytes = 0
        self._format: FrameHeader | None = None
        """The header of the first frame: an MP4 track has one format only."""
        self._kind: tuple[int, int, int, bool, int] | None = None
        """The header of the newest frame, but for its codec and length, which do not change what it counts for."""
        self._frame_blocks, self._frame_duration = 0, 0.0
        """What each of its kind counts for."""
        self._is_synced = False
        self._began_inside_a_frame = False
        self.seconds = 0.0
        """Total duration of the frames that have begun; set it to 0 to measure from here."""
        self.frame_seconds: float | None = None
        """Duration of the last frame."""

    @property
    def count(self) -> int:
        """Number of samples that have begun. E-AC-3 frames of fewer than six blocks share a sample, as they do in an MP4."""
        header = self._read_header(self._carry + bytes(HEADER_BYTES), 0) if self._carry else None
        last = _blocks(header) if header and header.length <= len(self._carry) else 0
        return (self._blocks + last) // _BLOCKS_PER_SAMPLE

    @property
    def held_seconds(self) -> float:
        """Duration of a frame that has come and is shorter than a header may be: it counts with the bytes after it."""
        header = self._read_header(self._carry + bytes(HEADER_BYTES), 0) if self._carry else None
        return header.seconds if header and header.is_sample and header.length <= len(self._carry) else 0.0

    def close_segment(self) -> bool:
        """Return whether the bytes so far end where a frame ends; the next bytes must then begin with a header."""
        if self._carry:
            header = self._read_header(self._carry + bytes(HEADER_BYTES), 0)
            if header is None or header.length != len(self._carry):
                return False
            self._blocks += _blocks(header)
            self._carry = b""
        return not self._bytes_to_skip

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream.

        Raises:
            UpstreamError: a frame is not followed by another one.
            UnsupportedSourceError: the format changes, or there are very many frames of hardly any bytes.

        """
        self._bytes += len(data)
        data = self._carry + data if self._carry else data
        at = self._bytes_to_skip if self._is_synced else self._find_first_frame(data)
        last = len(data) - HEADER_BYTES if self._is_synced else -1
        while at <= last:
            header = self._read_header(data, at)
            if header is None:
                length = self._other_length(data, at)
                if length is None:
                    break
                at += length
                continue
            if header[2:] != self._kind:
                self._take_kind(header)
            self._blocks += self._frame_blocks
            self.seconds += self._frame_duration
            at += header.length
        self._bytes_to_skip = max(0, at - len(data))
        self._carry = data[at:]
        self._check_density()

    def _check_density(self) -> None:
        most = _BLOCKS_PER_SAMPLE * (MAX_SHORT_FRAMES + self._bytes // _BYTES_PER_FRAME)
        if self._format and self._format.codec == "aac" and self._blocks > most:
            raise UnsupportedSourceError(
                f"The source has more than {MAX_SHORT_FRAMES} audio frames of less than {_BYTES_PER_FRAME} bytes on average, "
                "which is not supported."
            )

    def _take_kind(self, header: FrameHeader) -> None:
        """Take frames that are unlike the one before, in more than their length."""
        if self._format is None:
            self._format = header
        elif header[_FORMAT] != self._format[_FORMAT]:
            _refuse_change(self._format, header)
        self._kind, self._frame_blocks, self._frame_duration = header[2:], _blocks(header), 0.0
        if header.is_sample:
            self._frame_duration = self.frame_seconds = header.seconds

    def _other_length(self, data: bytes, at: int) -> int | None:
        length = self._read_other(data, at) if self._read_other else 0
        if length == 0:
            raise DamagedMediaError("A segment's audio is damaged: a frame is not followed by the header of another.")
        return length

    def _find_first_frame(self, data: bytes) -> int:
        """Return the offset of the first frame. The stream may begin inside a frame: then a header counts only if another one follows."""
        stop = max(0, len(data) - HEADER_BYTES + 1)
        for at in header_offsets(self._read_header, data, 0, stop):
            header = self._read_header(data, at)
            self._began_inside_a_frame = self._began_inside_a_frame or at > 0 or header is None
            if header is None:
                continue
            if not self._began_inside_a_frame:
                self._is_synced = True
                return at
            if at + header.length + HEADER_BYTES > len(data):
                return at
            if self._read_header(data, at + header.length):
                self._is_synced = True
                return at
        self._began_inside_a_frame = self._began_inside_a_frame or stop > 0
        return stop


def _blocks(header: FrameHeader) -> int:
    """Return the number of sixths of a sample in a frame: an E-AC-3 frame has one per block, a frame of another codec is a whole sample."""
    if not header.is_sample:
        return 0
    return header.samples // BLOCK_SAMPLES if header.codec == "eac3" else _BLOCKS_PER_SAMPLE


def _refuse_change(first: FrameHeader, now: FrameHeader) -> None:
    """Refuse another format within a source: an MP4 track has one, and a decoder that was set up for it fails, or plays at the wrong pitch.

    Raises:
        UnsupportedSourceError: the sampling rate, the channels or the profile of the audio have changed.

    """
    if not now.is_sample or not first.is_sample:
        return
    if now.sample_rate != first.sample_rate:
        change = f"its sampling rate within the source, from {first.sample_rate} to {now.sample_rate} Hz"
    elif now.codec not in CHANGEABLE_CHANNELS and now.channels and first.channels and now.channels != first.channels:
        change = f"its channels within the source, from {first.channels} to {now.channels}"
    elif now.profile != first.profile:
        change = f"its AAC profile within the source, from {first.profile + 1} to {now.profile + 1}"
    else:
        return
    raise UnsupportedSourceError(f"The audio changes {change}. An MP4 has only one.")
