"""Tests that segments of subtitles become one text: on the output's clock, without doubles, and not with a segment missing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from transcoder.core.media.subtitles import Cue, Place, PlacedSegment, WebVtt, join_segments, write_subrip
from transcoder.core.media.timestamps import WRAP_SECONDS
from transcoder.errors import DamagedMediaError

SECONDS = 6.0
Listed = list[tuple[float, float, str]]


def segments(
    *cues: Sequence[tuple[float, float, str]], clock: float = 0.0, zero: float | None = None, local: float = 0.0
) -> list[PlacedSegment]:
    """Return segments of `SECONDS` each, with cues on the segments' own clock, for a video whose clock begins at `clock`."""
    return [
        PlacedSegment(Place(number * SECONDS, SECONDS, 0.0, clock), WebVtt(tuple(Cue(*each) for each in found), zero=zero, local=local))
        for number, found in enumerate(cues)
    ]


def joined(found: Sequence[PlacedSegment]) -> Listed:
    return [(round(cue.start, 3), round(cue.end, 3), cue.text) for cue in join_segments(found, target_seconds=SECONDS).cues]


CUES = [[(1.0, 2.0, "a"), (4.0, 8.0, "b")], [(4.0, 8.0, "b"), (9.0, 10.0, "c")], [], [(18.5, 20.0, "d")]]
TIMES = [(1.0, 2.0, "a"), (4.0, 8.0, "b"), (9.0, 10.0, "c"), (18.5, 20.0, "d")]


def moved(seconds: float) -> list[Listed]:
    return [[(start + seconds, end + seconds, text) for start, end, text in found] for found in CUES]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(segments(*CUES), id="one clock for all, and no map"),
        pytest.param(segments(*CUES, clock=10.0, zero=10.0), id="a map"),
        pytest.param(segments(*moved(3600), clock=10.0, zero=10.0 - 3600, local=3600.0), id="a map with LOCAL"),
        pytest.param(segments(*moved(10), clock=10.0), id="no map: zero is zero of the media"),
        pytest.param(segments(*CUES, clock=10.0), id="no map although the media begin late"),
        pytest.param(segments(*CUES, clock=0.0, zero=10.0), id="a map that is not about this video"),
        pytest.param(segments(*CUES, clock=WRAP_SECONDS - 5, zero=WRAP_SECONDS - 5), id="a clock that wraps"),
        pytest.param(segments(*CUES, clock=WRAP_SECONDS * 7 + 3, zero=3.0), id="a clock beyond 33 bits"),
    ],
)
def test_times_are_those_of_the_output(found: Sequence[PlacedSegment]) -> None:
    assert joined(found) == TIMES


def test_each_segment_may_have_a_clock_of_its_own() -> None:
    own = [
        replace(
            segment, content=WebVtt(tuple(replace(cue, start=cue.start - at, end=cue.end - at) for cue in segment.content.cues), (), at)
        )
        for segment in segments(*CUES)
        for at in (segment.place.at,)
    ]
    assert joined(own) == TIMES


def test_segments_of_a_later_period_are_on_its_clock() -> None:
    later = PlacedSegment(Place(12.0, SECONDS, 12.0, 500.0), WebVtt((Cue(1.5, 3.0, "e"),), zero=500.0))
    assert joined([*segments(*CUES[:2]), later])[-1] == (13.5, 15.0, "e")


@pytest.mark.parametrize(
    ("cues", "expected"),
    [
        pytest.param([[(4.0, 14.0, "a")]] * 3, [(4.0, 14.0, "a")], id="in three segments"),
        pytest.param([[(4.0, 8.001, "a")], [(4.001, 8.0, "a")]], [(4.0, 8.001, "a")], id="rounded differently"),
        pytest.param([[(4.0, 6.0, "a")], [(6.0, 8.0, "a")]], [(4.0, 8.0, "a")], id="cut at the border"),
        pytest.param([[(4.0, 8.0, "a")], [(6.0, 8.0, "a")]], [(4.0, 8.0, "a")], id="the second one cut at the border"),
        pytest.param([[(4.0, 6.0, "a")], [(6.5, 8.0, "a")]], [(4.0, 6.0, "a"), (6.5, 8.0, "a")], id="said again"),
        pytest.param([[(4.0, 5.0, "a")], [(6.0, 8.0, "a")]], [(4.0, 5.0, "a"), (6.0, 8.0, "a")], id="said again at the border"),
        pytest.param([[(1.0, 2.0, "a"), (1.0, 2.0, "a")]], [(1.0, 2.0, "a")] * 2, id="twice in one segment"),
        pytest.param([[(4.0, 8.0, "a")], [(4.0, 8.0, "b")]], [(4.0, 8.0, "a"), (4.0, 8.0, "b")], id="two texts at once"),
        pytest.param([[(4.0, 5.0, "b"), (1.0, 2.0, "a")]], [(1.0, 2.0, "a"), (4.0, 5.0, "b")], id="in another order"),
    ],
)
def test_a_cue_in_several_segments_is_taken_once(cues: list[Listed], expected: Listed) -> None:
    assert joined(segments(*cues)) == expected


def test_what_lies_before_the_beginning_is_cut() -> None:
    assert joined(segments([(8.0, 9.0, "a"), (9.5, 10.5, "b"), (11.0, 12.0, "c")], clock=10.0, zero=0.0)) == [
        (0.0, 0.5, "b"),
        (1.0, 2.0, "c"),
    ]


FULL = [[(number * SECONDS + 1, number * SECONDS + 2, f"text {number}")] for number in range(6)]


@pytest.mark.parametrize(
    "cues",
    [
        pytest.param([*FULL[:2], FULL[1], *FULL[3:]], id="a segment in place of the one after it"),
        pytest.param([*FULL[:2], FULL[3], *FULL[3:]], id="a segment in place of the one before it"),
        pytest.param([*FULL[:1], FULL[4], *FULL[2:]], id="a segment from far away"),
        pytest.param(FULL[3:], id="three segments missing"),
    ],
)
def test_a_segment_in_place_of_another_one_is_damage(cues: list[Listed]) -> None:
    with pytest.raises(DamagedMediaError, match="are of another time"):
        joined(segments(*cues, zero=0.0))


def test_a_segment_that_the_playlist_leaves_out_is_damage() -> None:
    found = segments(*FULL[:2], *FULL[3:])
    assert joined(found)  # by itself, so small a distance proves nothing
    doubtful = [
        replace(each, place=replace(each.place, is_doubtful=index >= 2), content=replace(each.content, zero=0.0))
        for index, each in enumerate(found)
    ]
    with pytest.raises(DamagedMediaError, match=r"at 12\.0 s are of another time"):
        joined(doubtful)


def test_rounded_durations_are_allowed_for() -> None:
    doubtful = [
        replace(each, place=replace(each.place, is_doubtful=True, rounding=index * 3.0))
        for index, each in enumerate(segments(*FULL[:2], *FULL[3:], zero=0.0))
    ]
    assert len(joined(doubtful)) == 5


def test_styles_are_taken_once() -> None:
    found = [
        replace(each, content=replace(each.content, blocks=("STYLE\na", f"STYLE\n{index}"))) for index, each in enumerate(segments(*FULL))
    ]
    assert join_segments(found, target_seconds=SECONDS).blocks[:3] == ("STYLE\na", "STYLE\n0", "STYLE\n1")


def test_no_segments_are_no_subtitles() -> None:
    assert join_segments(segments([], []), target_seconds=SECONDS) == WebVtt(())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<v Mary>Hello</v>", "Hello"),
        ("<b.loud>Hello</b> <i>you</i>", "<b>Hello</b> <i>you</i>"),
        ("<c.yellow.bg_blue>Fish &amp; chips</c> &lt;3", "Fish & chips <3"),
        ("one <00:01.500>two", "one two"),
        ("<lang en>a</lang>\n<c></c>\nb", "a\nb"),
        ("<ruby>a<rt>b</rt></ruby>", "ab"),
    ],
)
def test_subrip_has_plain_text(text: str, expected: str) -> None:
    assert write_subrip(WebVtt((Cue(3661.5, 3662.0, text),))) == f"1\n01:01:01,500 --> 01:01:02,000\n{expected}\n"


def test_an_endless_tag_takes_no_time() -> None:
    text = "<" * 1_000_000
    assert write_subrip(WebVtt((Cue(0.0, 1.0, text),))).count("<") == len(text)


def test_subrip_numbers_what_it_shows() -> None:
    found = WebVtt((Cue(1.0, 2.0, "a", "line:0", "seven"), Cue(2.0, 3.0, "<c></c>"), Cue(3.0, 4.0, "b")))
    assert write_subrip(found) == "1\n00:00:01,000 --> 00:00:02,000\na\n\n2\n00:00:03,000 --> 00:00:04,000\nb\n"


def test_four_cues_with_the_same_text_may_reach_over_a_border() -> None:
    alike = [(4.0 + 0.25 * number, 7.0 + 0.25 * number, "♪") for number in range(4)]
    assert joined(segments(alike, alike[::-1])) == alike
    assert joined(segments([*alike, (5.5, 5.9, "x")], alike)) == [*alike, (5.5, 5.9, "x")]
