"""Readers of the headers of audio that MP4 cannot hold, and that is re-encoded: DTS, SMPTE 302M, AAC in LATM.

Its frames are not counted; its sampling rate and channels decide the format of the output.
"""

from transcoder.core.media.audio_headers import AAC_CHANNELS, AAC_RATES, FrameHeader

LONG_HEADER_BYTES = 32
"""As many bytes as any of these headers needs."""

_DTS_SYNC = b"\x7f\xfe\x80\x01"
_DTS_RATES = (0, 8_000, 16_000, 32_000, 0, 0, 11_025, 22_050, 44_100, 0, 0, 12_000, 24_000, 48_000, 0, 0)
_DTS_CHANNELS = (1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 6, 6, 7, 8, 8)
_DTS_BLOCK_SAMPLES = 32

_S302M_RATE = 48_000
_S302M_BITS = (16, 20, 24)

_LOAS_SYNC = 0x2B7
_LOAS_HEADER = 3
_SBR, _PS, _ESCAPE = 5, 29, 31
"""Audio object types (ISO/IEC 14496-3, 1.5.1), and the value that announces a longer one."""
_MAX_HALVED_RATE = 24_000
"""AAC of at most this rate may have SBR, which no header needs to announce: it is decoded to twice the rate."""
_AAC_SAMPLES = 1024
_RATE_FOLLOWS = 15


class BitReader:
    """Reads unsigned numbers, most significant bit first; behind the end, all bits are 0."""

    def __init__(self, data: bytes) -> None:
        """Begin at the first bit of `data`."""
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def read(self, bits: int) -> int:
        """Return the number in the next `bits` bits."""
        self._left -= bits
        value = self._value >> self._left if self._left >= 0 else self._value << -self._left
        return value & ((1 << bits) - 1)


def read_dts_header(data: bytes, at: int) -> FrameHeader | None:
    """Read the header of a DTS core frame (ETSI TS 102 114, 5.3)."""
    if not data.startswith(_DTS_SYNC, at):
        return None
    bits = BitReader(data[at + len(_DTS_SYNC) : at + LONG_HEADER_BYTES])
    bits.read(7)  # the type of the frame, its deficit of samples, whether it has a CRC
    blocks, length = bits.read(7) + 1, bits.read(14) + 1
    channels, sample_rate = bits.read(6), _DTS_RATES[bits.read(4)]
    bits.read(15)  # up to LFF
    has_lfe = bits.read(2) in {1, 2}
    if channels >= len(_DTS_CHANNELS) or not sample_rate:
        return None
    return FrameHeader("dts", length, blocks * _DTS_BLOCK_SAMPLES, sample_rate, _DTS_CHANNELS[channels] + has_lfe)


def read_s302m_header(data: bytes, at: int) -> FrameHeader | None:
    """Read the header that each PES packet of SMPTE 302M begins with (SMPTE 302M-2007, 6.3)."""
    bits = BitReader(data[at : at + LONG_HEADER_BYTES])
    size, channels = bits.read(16), 2 * (bits.read(2) + 1)
    bits.read(8)  # the number of the first channel
    depth = bits.read(2)
    if not size or depth >= len(_S302M_BITS):
        return None
    sample_bits = _S302M_BITS[depth] + 4  # with the flags of AES3
    return FrameHeader("s302m", 4 + size, 8 * size // (sample_bits * channels), _S302M_RATE, channels)


def read_loas_header(data: bytes, at: int) -> FrameHeader | None:
    """Read a LOAS frame with AAC in LATM (ISO/IEC 14496-3, 1.7.2); of one without a configuration, rate and channels are 0."""
    if not is_loas(data, at):
        return None
    bits = BitReader(data[at : at + LONG_HEADER_BYTES])
    bits.read(11)
    length = _LOAS_HEADER + bits.read(13)
    if bits.read(1):  # useSameStreamMux
        return FrameHeader("aac_latm", length, _AAC_SAMPLES, 0, 0)
    version = bits.read(1)
    if version and bits.read(1):  # audioMuxVersionA: reserved
        return None
    if version:
        _latm_value(bits)
    bits.read(14)  # same framing, sub-frames, programs, layers
    if version:
        _latm_value(bits)
    return _read_configuration(bits, length)


def is_loas(data: bytes, at: int) -> bool:
    """Return whether a LOAS frame begins at an offset."""
    return int.from_bytes(data[at : at + 2], "big") >> 5 == _LOAS_SYNC


def _latm_value(bits: BitReader) -> int:
    """Read LatmGetValue() (1.7.3)."""
    return bits.read(8 * (bits.read(2) + 1))


def _read_configuration(bits: BitReader, length: int) -> FrameHeader | None:
    """Read an AudioSpecificConfig (1.6.2.1) as far as its rate and channels, as they are once it is decoded."""
    kind = _object_type(bits)
    sample_rate, configuration = _rate(bits), bits.read(4)
    if kind in {_SBR, _PS}:
        sample_rate = _rate(bits)
    elif sample_rate and sample_rate <= _MAX_HALVED_RATE:
        kind, sample_rate = _SBR, 2 * sample_rate
    if sample_rate is None or not 0 < configuration < len(AAC_CHANNELS):
        return None
    # With SBR, one channel may be decoded to two (parametric stereo).
    channels = 2 if kind in {_SBR, _PS} and configuration == 1 else AAC_CHANNELS[configuration]
    return FrameHeader("aac_latm", length, _AAC_SAMPLES, sample_rate, channels)


def _object_type(bits: BitReader) -> int:
    kind = bits.read(5)
    return 32 + bits.read(6) if kind == _ESCAPE else kind


def _rate(bits: BitReader) -> int | None:
    index = bits.read(4)
    if index == _RATE_FOLLOWS:
        return bits.read(24)  # Hz
    return AAC_RATES[index] if index < len(AAC_RATES) else None
