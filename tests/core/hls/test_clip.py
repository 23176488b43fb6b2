"""Which segments a part needs, and where in them it begins."""

import pytest

from transcoder.core.hls.clip import clip_plan
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import Clip
from transcoder.core.source.selection import select
from transcoder.errors import BadRequestError, UnsupportedSourceError


def track(kind: TrackKind, *seconds: float, name: str = "") -> Track:
    ats = [sum(seconds[:number]) for number in range(len(seconds))]
    segments = (
        Segment(f"{name}{number}", length, at, None, None, None) for number, (length, at) in enumerate(zip(seconds, ats, strict=True))
    )
    return Track(kind, tuple(segments), sum(seconds))


def plan(*periods: list[Track], size: int | None = None) -> Plan:
    return Plan(tuple(Period(tuple(tracks)) for tracks in periods), 6.0, size)


def kept(of: Plan) -> list[list[str]]:
    return [[segment.url for track in period.tracks for segment in track.segments] for period in of.periods]


@pytest.mark.parametrize(
    ("start", "end", "urls", "clip"),
    [
        pytest.param(0, 6, ["0"], Clip(None, 6), id="the first"),
        pytest.param(0, 6.1, ["0", "1"], Clip(None, 6.1), id="a little of the second"),
        pytest.param(6, 12, ["1"], Clip(0.0, 6), id="between two begins"),
        pytest.param(5.5, 6, ["0"], Clip(5.5, 0.5), id="short"),
        pytest.param(13, None, ["2"], Clip(1.0, None), id="to the end"),
        pytest.param(1, 99, ["0", "1", "2"], Clip(1.0, None), id="beyond the end"),
    ],
)
def test_keeps_the_segments_that_are_needed(start: float, end: float | None, urls: list[str], clip: Clip) -> None:
    got, where = clip_plan(plan([track(TrackKind.BOTH, 6, 6, 6)]), start=start, end=end, exact=False)
    assert kept(got) == [urls]
    assert where == clip
    assert got.periods[0].tracks[0].segments[0].at == 0


def test_sound_is_kept_from_where_the_picture_begins() -> None:
    of = plan([track(TrackKind.VIDEO, 6, 6, 6, name="v"), track(TrackKind.AUDIO, 4, 4, 4, 4, 2, name="a")])
    got, where = clip_plan(of, start=7, end=8, exact=False)
    assert kept(got) == [["v1", "a1", "a2"]]
    assert where.start == 1
    assert [one.segments[0].at for one in got.periods[0].tracks] == [2, 0]


def test_whole_periods_are_left_out() -> None:
    got, where = clip_plan(plan(*([track(TrackKind.BOTH, 6, 6, name=name)] for name in "abc"), size=1800), start=20, end=25, exact=True)
    assert kept(got) == [["b1"], ["c0"]]
    assert where == Clip(2.0, 5.0, exact=True)
    assert got.estimated_bytes == 600


def test_nothing_begins_beyond_the_end() -> None:
    with pytest.raises(BadRequestError, match=r"start: 18 s lies beyond the end of the film, which is 18\.000 s long"):
        clip_plan(plan([track(TrackKind.BOTH, 6, 6, 6)]), start=18, end=None, exact=False)


@pytest.mark.parametrize(
    ("job", "kinds"),
    [
        (Job("", mute=True), [TrackKind.VIDEO]),
        (Job(""), [TrackKind.VIDEO, TrackKind.AUDIO]),
    ],
)
def test_only_what_is_wanted_is_fetched(job: Job, kinds: list[TrackKind]) -> None:
    got = select(plan([track(TrackKind.VIDEO, 6), track(TrackKind.AUDIO, 6)]), job)
    assert [one.kind for one in got.periods[0].tracks] == kinds


def test_what_is_wanted_must_be_there() -> None:
    with pytest.raises(UnsupportedSourceError, match="The source has no picture"):
        select(plan([track(TrackKind.AUDIO, 6)]), Job("", mute=True))
