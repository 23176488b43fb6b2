from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from generated_video import run_ffmpeg
from hypothesis import given
from hypothesis import strategies as st
from peers.segment_inspection import ffmpeg_packet_count, split_at

from transcoder.core.media.mpegts.access_units import AccessUnits, H264AccessUnits, HevcAccessUnits

START_CODE = b"\0\0\1"
FORMS = {
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
COUNTERS: dict[str, type[AccessUnits]] = {"h264": H264AccessUnits, "hevc": HevcAccessUnits}


@cache
def elementary(form: str) -> tuple[str, bytes]:
    codec, encoder, *options = FORMS[form]
    with TemporaryDirectory() as folder:
        file = Path(folder, "stream")
        source = ("-f", "lavfi", "-i", "testsrc2=s=192x108:r=25:d=2")
        run_ffmpeg(*source, "-c:v", encoder, *options, "-threads:v", "1", "-f", codec, file)
        return codec, file.read_bytes()


def units(data: bytes) -> list[bytes]:
    return data.split(START_CODE)


def kind(unit: bytes) -> int:
    return unit[0] & 0x1F if unit else 0


def count(codec: str, parts: list[bytes]) -> int:
    counter = COUNTERS[codec]()
    for part in parts:
        counter.feed(part)
    return counter.count


@pytest.mark.parametrize("form", FORMS)
def test_access_units_are_those_that_ffmpeg_finds(form: str) -> None:
    codec, data = elementary(form)
    assert count(codec, [data]) == ffmpeg_packet_count(data, codec) == 50


@pytest.mark.parametrize("form", ["slices", "hevc"])
@given(cuts=st.lists(st.integers(0, 10_000), max_size=40))
def test_access_units_are_the_same_in_any_pieces(form: str, cuts: list[int]) -> None:
    codec, data = elementary(form)
    start = data[:10_000]
    assert count(codec, split_at(start, cuts)) == count(codec, [start])


def test_byte_by_byte_makes_no_difference() -> None:
    codec, data = elementary("b-frames")
    assert count(codec, [data[at : at + 1] for at in range(len(data))]) == 50


def test_pictures_without_anything_between_them_are_told_apart() -> None:
    codec, data = elementary("b-frames")
    bare = START_CODE.join(unit for unit in units(data) if kind(unit) not in {6, 9})
    assert count(codec, [bare]) == ffmpeg_packet_count(bare, codec) == 50


def test_each_field_is_a_sample() -> None:
    codec, data = elementary("b-frames")
    fields = START_CODE.join(each for unit in units(data) for each in ([unit, unit] if kind(unit) in {1, 5} else [unit]))
    assert count(codec, [fields]) == ffmpeg_packet_count(fields, codec) == 100


@pytest.mark.parametrize(("form", "end"), [("b-frames", b"\0\0\1\x09\xf0"), ("hevc", b"\0\0\1\x48\1"), ("hevc", b"\0\0\1\x46\1\x50")])
def test_what_follows_the_last_picture_counts_as_ffmpeg_has_it(form: str, end: bytes) -> None:
    codec, data = elementary(form)
    assert count(codec, [data + end]) == ffmpeg_packet_count(data + end, codec)


def test_nothing_is_no_access_unit() -> None:
    assert count("h264", []) == count("h264", [b""]) == 0
