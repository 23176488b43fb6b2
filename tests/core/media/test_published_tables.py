"""Every row of the tables of audio headers, against the values that the standards print, or lengths that follow from their formulas."""

import pytest

from transcoder.core.media.audio_headers import (
    HEADER_BYTES,
    FrameHeader,
    read_ac3_header,
    read_adts_header,
    read_mpeg_audio_header,
    read_opus_header,
)
from transcoder.core.media.mpegts.first_frame import first_frame
from transcoder.core.media.reencoded_audio import LONG_HEADER_BYTES, read_dts_header, read_loas_header, read_s302m_header

AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]
"""ISO/IEC 14496-3, table 1.18."""
AAC_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}
"""ISO/IEC 14496-3, table 1.19."""
MPEG_RATES = {1: [44100, 48000, 32000], 2: [22050, 24000, 16000], 2.5: [11025, 12000, 8000]}
MPEG_KBPS = {
    (1, 1): [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    (1, 2): [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    (1, 3): [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    (2, 1): [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    (2, 2): [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    (2, 3): [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}
"""ISO/IEC 11172-3, 2.4.2.3, and ISO/IEC 13818-3, 2.4.2.3, by version and layer, from bit rate index 1."""
AC3_WORDS = {
    48000: [64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1152, 1280],
    44100: [69, 87, 104, 121, 139, 174, 208, 243, 278, 348, 417, 487, 557, 696, 835, 975, 1114, 1253, 1393],
    32000: [96, 120, 144, 168, 192, 240, 288, 336, 384, 480, 576, 672, 768, 960, 1152, 1344, 1536, 1728, 1920],
}
"""Words of 16 bits per frame of each even frmsizecod (ETSI TS 102 366, table 4.13); the odd ones have one more at 44.1 kHz."""
OPUS_MS = [10, 20, 40, 60] * 3 + [10, 20] * 2 + [2.5, 5, 10, 20] * 4
"""Frame sizes by configuration (RFC 6716, table 2)."""
DTS_RATES = {1: 8000, 2: 16000, 3: 32000, 6: 11025, 7: 22050, 8: 44100, 11: 12000, 12: 24000, 13: 48000}
"""ETSI TS 102 114, table 5-5."""
DTS_CHANNELS = [1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 6, 6, 7, 8, 8]
"""ETSI TS 102 114, table 5-4."""


def bits(*fields: tuple[int, int], length: int = LONG_HEADER_BYTES) -> bytes:
    """Return values with their widths in bits, one after another, filled up with zeros."""
    number = size = 0
    for value, width in fields:
        assert value < 1 << width
        number, size = number << width | value, size + width
    return (number << (8 * length - size)).to_bytes(length)


def adts(*, rate: int = 3, channels: int = 2, profile: int = 1, length: int = 400, blocks: int = 0) -> FrameHeader | None:
    fields = [(0xFFF, 12), (0, 1), (0, 2), (1, 1), (profile, 2), (rate, 4), (0, 1), (channels, 3), (0, 4), (length, 13), (0x7FF, 11)]
    return read_adts_header(bits(*fields, (blocks, 2), length=HEADER_BYTES), 0)


@pytest.mark.parametrize("index", range(16))
def test_sampling_rates_of_aac(index: int) -> None:
    header = adts(rate=index)
    assert (header.sample_rate if header else None) == dict(enumerate(AAC_RATES)).get(index)


@pytest.mark.parametrize(("configuration", "channels"), AAC_CHANNELS.items())
def test_channel_configurations_of_aac(configuration: int, channels: int) -> None:
    header = adts(channels=configuration)
    assert header
    assert (header.channels, header.samples, header.length, header.profile) == (channels, 1024, 400, 1)


@pytest.mark.parametrize(("length", "is_frame"), [(6, False), (7, True), (8191, True)])
def test_an_adts_frame_is_not_shorter_than_its_header(length: int, *, is_frame: bool) -> None:
    header = adts(length=length, blocks=3, profile=0)
    assert (header and (header.length, header.samples, header.profile)) == ((length, 4096, 0) if is_frame else None)


def mpeg_audio(version: float, layer: int, bit_rate: int, rate: int, *, padding: int = 0, mode: int = 0) -> FrameHeader | None:
    version_code = {1: 3, 2: 2, 2.5: 0}[version]
    fields = [(0x7FF, 11), (version_code, 2), (4 - layer, 2), (1, 1), (bit_rate, 4), (rate, 2), (padding, 1), (0, 1), (mode, 2), (0, 6)]
    return read_mpeg_audio_header(bits(*fields, length=HEADER_BYTES), 0)


@pytest.mark.parametrize("version", MPEG_RATES)
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_bit_rates_and_sampling_rates_of_mpeg_audio(version: float, layer: int) -> None:
    """ISO/IEC 11172-3, 2.4.3.1, says how many slots a frame has; one of a lower sampling rate has half as many in layer III."""
    for rate_code, rate in enumerate(MPEG_RATES[version]):
        for index, kbps in enumerate(MPEG_KBPS[min(int(version), 2), layer], 1):
            for padding in (0, 1):
                header = mpeg_audio(version, layer, index, rate_code, padding=padding)
                slots = 12 if layer == 1 else 72 if layer == 3 and version > 1 else 144
                length = (slots * kbps * 1000 // rate + padding) * (4 if layer == 1 else 1)
                samples = {1: 384, 2: 1152, 3: 576 if version > 1 else 1152}[layer]
                assert header == FrameHeader(f"mp{layer}", length, samples, rate, 2), (rate, kbps, padding)


@pytest.mark.parametrize(("mode", "channels"), [(0, 2), (1, 2), (2, 2), (3, 1)])
def test_only_the_last_mode_of_mpeg_audio_is_mono(mode: int, channels: int) -> None:
    header = mpeg_audio(1, 3, 9, 0, mode=mode)
    assert header
    assert header.channels == channels


@pytest.mark.parametrize(("bit_rate", "rate"), [(0, 0), (15, 0), (9, 3)])
def test_a_free_or_forbidden_bit_rate_and_a_reserved_rate_are_no_mpeg_audio(bit_rate: int, rate: int) -> None:
    assert mpeg_audio(1, 3, bit_rate, rate) is None
    assert mpeg_audio(1, 3, 1, 0)
    assert mpeg_audio(1, 3, 14, 2)


def ac3(rate: int, size: int, *, mode: int = 2, lfe: int = 0, bsid: int = 8) -> FrameHeader | None:
    has_centre, has_surround = mode & 1 and mode != 1, mode & 4
    levels = [(0, 2)] * (bool(has_centre) + bool(has_surround) + (mode == 2))
    fields = [(0x0B77, 16), (0, 16), (rate, 2), (size, 6), (bsid, 5), (0, 3), (mode, 3), *levels, (lfe, 1)]
    return read_ac3_header(bits(*fields), 0)


@pytest.mark.parametrize(("code", "rate"), list(enumerate(AC3_WORDS)))
def test_lengths_of_ac3(code: int, rate: int) -> None:
    for number, words in enumerate(AC3_WORDS[rate]):
        for odd in (0, 1):
            expected = 2 * (words + (odd if rate == 44_100 else 0))
            assert ac3(code, 2 * number + odd) == FrameHeader("ac3", expected, 1536, rate, 2)
    assert ac3(code, 38) is None
    assert ac3(3, 0) is None


@pytest.mark.parametrize(("mode", "channels"), list(enumerate([2, 1, 2, 3, 3, 4, 4, 5])))
@pytest.mark.parametrize("lfe", [0, 1])
def test_channels_of_ac3(mode: int, channels: int, lfe: int) -> None:
    header = ac3(0, 20, mode=mode, lfe=lfe)
    assert header
    assert header.channels == channels + lfe


@pytest.mark.parametrize(("bsid", "codec"), [(8, "ac3"), (10, "ac3"), (11, "eac3"), (16, "eac3"), (17, None)])
def test_the_bit_stream_identification_tells_ac3_from_eac3(bsid: int, codec: str | None) -> None:
    header = ac3(0, 20, bsid=bsid)
    assert (header.codec if header else None) == codec


def eac3(rate: int, second: int, *, kind: int = 0, size: int = 99, mode: int = 2, lfe: int = 0) -> FrameHeader | None:
    fields = [(0x0B77, 16), (kind, 2), (0, 3), (size, 11), (rate, 2), (second, 2), (mode, 3), (lfe, 1), (16, 5)]
    return read_ac3_header(bits(*fields), 0)


def test_rates_and_blocks_of_eac3() -> None:
    """ETSI TS 102 366, E.1.3.1: a reduced rate has six blocks."""
    for code, rate in enumerate([48000, 44100, 32000]):
        for second, blocks in enumerate([1, 2, 3, 6]):
            assert eac3(code, second) == FrameHeader("eac3", 200, 256 * blocks, rate, 2)
    for second, rate in enumerate([24000, 22050, 16000]):
        assert eac3(3, second) == FrameHeader("eac3", 200, 1536, rate, 2)
    assert eac3(3, 3) is None


@pytest.mark.parametrize(("kind", "is_sample"), [(0, True), (1, False), (2, True), (3, None)])
def test_a_dependent_substream_of_eac3_is_no_sample(kind: int, *, is_sample: bool | None) -> None:
    header = eac3(0, 3, kind=kind, mode=7, lfe=1, size=2047)
    assert (header and (header.is_sample, header.channels, header.length)) == (None if is_sample is None else (is_sample, 6, 4096))


@pytest.mark.parametrize(("configuration", "milliseconds"), list(enumerate(OPUS_MS)))
def test_durations_of_opus(configuration: int, milliseconds: float) -> None:
    for code, frames in enumerate([1, 2, 2, 5]):
        unit = bytes([0x7F, 0xE0, 100, configuration << 3 | code, 5]).ljust(HEADER_BYTES, b"\0")
        header = read_opus_header(unit, 0)
        assert header
        assert header.seconds == pytest.approx(frames * milliseconds / 1000)
        assert header.length == 103


@pytest.mark.parametrize(("flags", "trims"), [(0xE0, 0), (0xF0, 2), (0xE8, 2), (0xF8, 4)])
def test_trims_of_opus_lie_before_its_packet(flags: int, trims: int) -> None:
    header = read_opus_header(bytes([0x7F, flags, 10, *[0] * trims, 1 << 3, 0, 0, 0, 0]), 0)
    assert header
    assert (header.length, header.samples) == (13 + trims, 960)


def dts(*, rate: int = 13, amode: int = 2, blocks: int = 15, length: int = 999, lff: int = 0) -> FrameHeader | None:
    fields = [(0x7FFE8001, 32), (1, 1), (31, 5), (0, 1), (blocks, 7), (length, 14), (amode, 6), (rate, 4), (0, 15), (lff, 2)]
    return read_dts_header(bits(*fields), 0)


@pytest.mark.parametrize("code", range(16))
def test_sampling_rates_of_dts(code: int) -> None:
    header = dts(rate=code)
    assert header == (FrameHeader("dts", 1000, 512, DTS_RATES[code], 2) if code in DTS_RATES else None)


@pytest.mark.parametrize(("amode", "channels"), list(enumerate([*DTS_CHANNELS, None])))
@pytest.mark.parametrize(("lff", "lfe"), [(0, 0), (1, 1), (2, 1), (3, 0)])
def test_channels_of_dts(amode: int, channels: int | None, lff: int, lfe: int) -> None:
    header = dts(amode=amode, lff=lff)
    assert (header.channels if header else None) == (None if channels is None else channels + lfe)


@pytest.mark.parametrize(("code", "channels"), list(enumerate([2, 4, 6, 8])))
@pytest.mark.parametrize(("depth", "sample_bits"), [(0, 16), (1, 20), (2, 24), (3, None)])
def test_formats_of_s302m(code: int, channels: int, depth: int, sample_bits: int | None) -> None:
    """SMPTE 302M-2007, 6.3: each sample has four bits beside its own."""
    size = 20 * channels * 28
    header = read_s302m_header(bits((size, 16), (code, 2), (0, 8), (depth, 2)), 0)
    expected = sample_bits and FrameHeader("s302m", 4 + size, size * 8 // (channels * (sample_bits + 4)), 48_000, channels)
    assert header == expected


@pytest.mark.parametrize("configuration", range(8))
@pytest.mark.parametrize("index", range(16))
def test_rates_and_channels_of_latm(index: int, configuration: int) -> None:
    """Of at most 24 kHz it may have SBR without saying so, and be decoded to twice the rate and, from one channel, to two."""
    rate = [(index, 4), *([(50_000, 24)] if index == 15 else [])]
    header = read_loas_header(bits((0x2B7, 11), (200, 13), (0, 2), (0, 14), (2, 5), *rate, (configuration, 4)), 0)
    own = 50_000 if index == 15 else dict(enumerate(AAC_RATES)).get(index)
    channels = AAC_CHANNELS.get(configuration)
    if own is None or channels is None:
        assert header is None
    else:
        has_sbr = own <= 24_000
        expected = FrameHeader("aac_latm", 203, 1024, 2 * own if has_sbr else own, 2 if has_sbr and channels == 1 else channels)
        assert header == expected


@pytest.mark.parametrize(
    "following",
    [
        pytest.param([(1, 1)], id="one that refers to it"),
        pytest.param([(0, 2), (0, 14), (2, 5), (3, 4), (0, 4)], id="channels described elsewhere"),
    ],
)
def test_a_frame_of_latm_may_be_followed_by_one_that_does_not_tell_its_format(following: list[tuple[int, int]]) -> None:
    """ISO/IEC 14496-3, 1.7.3; the stream may begin inside a frame."""
    fields = [(0x2B7, 11), (40, 13)]
    own, other = bits(*fields, (0, 2), (0, 14), (2, 5), (3, 4), (2, 4), length=43), bits(*fields, *following, length=43)
    expected = FrameHeader("aac_latm", 43, 1024, 48_000, 2)
    assert first_frame("aac_latm", own + other) == first_frame("aac_latm", b"\0" + own + other) == expected
    assert first_frame("aac_latm", b"\0" + own + bytes(100)) is None
