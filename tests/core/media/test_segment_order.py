"""A timeline whose segments are in a wrong order is found; a new timeline of the source is something else."""

import pytest

from transcoder.core.media.passed_segment import PassedSegment, SegmentExtent
from transcoder.core.media.segment_order import SegmentOrder
from transcoder.core.media.streams import Medium


def order(*starts: float, seconds: float = 4.0) -> SegmentOrder:
    """Pass segments of equal length that start at these times."""
    found = SegmentOrder()
    for number, start in enumerate(starts):
        extents = {Medium.AUDIO: SegmentExtent(100, start, start + seconds, seconds / 100)}
        found.add(PassedSegment(seconds * number, seconds, 0.0, (number,), (number,), extents))
    return found


@pytest.mark.parametrize(
    "starts",
    [(4.0, 0.0, 8.0), (0.0, 8.0, 4.0), (8.0, 4.0, 0.0), (4.0, 8.0, 0.0), (12.0, 4.0, 8.03, 0.0)],
    ids=["the first two", "the last two", "reversed", "rotated", "the first and the last"],
)
def test_a_timeline_in_another_order_is_shuffled(starts: tuple[float, ...]) -> None:
    assert order(*starts).is_shuffled()


@pytest.mark.parametrize(
    "starts",
    [(), (4.0,), (0.0, 4.0, 8.0), (0.0, 4.0, 0.0, 4.0), (0.0, 4.0, 100.0, 104.0), (100.0, 104.0, 0.0, 4.0), (0.0, 8.0, 20.0)],
    ids=["none", "one", "in order", "the same twice", "a leap forward", "a leap back", "holes"],
)
def test_timelines_of_the_source_are_not(starts: tuple[float, ...]) -> None:
    assert not order(*starts).is_shuffled()


@pytest.mark.parametrize(
    ("start", "identity", "found"),
    [
        pytest.param(4.0, (9,), True, id="the second one's place"),
        pytest.param(4.0009, (9,), True, id="to the millisecond"),
        pytest.param(4.002, (9,), False, id="beside it"),
        pytest.param(4.0, (1,), False, id="the second one, listed twice"),
        pytest.param(0.0, (9,), False, id="where the timeline began"),
        pytest.param(100.0, (9,), False, id="where the second timeline began"),
        pytest.param(104.0, (9,), True, id="the second timeline's second place"),
    ],
)
def test_a_leap_onto_the_place_of_an_earlier_segment_is_found(start: float, identity: tuple[object, ...], *, found: bool) -> None:
    assert order(0.0, 4.0, 8.0, 100.0, 104.0).has_at(start, identity=identity) == found
