"""Segments that a playlist leaves out show in the names and byte ranges of the others, where those are regular."""

import pytest
from peers.playlists import media_playlist

from transcoder.core.hls.agreement import skips_segments
from transcoder.core.hls.left_out import left_out_before
from transcoder.core.hls.plan import ByteRange
from transcoder.core.hls.playlist import MediaSegment


def listed(*urls: str, ranges: list[tuple[int, int]] | None = None) -> list[MediaSegment]:
    parts = [ByteRange(*each) for each in ranges] if ranges else [None] * len(urls)
    return [
        MediaSegment(url, 4.0, number, discontinuity=False, gap=False, range=part, keys=(), map=None)
        for number, (url, part) in enumerate(zip(urls, parts, strict=True))
    ]


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param(["https://a/1.ts"], [0], id="one"),
        pytest.param(["https://a/1.ts", "https://a/2.ts", "https://a/3.ts"], [0, 0, 0], id="all"),
        pytest.param(["https://a/1.ts", "https://a/2.ts", "https://a/4.ts", "https://a/5.ts"], [0, 0, 1, 0], id="one left out"),
        pytest.param(["https://a/0.ts", "https://a/10.ts", "https://a/40.ts", "https://a/50.ts"], [0, 0, 2, 0], id="in steps of ten"),
        pytest.param(["https://a/1.ts", "https://a/x.ts", "https://a/4.ts"], [0, 0, 0], id="a name without a number"),
        pytest.param(["https://a/1-1", "https://a/2-1", "https://a/3-1", "https://a/3-4"], [0, 0, 0, 2], id="numbers in two places"),
        pytest.param(["https://a/1", "https://a/3", "https://a/5", "https://a/8"], [0, 0, 0, 0], id="a step that is not regular"),
        pytest.param(["https://a/1.ts", "https://a/6.ts", "https://a/x.ts"], [0, 0, 0], id="a name without a number after a leap"),
        pytest.param(["https://a/1.ts", "https://a/6.ts", "https://a/5.ts"], [0, 0, 0], id="a number that falls after a leap"),
        pytest.param(["https://a/4.ts", "https://a/2.ts", "https://a/7.ts"], [0, 0, 0], id="numbers that fall"),
        pytest.param(["https://a/12.ts", "https://a/29.ts", "https://a/31.ts", "https://a/77.ts"], [0, 16, 1, 45], id="no usual step"),
    ],
)
def test_numbers_in_names_show_what_is_left_out(urls: list[str], expected: list[int]) -> None:
    assert left_out_before(listed(*urls)) == expected


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([(0, 1000), (1000, 1100), (3200, 900), (4100, 1000)], [0, 0, 1, 0]),
        ([(0, 1000), (3000, 1000), (7000, 1000)], [0, 2, 3]),
        ([(0, 1000), (1499, 1000), (4000, 1000)], [0, 0, 2]),
        ([(0, 3000), (5000, 1000), (6999, 1000)], [0, 1, 1]),
        ([(0, 1000), (0, 1000), (500, 1000), (3500, 1000)], [0, 0, 0, 2]),
        ([(0, 1000), (5000, 1000), (6000, 0), (6000, 0)], [0, 4, 0, 0]),
    ],
)
def test_byte_ranges_show_what_is_left_out(ranges: list[tuple[int, int]], expected: list[int]) -> None:
    assert left_out_before(listed(*["https://a/all.mp4"] * len(ranges), ranges=ranges)) == expected


def test_ranges_of_other_files_are_not_compared() -> None:
    assert left_out_before(listed("https://a/a.mp4", "https://a/b.mp4", ranges=[(0, 1000), (5000, 1000)])) == [0, 0]
    mixed = listed("https://a/a.mp4", "https://a/a.mp4", "https://a/a.mp4", ranges=[(0, 10), (50, 10), (60, 10)])
    assert left_out_before([mixed[0]._replace(range=None), *mixed[1:]]) == [0, 0, 0]


def test_byte_ranges_of_no_bytes_leave_out_nothing() -> None:
    assert left_out_before(listed(*["https://a/all.mp4"] * 3, ranges=[(0, 0), (5, 0), (5, 10)])) == [0, 0, 0]


@pytest.mark.parametrize(("numbers", "expected"), [((1, 2, 3), False), ((1, 2, 4), True), ((1,), False), ((), False)])
def test_a_playlist_skips_segments_if_any_is_left_out(numbers: tuple[int, ...], *, expected: bool) -> None:
    playlist = media_playlist(4.0)._replace(segments=tuple(listed(*(f"https://a/{number}.ts" for number in numbers))))
    assert skips_segments(playlist) is expected
