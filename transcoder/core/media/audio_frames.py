"""Audio that finds its own frames: headers of ADTS, MPEG audio, AC-3, E-AC-3 and of Opus in transport streams."""

from collections.abc import Callable
from typing import NamedTuple

from transcoder.errors import UnsupportedSourceError, UpstreamError


class Frame(NamedTuple):
    """What a frame header tells."""

    codec: str
    """ffmpeg's name."""
    length: int
    """Bytes to the next header."""
    samples: int
    """Per channel."""
    sample_rate: int
    channels: int
    is_sample: bool = True
    """False for a dependent substream, which belongs to the sample before it."""

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return self.samples / self.sample_rate


ReadFrame = Callable[[bytes, int], Frame | None]
"""Reads the header at an offset, with `HEADER_BYTES` bytes to look at; None if there is no header."""

HEADER_BYTES = 9
"""As much as any of these headers needs (Opus access units up to 1274 bytes with both trims)."""
OPUS_RATE = 48_000

_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_ADTS_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)
_ADTS_HEADER = 7

_MPEG1_KBPS = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_MPEG2_KBPS = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG_RATES = (44_100, 48_000, 32_000)
_MPEG_MONO = 3
_MPEG_CODECS = {1: "mp1", 2: "mp2", 3: "mp3"}

_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_RATES = (48_000, 44_100, 32_000)
_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)
_AC3_LAST_BSID = 10
_EAC3_LAST_BSID = 16
_EAC3_BLOCKS = (1, 2, 3, 6)
_EAC3_DEPENDENT = 1
_BLOCK_SAMPLES = 256
_AC3_SAMPLES = 6 * _BLOCK_SAMPLES
_RESERVED = 3


def adts_frame(data: bytes, at: int) -> Frame | None:
    """Read an ADTS header (ISO/IEC 14496-3, 1.A.3.2)."""
    if data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:  # noqa: PLR2004 - syncword and layer
        return None
    rate = data[at + 2] >> 2 & 0xF
    length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if rate >= len(_ADTS_RATES) or length < _ADTS_HEADER:
        return None
    channels = _ADTS_CHANNELS[(data[at + 2] & 1) << 2 | data[at + 3] >> 6]
    return Frame("aac", length, 1024 * ((data[at + 6] & 3) + 1), _ADTS_RATES[rate], channels)


def mpeg_audio_frame(data: bytes, at: int) -> Frame | None:
    """Read an MPEG-1, -2 or -2.5 audio header of any layer (ISO/IEC 11172-3, 2.4.1.3)."""
    second, third = data[at + 1], data[at + 2]
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    bit_rate, rate = third >> 4, third >> 2 & 3
    if data[at] != 0xFF or second & 0xE0 != 0xE0 or version == 1 or layer == 4 or bit_rate in {0, 15} or rate == _RESERVED:  # noqa: PLR2004 - reserved values
        return None
    is_first = version == 3  # noqa: PLR2004 - MPEG-1
    sample_rate = _MPEG_RATES[rate] >> (0 if is_first else 1 if version else 2)
    bits = 1000 * (_MPEG1_KBPS if is_first else _MPEG2_KBPS)[layer][bit_rate]
    samples = 384 if layer == 1 else 1152 if is_first or layer == 2 else 576  # noqa: PLR2004 - layers
    slot = 4 if layer == 1 else 1
    length = (samples // 8 // slot * bits // sample_rate + (third >> 1 & 1)) * slot
    channels = 1 if data[at + 3] >> 6 == _MPEG_MONO else 2
    return Frame(_MPEG_CODECS[layer], length, samples, sample_rate, channels)


def ac3_frame(data: bytes, at: int) -> Frame | None:
    """Read an AC-3 or E-AC-3 header (ETSI TS 102 366, 4.4 and E.1.3)."""
    if data[at] != 0x0B or data[at + 1] != 0x77:  # noqa: PLR2004 - the syncword
        return None
    bsid = data[at + 5] >> 3
    if bsid > _AC3_LAST_BSID:
        return _eac3_frame(data, at) if bsid <= _EAC3_LAST_BSID else None
    rate, size = data[at + 4] >> 6, data[at + 4] & 0x3F
    if rate == _RESERVED or size >> 1 >= len(_AC3_KBPS):
        return None
    sample_rate = _AC3_RATES[rate]
    words = _AC3_KBPS[size >> 1] * 1000 * _AC3_SAMPLES // sample_rate // 16
    if rate == 1:
        words += size & 1
    mode = data[at + 6] >> 5
    return Frame("ac3", 2 * words, _AC3_SAMPLES, sample_rate, _AC3_CHANNELS[mode] + _ac3_lfe(data, at, mode))


def _ac3_lfe(data: bytes, at: int, mode: int) -> int:
    """Find lfeon behind the mix levels, whose presence depends on the channel mode."""
    has_centre, has_surround, is_stereo = mode & 1 and mode != 1, mode & 4, mode == 2  # noqa: PLR2004 - 2/0
    levels = bool(has_centre) + bool(has_surround) + is_stereo
    return (data[at + 6] << 8 | data[at + 7]) >> (12 - 2 * levels) & 1


def _eac3_frame(data: bytes, at: int) -> Frame | None:
    kind = data[at + 2] >> 6
    length = 2 * (((data[at + 2] & 7) << 8 | data[at + 3]) + 1)
    rate, second = data[at + 4] >> 6, data[at + 4] >> 4 & 3
    if kind == _RESERVED or (rate == _RESERVED and second == _RESERVED):
        return None
    blocks = 6 if rate == _RESERVED else _EAC3_BLOCKS[second]
    sample_rate = _AC3_RATES[second] // 2 if rate == _RESERVED else _AC3_RATES[rate]
    channels = _AC3_CHANNELS[data[at + 4] >> 1 & 7] + (data[at + 4] & 1)
    return Frame("eac3", length, blocks * _BLOCK_SAMPLES, sample_rate, channels, kind != _EAC3_DEPENDENT)


def opus_frame(data: bytes, at: int) -> Frame | None:
    """Read an Opus control header and the first byte of its packet (ETSI TS 103 491; Opus in MPEG-TS, RFC 6716, 3.1)."""
    flags = data[at + 1]
    if data[at] != 0x7F or flags & 0xE0 != 0xE0:  # noqa: PLR2004 - the prefix
        return None
    position, size = at + 2, 0
    for octet in data[position : at + HEADER_BYTES]:
        position += 1
        size += octet
        if octet != 0xFF:  # noqa: PLR2004 - 255 goes on
            break
    position += 2 * (flags >> 4 & 1) + 2 * (flags >> 3 & 1)
    if flags & 4 or not size:
        return None
    # A long packet with both trims may have its first byte beyond what is looked at: 20 ms is what encoders make.
    samples = _opus_samples(data[position : position + 2]) if position < len(data) else OPUS_RATE // 50
    return Frame("opus", position - at + size, samples, OPUS_RATE, 2)


def _opus_samples(packet: bytes) -> int:
    config = packet[0] >> 3
    if config < 12:  # noqa: PLR2004 - SILK: 10, 20, 40, 60 ms
        frame = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:  # noqa: PLR2004 - hybrid: 10, 20 ms
        frame = (480, 960)[config & 1]
    else:
        frame = (120, 240, 480, 960)[config & 3]
    frames = (1, 2, 2, packet[1] & 0x3F if len(packet) > 1 else 1)[packet[0] & 3]
    return frame * frames


READERS: dict[str, ReadFrame] = {
    "aac": adts_frame,
    "mp1": mpeg_audio_frame,
    "mp2": mpeg_audio_frame,
    "mp3": mpeg_audio_frame,
    "ac3": ac3_frame,
    "eac3": ac3_frame,
    "opus": opus_frame,
}


class AudioFrames:
    """Counts the frames of one elementary stream that comes in any pieces, following each frame's length to the next header."""

    def __init__(self, read: ReadFrame) -> None:
        """Begin before the first byte of the first frame."""
        self._read = read
        self._carry = b""
        self._skip = 0
        self._blocks = 0
        self._rate = 0
        self._synced = False
        self._cut = False
        self.seconds = 0.0
        """How long the frames sound that have begun; set it to 0 to measure from here."""

    @property
    def count(self) -> int:
        """How many samples have begun; E-AC-3 frames of less than six blocks share one, as they do in an MP4."""
        frame = self._read(self._carry + bytes(HEADER_BYTES), 0) if self._carry else None
        last = _blocks(frame) if frame and frame.length <= len(self._carry) else 0
        return (self._blocks + last) // 6

    def close_segment(self) -> bool:
        """Tell whether what has been fed so far ends where a frame ends; what comes next begins with a header then."""
        if self._carry:
            frame = self._read(self._carry + bytes(HEADER_BYTES), 0)
            if frame is None or frame.length != len(self._carry):
                return False
            self._blocks += _blocks(frame)
            self._carry = b""
        return not self._skip

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream; raise UpstreamError where a frame is not followed by another.

        Raises UnsupportedSourceError where the sampling rate changes.
        """
        at = self._skip
        if self._carry:
            data = self._carry + data
        if not self._synced:
            at = self._first(data)
        last = len(data) - HEADER_BYTES if self._synced else -1
        while at <= last:
            frame = self._read(data, at)
            if frame is None:
                raise UpstreamError("A segment's sound is damaged: a frame is not followed by another.")
            if frame.sample_rate != self._rate:
                self._begin(frame)
            self._blocks += _blocks(frame)
            if frame.is_sample:
                self.seconds += frame.samples / frame.sample_rate
            at += frame.length
        self._skip = max(0, at - len(data))
        self._carry = data[at:]

    def _begin(self, frame: Frame) -> None:
        """Take the first frame's sampling rate for that of all; a track has but one, and another would sound at the wrong pitch."""
        if self._rate:
            raise UnsupportedSourceError("The sound changes its sampling rate within the source.")
        self._rate = frame.sample_rate

    def _first(self, data: bytes) -> int:
        """Find the first frame: a stream may have been cut in the middle of one."""
        for at in range(len(data) - HEADER_BYTES + 1):
            frame = self._read(data, at)
            if frame is None:
                self._cut = True
            elif not self._cut:
                self._synced = True
                return at
            elif at + frame.length + HEADER_BYTES > len(data):
                return at
            elif self._read(data, at + frame.length):
                self._synced = True
                return at
        return max(0, len(data) - HEADER_BYTES + 1)


def _blocks(frame: Frame) -> int:
    """Sixths of a sample: an MP4 sample of E-AC-3 has six blocks (ETSI TS 102 366, F.6); any other frame is a sample."""
    if not frame.is_sample:
        return 0
    return frame.samples // _BLOCK_SAMPLES if frame.codec == "eac3" else 6
