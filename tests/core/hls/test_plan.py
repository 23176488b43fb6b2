"""What a plan says of itself: durations, when its periods begin, its main track, and its segments of one kind."""

import pytest

from transcoder.core.hls.late_audio import begin_audio_at
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.output_format import Clip, OutputFormat

VIDEO, AUDIO, BOTH = TrackKind.VIDEO, TrackKind.AUDIO, TrackKind.BOTH


def track(kind: TrackKind, name: str, *seconds: float, rounding: float = 0.0) -> Track:
    """Make a track of segments that follow each other; the odd ones have guessed durations if there is a rounding."""
    segments = tuple(
        Segment(f"{name}{index}", length, sum(seconds[:index]), None, None, None, rounding, guessed=bool(rounding and index % 2))
        for index, length in enumerate(seconds)
    )
    return Track(kind, segments, sum(seconds))


FIRST = Period((track(AUDIO, "a", 4, 4, 3), track(VIDEO, "v", 5, 5)))
SECOND = Period((track(BOTH, "b", 2, 3),))
THIRD = Period((track(AUDIO, "c", 1, 1),))
PLAN = Plan((FIRST, SECOND, THIRD), 5.0, None)


def test_a_period_lasts_as_long_as_its_longest_track() -> None:
    assert PLAN.period_times() == [0, 11, 16, 18]
    assert (FIRST.seconds, PLAN.seconds, Plan((), 0.0, None).seconds) == (11, 18, 0)


def test_the_main_track_has_the_video_if_there_is_any() -> None:
    assert [period.main_track.kind for period in PLAN.periods] == [VIDEO, BOTH, AUDIO]
    assert Period(tuple(reversed(FIRST.tracks))).main_track.kind is VIDEO


@pytest.mark.parametrize(
    ("clip", "seconds"),
    [(None, 18), (Clip(2.0, 7.5), 7.5), (Clip(2.0, 0.0), 0.0), (Clip(2.0, None), 15), (Clip(None, None), 17), (Clip(None, 3.0), 3.0)],
)
def test_the_output_lasts_as_long_as_the_clip_or_from_its_start_in_the_video_to_the_end(clip: Clip | None, seconds: float) -> None:
    assert PLAN._replace(output_format=OutputFormat(clip=clip)).output_seconds == seconds


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (VIDEO, [(0, "v0", 0), (0, "v1", 5)]),
        (AUDIO, [(0, "a0", 0), (0, "a1", 4), (0, "a2", 8), (2, "c0", 16), (2, "c1", 17)]),
        (BOTH, [(1, "b0", 11), (1, "b1", 13)]),
    ],
)
def test_the_segments_of_a_kind_are_listed_with_their_times_in_the_plan(kind: TrackKind, found: list[tuple[int, str, float]]) -> None:
    assert [(index, segment.url, segment.at) for index, segment in PLAN.segments_of(kind)] == found


def test_only_what_is_guessed_may_be_wrong_by_its_rounding() -> None:
    guessed = track(BOTH, "g", 4, 4, 4, 4, rounding=5.0)
    assert [segment.guessed_seconds for segment in guessed.segments] == [0.0, 5.0, 0.0, 5.0]
    assert (guessed.guessed_seconds, track(BOTH, "g", 4).guessed_seconds) == (10.0, 0.0)


def described(plan: Plan) -> list[tuple[float, list[tuple[str, float]]]]:
    return [(one.seconds, [(segment.url, segment.at) for segment in one.segments]) for period in plan.periods for one in period.tracks]


@pytest.mark.parametrize(
    ("kind", "shares", "period", "is_silent_before"),
    [
        (BOTH, False, 0, True),
        (VIDEO, False, 1, True),
        (AUDIO, False, 0, False),
        (AUDIO, True, 0, False),
        (AUDIO, False, 1, False),
        (AUDIO, True, 1, True),
    ],
)
def test_a_period_is_split_where_its_audio_begins(kind: TrackKind, shares: bool, period: int, is_silent_before: bool) -> None:  # noqa: FBT001 - columns
    other, split = Period((track(kind, "o", 1),)), track(kind, "s", 2, 3, 4, 5)._replace(shares_segments=shares)
    periods = [other, other, other]
    periods[period] = Period((split,))
    found = begin_audio_at(Plan(tuple(periods), 5.0, None), period, 2)
    silent, loud, alone = (5, [("s0", 0), ("s1", 2)]), (9, [("s2", 0), ("s3", 4)]), (1, [("o0", 0)])
    here = [silent, loud] if is_silent_before else [loud]
    assert described(found) == [alone] * period + here + [alone] * (2 - period)
    assert {one.shares_segments for one in found.periods[period].tracks} == {shares}


def test_a_first_segment_may_begin_later_than_its_period() -> None:
    """The audio of a period may begin with a gap."""
    late = track(BOTH, "s", 2, 3, 4)
    late = late._replace(segments=tuple(segment._replace(at=segment.at + 1) for segment in late.segments))
    found = begin_audio_at(Plan((Period((late,)),), 5.0, None), 0, 1)
    assert described(found) == [(2, [("s0", 1)]), (7, [("s1", 0), ("s2", 3)])]


def test_what_is_not_said_of_a_plan_is_exact_whole_and_not_known() -> None:
    segment = Segment("u", 1.0, 0.0, None, None, None)
    assert (segment.rounding, segment.left_out, segment.guessed, Track(VIDEO, (segment,), 1.0).shares_segments) == (0.0, 0, False, False)
    made = Plan((), 0.0, None)
    assert (made.names_audio, made.resolution, made.other_resolutions, made.recorded) == (False, None, frozenset(), None)
