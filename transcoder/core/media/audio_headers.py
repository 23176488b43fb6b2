"""Readers of audio frame headers: ADTS, MPEG audio, AC-3, E-AC-3, and Opus in transport streams."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple


class FrameHeader(NamedTuple):
    """The header of one audio frame."""

    codec: str
    """ffmpeg's name."""
    length: int
    """Bytes from this header to the next one."""
    samples: int
    """Audio samples per channel."""
    sample_rate: int
    channels: int
    is_sample: bool = True
    """False for a dependent substream, which belongs to the MP4 sample of the frame before it."""
    profile: int = 0
    """Of AAC: its object type less one."""

    @property
    def seconds(self) -> float:
        """Duration of the frame."""
        return self.samples / self.sample_rate


HeaderReader = Callable[[bytes, int], FrameHeader | None]
"""Reads the header at an offset, where at least `HEADER_BYTES` bytes must follow; returns None if there is no header."""

HEADER_BYTES = 9
"""As many bytes as any of these headers needs (Opus access units of up to 1274 bytes with both trims)."""
BLOCK_SAMPLES = 256
"""Audio samples per channel in one AC-3 or E-AC-3 block."""
OPUS_RATE = 48_000
CHANGEABLE_CHANNELS = frozenset({"mp1", "mp2", "mp3", "opus"})
"""In these codecs each frame says how many channels it has, and an MP4 does not: they may change."""

AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
"""Sampling rates in Hz by their index (ISO/IEC 14496-3, 1.6.3.4)."""
AAC_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)
"""Number of channels by channel configuration (1.6.3.5)."""
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
_AC3_SAMPLES = 6 * BLOCK_SAMPLES
_RESERVED = 3


def read_adts_header(data: bytes, at: int) -> FrameHeader | None:
    """Read an ADTS header (ISO/IEC 14496-3, 1.A.3.2)."""
    return _adts_header(data[at : at + _ADTS_HEADER])


@lru_cache(maxsize=4096)  # the headers of a stream differ in the length of their frames alone
def _adts_header(data: bytes) -> FrameHeader | None:
    if data[0] != 0xFF or data[1] & 0xF6 != 0xF0:  # noqa: PLR2004 - syncword and layer
        return None
    rate_index = data[2] >> 2 & 0xF
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    if rate_index >= len(AAC_RATES) or length < _ADTS_HEADER:
        return None
    channels = AAC_CHANNELS[(data[2] & 1) << 2 | data[3] >> 6]
    samples = 1024 * ((data[6] & 3) + 1)
    return FrameHeader("aac", length, samples, AAC_RATES[rate_index], channels, profile=data[2] >> 6)


def read_mpeg_audio_header(data: bytes, at: int) -> FrameHeader | None:
    """Read an MPEG-1, -2 or -2.5 audio header of any layer (ISO/IEC 11172-3, 2.4.1.3)."""
    second, third = data[at + 1], data[at + 2]
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    bit_rate, rate = third >> 4, third >> 2 & 3
    is_reserved = version == 1 or layer == 4 or bit_rate in {0, 15} or rate == _RESERVED  # noqa: PLR2004 - reserved values
    if data[at] != 0xFF or second & 0xE0 != 0xE0 or is_reserved:  # noqa: PLR2004 - the syncword
        return None
    is_mpeg1 = version == 3  # noqa: PLR2004 - the code of MPEG-1
    sample_rate = _MPEG_RATES[rate] >> (0 if is_mpeg1 else 1 if version else 2)
    bits = 1000 * (_MPEG1_KBPS if is_mpeg1 else _MPEG2_KBPS)[layer][bit_rate]
    samples = 384 if layer == 1 else 1152 if is_mpeg1 or layer == 2 else 576  # noqa: PLR2004 - layers
    slot = 4 if layer == 1 else 1
    length = (samples // 8 // slot * bits // sample_rate + (third >> 1 & 1)) * slot
    channels = 1 if data[at + 3] >> 6 == _MPEG_MONO else 2
    return FrameHeader(_MPEG_CODECS[layer], length, samples, sample_rate, channels)


def read_ac3_header(data: bytes, at: int) -> FrameHeader | None:
    """Read an AC-3 or E-AC-3 header (ETSI TS 102 366, 4.4 and E.1.3)."""
    if data[at] != 0x0B or data[at + 1] != 0x77:  # noqa: PLR2004 - the syncword
        return None
    bsid = data[at + 5] >> 3
    if bsid > _AC3_LAST_BSID:
        return _read_eac3_header(data, at) if bsid <= _EAC3_LAST_BSID else None
    rate_code, size_code = data[at + 4] >> 6, data[at + 4] & 0x3F
    if rate_code == _RESERVED or size_code >> 1 >= len(_AC3_KBPS):
        return None
    sample_rate = _AC3_RATES[rate_code]
    words = _AC3_KBPS[size_code >> 1] * 1000 * _AC3_SAMPLES // sample_rate // 16
    if rate_code == 1:
        words += size_code & 1
    mode = data[at + 6] >> 5
    return FrameHeader("ac3", 2 * words, _AC3_SAMPLES, sample_rate, _AC3_CHANNELS[mode] + _ac3_lfe(data, at, mode))


def _ac3_lfe(data: bytes, at: int, mode: int) -> int:
    """Read lfeon. It follows the mix levels, whose presence depends on the channel mode."""
    has_centre, has_surround, is_stereo = mode & 1 and mode != 1, mode & 4, mode == 2  # noqa: PLR2004 - 2/0
    levels = bool(has_centre) + bool(has_surround) + is_stereo
    return (data[at + 6] << 8 | data[at + 7]) >> (12 - 2 * levels) & 1


def _read_eac3_header(data: bytes, at: int) -> FrameHeader | None:
    stream_type = data[at + 2] >> 6
    length = 2 * (((data[at + 2] & 7) << 8 | data[at + 3]) + 1)
    rate_code, second_code = data[at + 4] >> 6, data[at + 4] >> 4 & 3
    if stream_type == _RESERVED or (rate_code == _RESERVED and second_code == _RESERVED):
        return None
    blocks = 6 if rate_code == _RESERVED else _EAC3_BLOCKS[second_code]
    sample_rate = _AC3_RATES[second_code] // 2 if rate_code == _RESERVED else _AC3_RATES[rate_code]
    channels = _AC3_CHANNELS[data[at + 4] >> 1 & 7] + (data[at + 4] & 1)
    return FrameHeader("eac3", length, blocks * BLOCK_SAMPLES, sample_rate, channels, stream_type != _EAC3_DEPENDENT)


def read_opus_header(data: bytes, at: int) -> FrameHeader | None:
    """Read an Opus control header and the first byte of its packet (ETSI TS 103 491; Opus in MPEG-TS, RFC 6716, 3.1)."""
    flags = data[at + 1]
    if data[at] != 0x7F or flags & 0xE0 != 0xE0:  # noqa: PLR2004 - the prefix
        return None
    position, size = at + 2, 0
    for octet in data[position : at + HEADER_BYTES]:
        position += 1
        size += octet
        if octet != 0xFF:  # noqa: PLR2004 - the size continues
            break
    position += 2 * (flags >> 4 & 1) + 2 * (flags >> 3 & 1)
    if flags & 4 or not size:
        return None
    # The first byte of a long packet with both trims may be beyond the bytes at hand. Assume 20 ms, which is what encoders produce.
    samples = _opus_samples(data[position : position + 2]) if position < len(data) else OPUS_RATE // 50
    return FrameHeader("opus", position - at + size, samples, OPUS_RATE, 2)


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


HEADER_READERS: dict[str, HeaderReader] = {
    "aac": read_adts_header,
    "mp1": read_mpeg_audio_header,
    "mp2": read_mpeg_audio_header,
    "mp3": read_mpeg_audio_header,
    "ac3": read_ac3_header,
    "eac3": read_ac3_header,
    "opus": read_opus_header,
}
