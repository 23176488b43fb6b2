"""Tests which segments a clip needs, and where it begins within them."""

import pytest

from transcoder.core.hls.clip import clip_plan
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.output_format import Clip
from transcoder.errors import BadRequestError


def track(kind: TrackKind, *seconds: float, name: str = "") -> Track:
    ats = [sum(seconds[:index]) for index in range(len(seconds))]
    segments = (
        Segment(f"{name}{index}", length, at, None, None, None) for index, (length, at) in enumerate(zip(seconds, ats, strict=True))
    )
    return Track(kind, tuple(segments), sum(seconds))


def plan(*periods: list[Track], size: int | None = None) -> Plan:
    return Plan(tuple(Period(tuple(tracks)) for tracks in periods), 6.0, size)


def segment_urls(plan: Plan) -> list[list[str]]:
    return [[segment.url for track in period.tracks for segment in track.segments] for period in plan.periods]


@pytest.mark.parametrize(
    ("start", "end", "urls", "clip"),
    [
        pytest.param(0, 6, ["0"], Clip(None, 6), id="first segment"),
        pytest.param(0, 6.1, ["0", "1"], Clip(None, 6.1), id="a little of the second segment"),
        pytest.param(6, 12, ["1"], Clip(0.0, 6), id="exactly one segment"),
        pytest.param(5.5, 6, ["0"], Clip(5.5, 0.5), id="within one segment"),
        pytest.param(13, None, ["2"], Clip(1.0, None), id="to the end"),
        pytest.param(1, 99, ["0", "1", "2"], Clip(1.0, None), id="beyond the end"),
    ],
)
def test_keeps_the_segments_that_are_needed(start: float, end: float | None, urls: list[str], clip: Clip) -> None:
    clipped, found = clip_plan(plan([track(TrackKind.BOTH, 6, 6, 6)]), start=start, end=end, exact=False)
    assert segment_urls(clipped) == [urls]
    assert found == clip
    assert clipped.periods[0].tracks[0].segments[0].at == 0


def test_audio_is_kept_from_where_the_video_begins() -> None:
    whole = plan([track(TrackKind.VIDEO, 6, 6, 6, name="v"), track(TrackKind.AUDIO, 4, 4, 4, 4, 2, name="a")])
    clipped, clip = clip_plan(whole, start=7, end=8, exact=False)
    assert segment_urls(clipped) == [["v1", "a1", "a2"]]
    assert clip.start == 1
    assert [one.segments[0].at for one in clipped.periods[0].tracks] == [2, 0]


def test_periods_outside_the_clip_are_dropped() -> None:
    clipped, clip = clip_plan(plan(*([track(TrackKind.BOTH, 6, 6, name=name)] for name in "abc"), size=1800), start=20, end=25, exact=True)
    assert segment_urls(clipped) == [["b1"], ["c0"]]
    assert clip == Clip(2.0, 5.0, exact=True)
    assert clipped.estimated_bytes == 600


def test_a_start_beyond_the_end_is_refused() -> None:
    with pytest.raises(BadRequestError, match=r"start: 18 s is beyond the end of the video, which is 18\.000 s long"):
        clip_plan(plan([track(TrackKind.BOTH, 6, 6, 6)]), start=18, end=None, exact=False)


def test_a_clip_up_to_the_border_of_two_periods_has_nothing_of_the_second_one() -> None:
    periods = [[track(TrackKind.VIDEO, 6, 6, name=f"v{name}"), track(TrackKind.AUDIO, 6, 6, name=f"a{name}")] for name in "xy"]
    for end in (11.5, 12):
        clipped, _ = clip_plan(plan(*periods), start=7, end=end, exact=False)
        assert segment_urls(clipped) == [["vx1", "ax0", "ax1"]]
    clipped, _ = clip_plan(plan(*periods), start=7, end=12.001, exact=False)
    assert segment_urls(clipped) == [["vx1", "ax0", "ax1"], ["vy0", "ay0"]]


@pytest.mark.parametrize(("start", "first"), [(0.2, 0), (1.0, 0), (2.9, 0), (3.0, 18), (3.7, 18)])
def test_audio_is_kept_from_the_beginning_where_the_video_begins_later(start: float, first: int) -> None:
    """Before its first segment there is no other one from which it could be decoded."""
    video = track(TrackKind.VIDEO, 3, 3, name="v")
    video = video._replace(segments=tuple(segment._replace(at=segment.at + 3) for segment in video.segments))
    clipped, clip = clip_plan(plan([video, track(TrackKind.AUDIO, *[0.125] * 72, name="a")]), start=start, end=8, exact=False)
    assert clip.start == pytest.approx(max(0.0, start - 3))
    assert next(segment.url for segment in clipped.periods[0].tracks[1].segments) == f"a{first}"


@pytest.mark.parametrize(("start", "urls"), [(11.999, [["x1"], ["y0"]]), (12, [["y0"]]), (12.5, [["y0"]])])
def test_a_clip_from_the_border_of_two_periods_has_nothing_of_the_first_one(start: float, urls: list[list[str]]) -> None:
    periods = [[track(TrackKind.BOTH, 6, 6, name=name)] for name in "xy"]
    clipped, clip = clip_plan(plan(*periods), start=start, end=18, exact=False)
    assert segment_urls(clipped) == urls
    assert clip.start == pytest.approx(start - (6 if len(urls) > 1 else 12))


def test_a_track_lasts_from_its_first_segment_to_the_end_of_its_last() -> None:
    whole = plan([track(TrackKind.VIDEO, 5, 6, 7, 8, name="v"), track(TrackKind.AUDIO, 4, 5, 6, 7, 4, name="a")])
    clipped, _ = clip_plan(whole, start=11.5, end=17.5, exact=False)
    assert segment_urls(clipped) == [["v2", "a2", "a3"]]
    assert [one.seconds for one in clipped.periods[0].tracks] == [7, 13]


@pytest.mark.parametrize(("end", "last"), [(7.2, "a1"), (7.25, "a1"), (7.3, "a2")])
def test_audio_is_kept_three_quarters_of_a_second_beyond_the_clip(end: float, last: str) -> None:
    whole = plan([track(TrackKind.VIDEO, 4, 4, 4, name="v"), track(TrackKind.AUDIO, 4, 4, 4, name="a")])
    clipped, _ = clip_plan(whole, start=4.0, end=end, exact=False)
    assert segment_urls(clipped)[0] == ["v1", "a0", *["a1", "a2"][: int(last[1])]]


@pytest.mark.parametrize(("seconds", "first"), [(3.24, "a1"), (3.25, "a1"), (3.26, "a0")])
def test_audio_is_kept_from_three_quarters_of_a_second_before_the_video(seconds: float, first: str) -> None:
    whole = plan([track(TrackKind.VIDEO, 4, 4, 4, name="v"), track(TrackKind.AUDIO, seconds, 4, 4, 4, name="a")])
    clipped, _ = clip_plan(whole, start=5.0, end=6.0, exact=False)
    assert next(segment.url for segment in clipped.periods[0].tracks[1].segments) == first


@pytest.mark.parametrize(("start", "end", "size"), [(0, None, 1001), (6, None, 668), (13, 18, 334), (0, 18, 1001), (2, 5, 334)])
def test_the_size_of_a_clip_is_that_of_the_segments_that_are_fetched_rounded_up(start: float, end: float | None, size: int) -> None:
    whole = plan([track(TrackKind.BOTH, 6, 6, 6)], size=1001)
    assert clip_plan(whole, start=start, end=end, exact=False)[0].estimated_bytes == size
    both = plan([track(TrackKind.VIDEO, 6, 6, 6), track(TrackKind.AUDIO, 9, 9)], size=1001)
    assert (clip_plan(both, start=0, end=None, exact=False)[0].estimated_bytes or 0) <= 1001


def test_segments_of_no_time_where_the_clip_begins_are_kept() -> None:
    clipped, _ = clip_plan(plan([track(TrackKind.BOTH, 6, 0, 6)]), start=6, end=7, exact=False)
    assert segment_urls(clipped) == [["1", "2"]]
