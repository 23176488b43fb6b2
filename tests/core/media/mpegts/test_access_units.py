from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.encoded_pieces import encoded
from peers.segment_inspection import ffmpeg_packet_count, split_at

from transcoder.core.media.mpegts.access_units import AccessUnitCounter, H264AccessUnitCounter, HevcAccessUnitCounter

START_CODE = b"\0\0\1"
ENCODINGS = {
    "b-frames": ("h264", "libx264", "-bf", "3", "-g", "25"),
    "slices": ("h264", "libx264", "-x264-params", "slices=4:keyint=25"),
    "interlaced": ("h264", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1:keyint=25"),
    "intra-refresh": ("h264", "libx264", "-x264-params", "intra-refresh=1:keyint=25"),
    "hevc": ("hevc", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=25:log-level=none:pools=1"),
    "hevc-slices": (
        "hevc",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "slices=3:keyint=25:log-level=none:pools=1:repeat-headers=1",
    ),
}
COUNTERS: dict[str, type[AccessUnitCounter]] = {"h264": H264AccessUnitCounter, "hevc": HevcAccessUnitCounter}


@cache
def byte_stream(encoding: str) -> tuple[str, bytes]:
    codec, encoder, *options = ENCODINGS[encoding]
    source = ("-f", "lavfi", "-i", "testsrc2=s=192x108:r=25:d=2")
    return codec, encoded(*source, "-c:v", encoder, *options, "-threads:v", "1", "-f", codec)


def units(data: bytes) -> list[bytes]:
    return data.split(START_CODE)


def kind(unit: bytes) -> int:
    return unit[0] & 0x1F if unit else 0


def count(codec: str, parts: list[bytes]) -> int:
    counter = COUNTERS[codec]()
    for part in parts:
        counter.feed(part)
    return counter.count


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_count_is_that_of_ffmpeg(encoding: str) -> None:
    codec, data = byte_stream(encoding)
    assert count(codec, [data]) == ffmpeg_packet_count(data, codec) == 50


@pytest.mark.parametrize("encoding", ["slices", "hevc"])
@given(cuts=st.lists(st.integers(0, 10_000), max_size=40))
def test_count_does_not_depend_on_the_pieces(encoding: str, cuts: list[int]) -> None:
    codec, data = byte_stream(encoding)
    start = data[:10_000]
    assert count(codec, split_at(start, cuts)) == count(codec, [start])


def test_single_bytes_give_the_same_count() -> None:
    codec, data = byte_stream("b-frames")
    assert count(codec, [data[at : at + 1] for at in range(len(data))]) == 50


def test_pictures_without_other_units_between_them_are_separated() -> None:
    codec, data = byte_stream("b-frames")
    bare = START_CODE.join(unit for unit in units(data) if kind(unit) not in {6, 9})
    assert count(codec, [bare]) == ffmpeg_packet_count(bare, codec) == 50


def test_each_field_is_a_sample() -> None:
    codec, data = byte_stream("b-frames")
    fields = START_CODE.join(each for unit in units(data) for each in ([unit, unit] if kind(unit) in {1, 5} else [unit]))
    assert count(codec, [fields]) == ffmpeg_packet_count(fields, codec) == 100


@pytest.mark.parametrize(("encoding", "end"), [("b-frames", b"\0\0\1\x09\xf0"), ("hevc", b"\0\0\1\x48\1"), ("hevc", b"\0\0\1\x46\1\x50")])
def test_units_after_the_last_picture_count_as_in_ffmpeg(encoding: str, end: bytes) -> None:
    codec, data = byte_stream(encoding)
    assert count(codec, [data + end]) == ffmpeg_packet_count(data + end, codec)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_whether_the_first_slice_has_come(codec: str) -> None:
    delimiter, other, slice_ = (b"\x09\xf0", b"\x0c\x80", b"\x65\x88") if codec == "h264" else (b"\x46\1\x50", b"\x50\1\x80", b"\x26\1\xaf")
    filler, counter, found = bytes([0x80]) * 10, COUNTERS[codec](), []
    for unit in (other, delimiter, slice_, delimiter, other):
        counter.feed(START_CODE + unit + filler)
        found.append(counter.has_picture)
    assert found == [False, False, True, True, True]


def golomb(number: int, *, then: str) -> bytes:
    """Write ue(v) (ISO/IEC 14496-10, 9.1), and other bits behind it."""
    code = f"{number + 1:b}"
    bits = "0" * (len(code) - 1) + code + then * 80
    return int(bits[:80], 2).to_bytes(10)


@pytest.mark.parametrize("then", ["01", "0", "1"])
@pytest.mark.parametrize("first", [0, 1, 2, 6, 7, 100, 254, 255, 8159, 65_534, 139_263])
def test_a_slice_begins_a_picture_unless_it_lies_behind_the_one_before(first: int, then: str) -> None:
    """The last number is that of the largest picture (ISO/IEC 14496-10, table A-1)."""
    for second in {0, 1, 2, first - 1, first, first + 1, 2 * first, 139_263} - {-1}:
        slices = START_CODE + b"\x41" + golomb(first, then=then) + START_CODE + b"\x41" + golomb(second, then="10")
        for pieces in ([slices], [slices[at : at + 1] for at in range(len(slices))]):
            assert count("h264", pieces) == (1 if second > first else 2), second


@pytest.mark.parametrize(("codec", "unit", "least"), [("h264", b"\x09\xf0", 1), ("hevc", b"\x46\1\x50", 3), ("hevc", b"\x02\1\x80", 3)])
def test_so_many_bytes_of_a_unit_at_the_end_begin_an_access_unit(codec: str, unit: bytes, least: int) -> None:
    """As many as ffmpeg's parsers need: the header, and of HEVC the byte behind it."""
    picture = START_CODE + (b"\x65\xe0" if codec == "h264" else b"\x02\1\x80") + b"\x80" * 20
    for size in range(len(unit) + 1):
        assert count(codec, [picture + START_CODE + unit[:size]]) == (2 if size >= least else 1), size
        assert count(codec, [picture, START_CODE, unit[:size]]) == (2 if size >= least else 1), size


def test_empty_stream_has_no_access_unit() -> None:
    assert count("h264", []) == count("h264", [b""]) == 0


@pytest.mark.parametrize("encoding", ["b-frames", "hevc-slices"])
def test_pictures_before_the_first_parameter_sets_cannot_be_decoded(encoding: str) -> None:
    """Each key frame brings them; here the first one, and the 24 pictures that follow it, lack them."""
    codec, data = byte_stream(encoding)
    sets = {7, 8} if codec == "h264" else {32, 33, 34}
    parts = [(unit, unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F) if unit else (unit, -1) for unit in units(data)]
    second_sets = [number for number, (_, unit) in enumerate(parts) if unit == max(sets)][1] - len(sets) + 1
    left = [unit for number, (unit, found) in enumerate(parts) if number >= second_sets or found not in sets]
    counter, whole = COUNTERS[codec](), COUNTERS[codec]()
    counter.feed(START_CODE.join(left))
    whole.feed(data)
    assert (counter.is_headless, counter.undecodable, counter.count) == (True, 25, 50)
    assert (whole.is_headless, whole.undecodable, whole.count) == (False, 0, 50)
    for each in (counter, whole):
        before = each.undecodable
        each.feed(START_CODE + data)
        assert (each.undecodable, each.count) == (before, 100), "later parameter sets change nothing"


def test_the_first_partition_of_a_slice_counts_as_one() -> None:
    """A slice may be sent in three partitions, of which the first one has its header (ISO/IEC 14496-10, 7.3.2.9)."""
    codec, data = byte_stream("b-frames")
    partitioned = [bytes([unit[0] & 0xE0 | 2]) + unit[1:] if kind(unit) == 1 else unit for unit in units(data)]
    assert count(codec, [START_CODE.join(partitioned)]) == 50
    others = [bytes([unit[0] & 0xE0 | 3]) + unit[1:] if kind(unit) == 1 else unit for unit in units(data)]
    assert count(codec, [START_CODE.join(others)]) == 2, "only the key frames are left"


BOUNDARIES = {"h264": {6, 7, 8, 9}, "hevc": {*range(32, 38), 39, *range(41, 45), *range(48, 56)}}
"""Types of NAL units that begin an access unit: ISO/IEC 14496-10, 7.4.1.2.3, and ISO/IEC 23008-2, 7.4.2.4.4."""
SLICES = {"h264": {1, 2, 5}, "hevc": {*range(10), *range(16, 22)}}


@pytest.mark.parametrize(("codec", "kind"), [*(("h264", kind) for kind in range(1, 13)), *(("hevc", kind) for kind in range(64))])
def test_what_each_type_of_a_nal_unit_says_of_where_pictures_begin(codec: str, kind: int) -> None:
    """A slice is the first one of its picture."""

    def unit(kind: int) -> bytes:
        return START_CODE + (bytes([kind]) if codec == "h264" else bytes([kind << 1, 1])) + b"\x80" + bytes(9)

    picture = unit(1)
    assert count(codec, [picture + unit(kind)]) == (2 if kind in BOUNDARIES[codec] | SLICES[codec] else 1)
    assert count(codec, [picture + unit(kind) + picture]) == (3 if kind in SLICES[codec] else 2)


@pytest.mark.parametrize("layer", [1, 2, 7, 31, 32, 63])
def test_units_of_further_layers_of_hevc_are_no_pictures(layer: int) -> None:
    """ISO/IEC 23008-2, 7.3.1.2: six bits of nuh_layer_id, over the border of two bytes."""
    first = START_CODE + b"\x02\x01\x80" + bytes(9)
    for kind in (1, 35, 39):
        other = START_CODE + bytes([kind << 1 | layer >> 5, (layer & 31) << 3 | 1]) + b"\x80" + bytes(9)
        assert count("hevc", [first + other + first + other]) == 2
