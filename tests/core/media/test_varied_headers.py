"""Headers of AAC in LATM and of Opus whose fields have various lengths, wherever they stand."""

import pytest

from transcoder.core.media.audio_headers import (
    HEADER_BYTES,
    HEADER_READERS,
    FrameHeader,
    read_ac3_header,
    read_adts_header,
    read_mpeg_audio_header,
    read_opus_header,
)
from transcoder.core.media.reencoded_audio import (
    LONG_HEADER_BYTES,
    BitReader,
    is_loas,
    read_dts_header,
    read_loas_header,
    read_s302m_header,
)

SBR, PS = 5, 29
"""ISO/IEC 14496-3, table 1.17."""


def bits(*fields: tuple[int, int]) -> bytes:
    """Return values with their widths in bits, one after another, filled up with ones."""
    text = "".join(f"{value:0{width}b}" for value, width in fields)
    return int(text.ljust(8 * LONG_HEADER_BYTES, "1"), 2).to_bytes(LONG_HEADER_BYTES)


def loas(*configuration: tuple[int, int], value_bytes: int | None = None, version: int = 0) -> bytes:
    """Write a LOAS frame of 300 bytes; `value_bytes` is how many bytes each number of version 1 has."""
    number = [] if value_bytes is None else [(value_bytes - 1, 2), (0, 8 * value_bytes)]
    versions = [(version, 1), *([(0, 1)] if version else [])]
    return bits((0x2B7, 11), (297, 13), (0, 1), *versions, *number, (0x2000, 14), *number, *configuration)


@pytest.mark.parametrize("value_bytes", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("kind", [[(2, 5)], [(31, 5), (3, 6)]], ids=["AAC-LC", "a longer type"])
@pytest.mark.parametrize("rate", [[(4, 4)], [(15, 4), (44_100, 24)]], ids=["index", "rate"])
def test_a_configuration_of_latm_stands_behind_numbers_of_any_length(
    value_bytes: int | None, kind: list[tuple[int, int]], rate: list[tuple[int, int]]
) -> None:
    frame = loas(*kind, *rate, (1, 4), value_bytes=value_bytes, version=0 if value_bytes is None else 1)
    assert read_loas_header(frame, 0) == FrameHeader("aac_latm", 300, 1024, 44_100, 1)


@pytest.mark.parametrize(("kind", "channels"), [(SBR, 2), (PS, 2), (2, 1)])
@pytest.mark.parametrize("extension", [[(3, 4)], [(15, 4), (48_000, 24)]], ids=["index", "rate"])
def test_the_rate_of_sbr_follows_that_of_its_core(kind: int, channels: int, extension: list[tuple[int, int]]) -> None:
    """One channel of it may be decoded to two."""
    frame = loas((kind, 5), (5, 4), (1, 4), *extension)
    rate = 32_000 if kind == 2 else 48_000
    assert read_loas_header(frame, 0) == FrameHeader("aac_latm", 300, 1024, rate, channels)
    six = loas((kind, 5), (5, 4), (6, 4), *extension)
    assert read_loas_header(six, 0) == FrameHeader("aac_latm", 300, 1024, rate, 6)


@pytest.mark.parametrize(("rate", "decoded", "channels"), [(24_000, 48_000, 2), (24_001, 24_001, 1), (0, 0, 1)])
def test_up_to_24_khz_there_may_be_sbr_that_no_header_announces(rate: int, decoded: int, channels: int) -> None:
    frame = loas((2, 5), (15, 4), (rate, 24), (1, 4))
    assert read_loas_header(frame, 0) == FrameHeader("aac_latm", 300, 1024, decoded, channels)


@pytest.mark.parametrize("version_a", [0, 1])
def test_a_reserved_version_of_latm_is_not_read(version_a: int) -> None:
    fields = [(0x2B7, 11), (297, 13), (0, 1), (1, 1), (version_a, 1), (0, 10), (0, 14), (0, 10), (2, 5), (3, 4), (2, 4)]
    assert (read_loas_header(bits(*fields), 0) is None) is bool(version_a)
    assert read_loas_header(bits((0x2B6, 11), *fields[1:]), 0) is None


def test_a_frame_of_latm_that_refers_to_an_earlier_configuration_says_no_format() -> None:
    frame = bits((0x2B7, 11), (297, 13), (1, 1))
    assert read_loas_header(frame, 0) == FrameHeader("aac_latm", 300, 1024, 0, 0)


def test_bits_behind_the_end_are_zeros() -> None:
    reader = BitReader(b"\xa5\xff")
    assert [reader.read(width) for width in (1, 3, 4, 6, 4, 9)] == [1, 2, 5, 63, 0b1100, 0]
    assert BitReader(b"").read(4) == 0


def opus(size: int, *, flags: int = 0xE0, packet: bytes = b"\xfc") -> bytes:
    """Write an access unit, with trims of two bytes each where the flags announce them."""
    trims = bytes(2 * bool(flags & 0x10) + 2 * bool(flags & 8))
    return bytes([0x7F, flags]) + bytes([255] * (size // 255) + [size % 255]) + trims + packet.ljust(size, b"\1")


@pytest.mark.parametrize("size", [1, 2, 254, 255, 256, 509, 510, 511, 1020, 1274])
@pytest.mark.parametrize("flags", [0xE0, 0xF0, 0xE8, 0xF8, 0xE1, 0xE2, 0xFB])
def test_an_access_unit_of_opus_has_any_size(size: int, flags: int) -> None:
    """A size of 255 or more has further bytes. The two lowest flags are reserved."""
    unit = opus(size, flags=flags)
    assert read_opus_header(unit.ljust(HEADER_BYTES, b"\0"), 0) == FrameHeader("opus", len(unit), 960, 48_000, 2)


@pytest.mark.parametrize(("first", "second"), [(0x7F, 0xDF), (0x7F, 0x60), (0x7E, 0xE0), (0x7F, 0xE4), (0x7F, 0xC0)])
def test_what_is_no_control_header_of_opus(first: int, second: int) -> None:
    """The third of the lowest flags announces an extension, which is not read."""
    assert read_opus_header(bytes([first, second]) + opus(20)[2:], 0) is None
    assert read_opus_header(opus(20), 0)
    assert read_opus_header(b"\x7f\xe0\0".ljust(HEADER_BYTES, b"\xfc"), 0) is None


@pytest.mark.parametrize(
    ("code", "count", "samples"), [(0, 7, 960), (1, 7, 1920), (2, 7, 1920), (3, 1, 960), (3, 6, 5760), (3, 0x40 | 3, 2880)]
)
def test_an_opus_packet_has_one_frame_or_two_or_says_how_many(code: int, count: int, samples: int) -> None:
    """RFC 6716, 3.2: the last six bits are the number."""
    header = read_opus_header(opus(20, packet=bytes([0xFC | code, count])), 0)
    assert header
    assert header.samples == samples


def test_an_opus_packet_that_has_not_come_is_taken_for_20_ms() -> None:
    """And one of a single byte for a frame."""
    unit = opus(1020, flags=0xF8, packet=b"\xe0")
    for shown, samples in ((HEADER_BYTES, 960), (len(unit), 120)):
        header = read_opus_header(unit[:shown], 0)
        assert header
        assert (header.length, header.samples) == (len(unit), samples)
    single = read_opus_header(opus(5, flags=0xF8, packet=b"\xff\2")[:8], 0)
    assert single
    assert single.samples == 960


ADTS = bytes([0xFF, 0xF1, 0x50, 0x80, 0x2E, 0x7F, 0xFC, 0x21, 0x10])
MPEG = bytes([0xFF, 0xFB, 0x92, 0xC4, 1, 2, 3, 4, 5])
AC3 = bytes([0x0B, 0x77, 1, 2, 0x54, 0x43, 0xE1, 0x06, 9])
EAC3 = bytes([0x0B, 0x77, 0x04, 0xFF, 0x34, 0x87, 0xC0, 1, 2])
DTS = bytes([0x7F, 0xFE, 0x80, 0x01, 0xFC, 0x3C, 0x3E, 0x71, 0x35, 2, 3, 4, 5, 6]).ljust(LONG_HEADER_BYTES, b"\x55")
S302M = bytes([2, 0x80, 0x40, 0x20]).ljust(LONG_HEADER_BYTES, b"\x55")
EXAMPLES = {
    "aac": (read_adts_header, ADTS),
    "mp3": (read_mpeg_audio_header, MPEG),
    "ac3": (read_ac3_header, AC3),
    "eac3": (read_ac3_header, EAC3),
    "opus": (read_opus_header, opus(300)),
    "dts": (read_dts_header, DTS),
    "s302m": (read_s302m_header, S302M),
    "aac_latm": (read_loas_header, loas((2, 5), (4, 4), (2, 4))),
}


@pytest.mark.parametrize("codec", EXAMPLES)
@pytest.mark.parametrize("before", [b"\xff", b"\x0b\x77", b"\x7f\xfe\x80\x01", bytes(9), b"\x56\xe0\0\xff\xf1"])
def test_a_header_is_read_wherever_it_stands(codec: str, before: bytes) -> None:
    read_header, header = EXAMPLES[codec]
    expected = read_header(header, 0)
    assert expected
    assert expected.codec == codec
    assert read_header(before + header, len(before)) == read_header(header + before, 0) == expected
    assert HEADER_READERS.get(codec, read_header) is read_header


@pytest.mark.parametrize("codec", ["dts", "aac_latm"])
def test_a_header_is_none_without_its_syncword(codec: str) -> None:
    read_header, header = EXAMPLES[codec]
    for at in range(2):
        changed = header[:at] + bytes([header[at] ^ 0x20]) + header[at + 1 :]
        assert read_header(changed, 0) is None
        assert not is_loas(changed, 0)
    assert is_loas(header, 0) is (codec == "aac_latm")
