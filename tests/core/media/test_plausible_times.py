"""By how many seconds the times of a whole segment may differ from the playlist before it is fetched again."""

import pytest

from transcoder.core.media.segment_look import Oddity, SegmentLook
from transcoder.core.media.segment_plausibility import ListedPlace, SegmentPlausibility
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import WRAP_SECONDS

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
Spans = dict[Medium, tuple[float, float]]


def look(spans: Spans, *oddities: Oddity, is_timed: bool = True) -> SegmentLook:
    return SegmentLook(spans, is_timed, frozenset(oddities))


def both(start: float, end: float, *, audio_start: float = 0.0, audio_end: float = 0.0) -> Spans:
    return {VIDEO: (start, end), AUDIO: (start + audio_start, end + audio_end)}


def after(*spans: Spans, seconds: float = 2.0) -> SegmentPlausibility:
    """Return a check that has accepted segments with these times, one after another."""
    check = SegmentPlausibility()
    for number, each in enumerate(spans):
        assert check.accepts(look(each), ListedPlace(number * seconds, seconds))
    return check


EXACT = both(10.0, 12.0), both(12.0, 14.0)
THIRD = ListedPlace(4.0, 2.0)


@pytest.mark.parametrize("medium", Medium)
@pytest.mark.parametrize(("more", "accepted"), [(-0.49, True), (-0.51, False), (0.49, True), (0.51, False)])
def test_a_first_segment_differs_by_a_quarter_of_its_duration(medium: Medium, more: float, *, accepted: bool) -> None:
    check = SegmentPlausibility()
    assert check.accepts(look({medium: (10.0, 12.0 + more)}), ListedPlace(0.0, 2.0)) is accepted
    assert not check.doubts_only


@pytest.mark.parametrize("medium", Medium)
@pytest.mark.parametrize("rounding", [0.0, 0.25])
@pytest.mark.parametrize(("more", "accepted"), [(0.015, True), (0.017, False)])
def test_after_exact_ones_a_medium_by_itself_differs_by_less_than_a_frame(
    medium: Medium, rounding: float, more: float, *, accepted: bool
) -> None:
    """Beyond what EXTINF is rounded by."""
    exact = [{medium: (start, start + 2.0)} for start in (10.0, 12.0)]
    place = ListedPlace(4.0, 2.0, rounding)
    for sign in (1, -1):
        assert after(*exact).accepts(look({medium: (14.0, 16.0 + sign * (rounding + more))}), place) is accepted


@pytest.mark.parametrize(
    ("third", "accepted"),
    [
        pytest.param(both(14.0, 16.015), True, id="less than a frame longer"),
        pytest.param(both(14.0, 16.017), False, id="longer"),
        pytest.param(both(14.0, 15.985), True, id="less than a frame shorter"),
        pytest.param(both(14.0, 15.983), False, id="shorter"),
        pytest.param(both(14.0, 16.0, audio_end=-0.049), True, id="a frame of audio less"),
        pytest.param(both(14.0, 16.0, audio_end=-0.051), False, id="less audio"),
        pytest.param(both(14.0, 16.0, audio_start=0.049), True, id="audio that begins a frame later"),
        pytest.param(both(14.0, 16.0, audio_end=0.029), True, id="a little more audio"),
        pytest.param(both(14.0, 16.0, audio_end=0.031), False, id="more audio"),
        pytest.param(both(14.0, 16.0, audio_start=-0.014, audio_end=0.014), True, id="audio that is longer on both sides"),
        pytest.param(both(14.029, 16.029), True, id="moved a little"),
        pytest.param(both(14.031, 16.031), False, id="moved"),
        pytest.param(both(13.971, 15.971), True, id="moved back a little"),
        pytest.param(both(13.969, 15.969), False, id="moved back"),
        pytest.param(both(14.0 - WRAP_SECONDS, 16.0 - WRAP_SECONDS), True, id="after the clock has wrapped"),
        pytest.param({}, False, id="no times"),
    ],
)
def test_after_exact_segments_of_video_and_audio(third: Spans, *, accepted: bool) -> None:
    assert after(*EXACT).accepts(look(third), THIRD) is accepted


@pytest.mark.parametrize(("more", "accepted"), [(0.149, True), (0.151, False)])
def test_audio_may_be_a_few_frames_longer_where_the_video_is_moved_beside_it(more: float, *, accepted: bool) -> None:
    """In the second segment one of both was 0.06 s earlier, which allows three times as much for both together."""
    moved = {VIDEO: (12.06, 14.06), AUDIO: (12.0, 14.0)}
    assert after(EXACT[0], moved).accepts(look(both(14.0, 16.0, audio_end=more)), THIRD) is accepted


@pytest.mark.parametrize("error", [0.1, -0.1])
@pytest.mark.parametrize(("more", "accepted"), [(0.31, True), (0.32, False), (-0.31, True), (-0.32, False)])
def test_a_segment_differs_three_times_as_much_as_those_before_it(error: float, more: float, *, accepted: bool) -> None:
    """The greatest error counts, but for that of the first segment once there is another one."""
    spans = [(10.0, 12.0 + error), (12.0, 14.0 + error), (14.0, 16.0)]
    check = after(*({VIDEO: each} for each in spans))
    assert check.accepts(look({VIDEO: (16.0, 18.0 + more)}), ListedPlace(6.0, 2.0)) is accepted
    check = after({VIDEO: (10.0, 12.0 + error)}, {VIDEO: (12.0, 14.0)})
    assert not check.accepts(look({VIDEO: (14.0, 16.0 + more)}), THIRD)


@pytest.mark.parametrize(("move", "accepted"), [(0.09, True), (0.11, False)])
def test_a_place_moves_three_times_as_much_as_those_before_it(move: float, *, accepted: bool) -> None:
    check = after(*({VIDEO: (start, start + 2.0)} for start in (10.0, 12.0, 14.028)))
    assert check.accepts(look({VIDEO: (16.0 + move, 18.0 + move)}), ListedPlace(6.0, 2.0)) is accepted


@pytest.mark.parametrize("first", [0.0, 100.0, 60_000.0])
@pytest.mark.parametrize(("move", "accepted"), [(0.0, True), (0.04, False), (-0.04, False)])
def test_a_track_has_one_origin_wherever_its_first_segment_lies(first: float, move: float, *, accepted: bool) -> None:
    """It may be so long that the clock wraps."""
    check = SegmentPlausibility()
    assert check.accepts(look({VIDEO: (10.0, 12.0)}), ListedPlace(first, 2.0))
    assert check.accepts(look({VIDEO: (12.0, 14.0)}), ListedPlace(first + 2.0, 2.0))
    for at in (4.0, 60_000.0):
        assert check.accepts(look({VIDEO: (10.0 + at + move, 12.0 + at + move)}), ListedPlace(first + at, 2.0)) is accepted


@pytest.mark.parametrize(
    ("at", "rounding", "move", "accepted"),
    [
        (4.0, 0.1, 0.329, True),
        (4.0, 0.1, 0.331, False),
        (4.0, 0.5, 1.029, True),
        (4.0, 0.5, 1.031, False),
        (0.0, 0.1, 0.129, True),
        (0.0, 0.1, 0.131, False),
    ],
)
def test_rounded_durations_add_up_to_half_a_segment(at: float, rounding: float, move: float, *, accepted: bool) -> None:
    spans = {VIDEO: (10.0 + at + move, 12.0 + at + move)}
    assert after(*EXACT).accepts(look(spans), ListedPlace(at, 2.0, rounding)) is accepted


def test_a_segment_without_duration_has_a_place_all_the_same() -> None:
    assert after(*EXACT).accepts(look({VIDEO: (14.0, 14.015)}), ListedPlace(4.0, 0.0, 5.0))
    assert not after(*EXACT).accepts(look({VIDEO: (14.1, 14.1)}), ListedPlace(4.0, 0.0, 0.0))


@pytest.mark.parametrize(("more", "accepted"), [(0.25, True), (0.251, False), (-0.02, False), (0.0, True)])
def test_a_last_segment_is_a_quarter_of_a_second_longer(more: float, *, accepted: bool) -> None:
    """Then it teaches nothing about how exact the playlist is."""
    for spans in ({VIDEO: (14.0, 16.0 + more)}, both(14.0, 16.0 + more)):
        exact = [{medium: each[medium] for medium in spans} for each in EXACT]
        check = after(*exact)
        assert check.accepts(look(spans), ListedPlace(4.0, 2.0, is_last=True)) is accepted
        assert check.accepts(look(dict.fromkeys(spans, (16.0, 18.02))), ListedPlace(6.0, 2.0)) is False
        assert check.accepts(look(dict.fromkeys(spans, (16.0, 18.01))), ListedPlace(6.0, 2.0))


@pytest.mark.parametrize(
    ("second", "at", "doubted"),
    [
        pytest.param(both(12.0, 14.0), 2.0, False, id="in order"),
        pytest.param(both(12.029, 14.0), 2.0, False, id="after a little hole"),
        pytest.param(both(12.031, 14.0), 2.0, True, id="after a hole"),
        pytest.param(both(11.969, 14.0), 2.0, True, id="with an overlap"),
        pytest.param(both(12.0, 14.0, audio_start=0.031), 2.0, True, id="after a hole in the audio"),
        pytest.param({AUDIO: (12.0, 14.0)}, 2.0, False, id="audio alone"),
        pytest.param(both(12.5, 14.5), 2.5, False, id="not the next one, in its place"),
        pytest.param(both(12.5, 14.5), 2.029, True, id="the next one, as far as that is known"),
        pytest.param(both(13.49, 15.49), 2.5, False, id="half a segment away from its place"),
        pytest.param(both(13.51, 15.51), 2.5, True, id="farther away from its place"),
        pytest.param(both(12.0 + WRAP_SECONDS, 14.0 + WRAP_SECONDS), 2.0, False, id="after the clock has wrapped"),
    ],
)
def test_either_of_two_may_be_wrong_if_they_do_not_follow_each_other(second: Spans, at: float, *, doubted: bool) -> None:
    check = after(EXACT[0])
    check.accepts(look(second), ListedPlace(at, 2.0))
    assert check.doubts_only is doubted
    check.accepts(None, ListedPlace(at, 2.0))
    assert not check.doubts_only
    later = after(*EXACT)
    later.accepts(look(second), ListedPlace(at, 2.0))
    assert not later.doubts_only


@pytest.mark.parametrize("oddity", Oddity)
def test_an_oddity_is_believed_of_all_segments_once_it_is_believed_of_one(oddity: Oddity) -> None:
    other = next(each for each in Oddity if each is not oddity)
    for shown, told in ((look(EXACT[0], oddity), ()), (look(EXACT[0]), (oddity,))):
        check = SegmentPlausibility()
        assert not check.accepts(shown, ListedPlace(0.0, 2.0), told)
        assert check.accepts(look(EXACT[0]), ListedPlace(0.0, 2.0))
        assert not check.accepts(shown, ListedPlace(0.0, 2.0), told)
        check.believe()
        assert check.accepts(shown, ListedPlace(0.0, 2.0), told)
        assert not check.accepts(look(EXACT[0], other), ListedPlace(0.0, 2.0), told)


def test_what_is_damaged_is_not_accepted_and_its_oddities_are_those_that_are_told() -> None:
    check = SegmentPlausibility()
    assert not check.accepts(None, ListedPlace(0.0, 2.0), [Oddity.UNPADDED])
    check.believe()
    assert check.accepts(look(EXACT[0], Oddity.UNPADDED), ListedPlace(0.0, 2.0))
    assert check.accepts(look({}, is_timed=False), ListedPlace(0.0, 2.0))
    assert not check.accepts(look({}), ListedPlace(0.0, 2.0))


def test_what_is_believed_moves_the_places_and_widens_the_tolerance() -> None:
    check = after(*EXACT)
    assert not check.accepts(look(both(30.0, 32.1)), THIRD)
    check.believe()
    assert check.accepts(look(both(30.0, 32.1)), THIRD)
    assert check.accepts(look(both(32.0, 34.31)), ListedPlace(6.0, 2.0))
    assert not check.accepts(look(both(34.0, 36.0)), ListedPlace(4.0, 2.0))
    check.believe()
    assert not check.doubts_only
    check.believe()
    assert check.accepts(look(both(34.0, 36.0)), ListedPlace(4.0, 2.0))


@pytest.mark.parametrize("before", [(), EXACT[:1], EXACT])
def test_after_one_is_believed_no_later_one_doubts_those_before_it(before: tuple[Spans, ...]) -> None:
    check = after(*before)
    assert not check.accepts(look(both(30.0, 39.0)), THIRD)
    check.believe()
    assert check.accepts(look(both(34.0, 36.0)), ListedPlace(8.0, 2.0))
    check.accepts(look(both(50.0, 52.0)), ListedPlace(10.0, 2.0))
    assert not check.doubts_only
