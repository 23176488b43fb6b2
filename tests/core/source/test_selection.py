"""Tests what is selected of a plan for a job."""

import pytest

from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job
from transcoder.core.source.selection import select
from transcoder.errors import UnsupportedSourceError


def plan(*kinds: TrackKind) -> Plan:
    tracks = tuple(Track(kind, (Segment("0", 6, 0, None, None, None),), 6) for kind in kinds)
    return Plan((Period(tracks),), 6.0, None)


@pytest.mark.parametrize(
    ("job", "kinds"),
    [
        (Job("", mute=True), [TrackKind.VIDEO]),
        (Job(""), [TrackKind.VIDEO, TrackKind.AUDIO]),
    ],
)
def test_only_the_requested_media_are_fetched(job: Job, kinds: list[TrackKind]) -> None:
    got = select(plan(TrackKind.VIDEO, TrackKind.AUDIO), job)
    assert [one.kind for one in got.periods[0].tracks] == kinds


def test_missing_media_are_refused() -> None:
    with pytest.raises(UnsupportedSourceError, match="The source has no video"):
        select(plan(TrackKind.AUDIO), Job("", mute=True))
