"""To how many seconds cues are the same, and segments of subtitles in their places."""

import pytest

from transcoder.core.media.subtitles import Cue, Place, PlacedSegment, WebVtt, join_segments
from transcoder.errors import DamagedMediaError

SECONDS = 6.0
Listed = list[tuple[float, float, str]]


def segment(
    number: int, cues: Listed, *, clock: float = 0.0, zero: float | None = None, rounding: float = 0.0, doubtful: bool = False
) -> PlacedSegment:
    place = Place(number * SECONDS, SECONDS, 0.0, clock, rounding, doubtful)
    return PlacedSegment(place, WebVtt(tuple(Cue(*each) for each in cues), zero=zero))


def joined(*segments: PlacedSegment, target: float = SECONDS) -> Listed:
    return [(round(cue.start, 4), round(cue.end, 4), cue.text) for cue in join_segments(segments, target_seconds=target).cues]


@pytest.mark.parametrize(
    ("start", "end", "same"),
    [
        (0.0, 0.0, True),
        (0.0019, -0.0019, True),
        (-0.0019, 0.0019, True),
        (0.0021, 0.0, False),
        (-0.0021, 0.0, False),
        (0.0, -0.0021, False),
    ],
)
def test_the_same_cue_has_the_same_times_to_two_milliseconds(start: float, end: float, *, same: bool) -> None:
    """It ends long before the border, so that the later one does not go on with it."""
    later, another = (3.0 + start, 4.0 + end, "a"), (9.0, 10.0, "b")
    expected = [(3.0, max(4.0, later[1]), "a")] if same else [(3.0, 4.0, "a"), later]
    found = joined(segment(0, [(3.0, 4.0, "a")]), segment(1, [later, another]))
    assert sorted(found) == sorted([*expected, another])


@pytest.mark.parametrize(
    ("earlier", "later", "same"),
    [
        pytest.param((3.0, 6.0), (6.0, 8.0), True, id="at the border"),
        pytest.param((3.0, 6.0), (6.0019, 8.0), True, id="two milliseconds later"),
        pytest.param((3.0, 6.0), (6.0021, 8.0), False, id="more than two milliseconds later"),
        pytest.param((3.0, 5.96), (5.96, 8.0), True, id="a little before the border"),
        pytest.param((3.0, 5.94), (5.94, 8.0), False, id="before the border"),
        pytest.param((3.0, 7.0), (6.04, 8.0), True, id="a little after the border"),
        pytest.param((3.0, 7.0), (6.06, 8.0), False, id="after the border"),
        pytest.param((3.0, 7.0), (5.94, 8.0), False, id="beginning before the border"),
        pytest.param((6.0, 7.0), (6.0, 8.0), False, id="beginning together"),
        pytest.param((6.01, 7.0), (6.0, 8.0), False, id="beginning earlier"),
    ],
)
def test_a_cue_goes_on_from_the_border_on(earlier: tuple[float, float], later: tuple[float, float], *, same: bool) -> None:
    """To five hundredths of a second."""
    expected = [(earlier[0], max(earlier[1], later[1]), "a")] if same else sorted([(*earlier, "a"), (*later, "a")])
    assert joined(segment(0, [(*earlier, "a")]), segment(1, [(*later, "a")])) == expected


@pytest.mark.parametrize(("target", "doubtful", "tolerance"), [(6.0, False, 6.0), (0.1, False, 0.5), (6.0, True, 0.5)])
@pytest.mark.parametrize("rounding", [0.0, 0.25])
def test_some_cue_of_a_segment_is_near_its_place(target: float, rounding: float, tolerance: float, *, doubtful: bool) -> None:
    """To a target duration, or to half a second if that is longer, or if the playlist seems to leave out segments."""
    allowed = tolerance + rounding
    for start, end, is_near in (
        (5.0, 12.0 - allowed, True),
        (5.0, 11.99 - allowed, False),
        (18.0 + allowed, 40.0, True),
        (18.01 + allowed, 40.0, False),
        (1.0, 40.0, True),
    ):
        found = segment(2, [(start, end, "a")], rounding=rounding, doubtful=doubtful)
        if is_near:
            assert joined(found, target=target) == [(start, end, "a")]
        else:
            with pytest.raises(DamagedMediaError, match=r"at 12\.0 s are of another time"):
                joined(found, target=target)
        also = segment(2, [(start, end, "a"), (13.0, 14.0, "b")], rounding=rounding, doubtful=doubtful)
        assert len(joined(also, target=target)) == 2


@pytest.mark.parametrize(("end", "refused"), [(11.4, True), (11.6, False)])
@pytest.mark.parametrize("zeros", [(None, None), (0.0, 0.0), (0.0, None)])
def test_a_segment_with_all_cues_of_another_one_is_in_its_own_place_to_half_a_second(
    end: float, zeros: tuple[float | None, float | None], *, refused: bool
) -> None:
    cues = [(8.0, 9.0, "a"), (10.0, end, "b")]
    both = [segment(number, cues, zero=zero) for number, zero in enumerate(zeros, 1)]
    if refused and zeros[0] == zeros[1]:
        with pytest.raises(DamagedMediaError, match=r"at 12\.0 s are of another time"):
            joined(segment(0, []), *both)
    else:
        assert joined(segment(0, []), *both) == cues


@pytest.mark.parametrize(
    ("zeros", "is_believed"),
    [
        pytest.param((8.0, 8.0, 0.0), False, id="three to one"),
        pytest.param((8.0, 0.0), True, id="two to one"),
        pytest.param((8.0, 0.0, 0.0), True, id="three to two"),
        pytest.param((8.0, 8.0), False, id="two to none"),
        pytest.param((8.0, None, None), True, id="a map in the first one alone"),
    ],
)
def test_a_map_is_not_believed_if_more_than_twice_as_many_cues_fit_without_it(
    zeros: tuple[float | None, ...], *, is_believed: bool
) -> None:
    """By a map of 8 s the cue lies in no place, but not far from it."""
    alone = [(6.0 * number + 1.0, 6.0 * number + 2.0, f"{number}") for number in range(len(zeros))]
    moved = [(start + (zero or 0.0), end + (zero or 0.0), text) for (start, end, text), zero in zip(alone, zeros, strict=True)]
    found = joined(*(segment(number, [alone[number]], zero=zero) for number, zero in enumerate(zeros)))
    assert found == (sorted(moved) if is_believed else alone)


@pytest.mark.parametrize(
    ("clock", "starts", "by_itself"),
    [
        pytest.param(1.5, (0.5, 8.0, 14.0), True, id="three to two"),
        pytest.param(3.0, (0.5, 7.0, 17.0), True, id="three to one"),
        pytest.param(3.0, (4.0, 10.0, 16.0), False, id="as many"),
        pytest.param(3.0, (4.0, 14.0, 20.0), False, id="fewer"),
    ],
)
def test_without_a_map_the_places_decide_which_clock_the_cues_have(clock: float, starts: tuple[float, ...], *, by_itself: bool) -> None:
    segments = [segment(number, [(start, start + 0.5, f"{number}")], clock=clock) for number, start in enumerate(starts)]
    less = 0.0 if by_itself else clock
    assert joined(*segments) == [(start - less, start + 0.5 - less, f"{number}") for number, start in enumerate(starts)]


@pytest.mark.parametrize(("distance", "fits"), [(0.04, True), (0.06, False)])
@pytest.mark.parametrize("rounding", [0.0, 0.5])
def test_a_cue_fits_to_five_hundredths_and_the_rounding(distance: float, rounding: float, *, fits: bool) -> None:
    """One cue lies in its place by itself, and one by the clock of the media: the third, which ends before its place, decides."""
    end = 12.0 - distance - rounding
    listed = [(4.0, 4.5, "a"), (13.0, 13.5, "b"), (end - 0.5, end, "c")]
    segments = [segment(number, [cue], clock=5.0, rounding=rounding if number == 2 else 0.0) for number, cue in enumerate(listed)]
    assert joined(*segments)[0] == ((4.0, 4.5, "a") if fits else (round(end - 5.5, 4), round(end - 5.0, 4), "c"))


@pytest.mark.parametrize(("shift", "expected"), [(8.0, [(0.0, 1.0, "a")]), (9.0, []), (9.5, []), (7.0, [(1.0, 2.0, "a")])])
def test_what_is_shown_before_the_beginning_is_left_out(shift: float, expected: Listed) -> None:
    assert joined(segment(0, [(8.0, 9.0, "a")], clock=shift, zero=0.0)) == expected


def test_of_cues_with_the_same_text_the_last_four_are_compared() -> None:
    alike = [(1.0 + number, 7.0 + number, "a") for number in range(5)]
    assert joined(segment(0, alike), segment(1, alike[1:])) == alike
    assert joined(segment(0, alike), segment(1, alike[:1])) == sorted([*alike, alike[0]])
