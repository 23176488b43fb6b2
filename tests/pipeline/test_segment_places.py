"""Whether a segment belongs in its place, by what the playlist says of it and by the timestamps of those around it."""

from typing import NamedTuple

import pytest

from transcoder.core.hls.plan import Segment
from transcoder.core.media.passed_segment import PassedSegment, SegmentExtent
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.errors import DamagedMediaError, MisplacedMediaError
from transcoder.pipeline.segment_places import SegmentPlaces

SECONDS = 2.0
NO_UNITS = frozenset[int]()


class Located(NamedTuple):
    """A segment of one timeline whose head has been probed."""

    period: int
    segment: Segment
    probe: Probe


def located(number: int, start: float | None, *, period: int = 0, left_out: int = 0, lost: int = 0, codec: str = "h264") -> Located:
    """Return the segment with that number, whose video starts at `start`; before it, `lost` others are not listed any more."""
    listed = Segment(f"http://a.example/{number}.ts", SECONDS, SECONDS * (number - lost), None, None, None, left_out=left_out)
    return Located(period, listed, Probe(Container.MPEGTS, (Stream(Medium.VIDEO, codec, 256, start),)))


def passed(segment: Located, *, seconds: float = SECONDS, guessed: bool = False) -> PassedSegment:
    """Return what a segment brought: video of so many seconds."""
    listed, start = segment.segment, segment.probe.streams[0].start
    assert start is not None
    extents = {Medium.VIDEO: SegmentExtent(round(25 * seconds), start, start + seconds, 0.04)}
    return PassedSegment(listed.at, SECONDS, 0.0, (listed.url, listed.range), (listed.url,), extents, guessed=guessed)


def starts(segment: Located) -> dict[Medium, float]:
    start = segment.probe.streams[0].start
    return {} if start is None else {Medium.VIDEO: start}


def after_a_leap(leap: float, then: Located, *, before: Located, inside: Located) -> None:
    """Let a timeline go on at `then` after one segment, `inside`, that lies `leap` seconds away from it."""
    places = SegmentPlaces()
    places.check_passed(before, passed(before), NO_UNITS)
    places.leave(before, inside, starts(before))
    places.check_passed(inside, passed(inside), NO_UNITS)
    assert abs(starts(inside)[Medium.VIDEO] - starts(before)[Medium.VIDEO]) >= leap
    places.check_next(passed(inside), inside, then, starts(inside))


@pytest.mark.parametrize(
    ("start", "codec", "refused"),
    [
        pytest.param(14.0, "h264", True, id="where it would be without the one between"),
        pytest.param(14.4, "h264", True, id="a little later"),
        pytest.param(13.6, "h264", True, id="a little earlier"),
        pytest.param(14.6, "h264", False, id="too late to continue it"),
        pytest.param(13.4, "h264", False, id="too early to continue it"),
        pytest.param(502.0, "h264", False, id="on the new timeline"),
        pytest.param(None, "h264", False, id="without a time"),
        pytest.param(14.0, "hevc", False, id="of another film"),
    ],
)
def test_a_segment_whose_neighbours_follow_each_other_without_it_is_in_a_wrong_place(
    start: float | None, codec: str, *, refused: bool
) -> None:
    before, inside, then = located(0, 10.0), located(1, 500.0), located(2, start, codec=codec)
    if not refused:
        after_a_leap(400, then, before=before, inside=inside)
        return
    with pytest.raises(MisplacedMediaError, match=r"1\.ts.*the next one continues the one before it"):
        after_a_leap(400, then, before=before, inside=inside)


def test_only_the_segment_directly_after_a_leap_may_be_the_wrong_one() -> None:
    places, first, leapt, next_one = SegmentPlaces(), located(0, 10.0), located(1, 500.0), located(2, 502.0)
    places.leave(first, leapt, starts(first))
    places.check_next(passed(leapt), leapt, next_one, starts(leapt))
    places.check_next(passed(next_one), next_one, located(3, 16.0), starts(next_one))


@pytest.mark.parametrize(("order", "shuffled"), [((0, 1, 2), False), ((0, 2, 1), True), ((2, 1, 0), True), ((1, 0), True)])
def test_segments_that_only_lie_in_another_order_are_refused(order: tuple[int, ...], *, shuffled: bool) -> None:
    places = SegmentPlaces()
    for number in order:
        segment = located(number, 10.0 + SECONDS * number, period=1)
        places.check_passed(segment, passed(segment), NO_UNITS)
    places.check_order(0)  # of another period, nothing is known
    if not shuffled:
        places.check_order(1)
        return
    with pytest.raises(DamagedMediaError, match="in a wrong order"):
        places.check_order(1)


@pytest.mark.parametrize("left_out", [0, 1, 3])
@pytest.mark.parametrize("share", [0.0, 0.49, 0.51, 1.0])
@pytest.mark.parametrize("guessed", [False, True])
def test_names_that_leave_out_segments_are_believed_if_half_of_their_time_is_left_out(
    left_out: int, share: float, *, guessed: bool
) -> None:
    """Where EXTINF has no duration, the media of the segment before says how long that is."""
    seconds = 1.5 if guessed else SECONDS
    before = located(0, 10.0)
    start = 10.0 + seconds + share * max(1, left_out) * SECONDS
    following = located(1 + left_out, start, left_out=left_out, lost=left_out)
    check = SegmentPlaces().check_next
    if share < 0.5 or not left_out:
        check(passed(before, seconds=seconds, guessed=guessed), before, following, starts(before))
        return
    count = "1 segment" if left_out == 1 else "3 segments"
    with pytest.raises(DamagedMediaError, match=f"{left_out + 1}.ts.*The playlist lacks {count}: "):
        check(passed(before, seconds=seconds, guessed=guessed), before, following, starts(before))


@pytest.mark.parametrize(
    ("period", "number", "units", "refused"),
    [
        pytest.param(0, 1, {1, 3}, True, id="a part of the one before"),
        pytest.param(0, 1, {3, 4}, False, id="nothing of it"),
        pytest.param(1, 1, {1, 2}, False, id="another period, whose clock is its own"),
        pytest.param(0, 0, {1, 2}, False, id="the same segment, listed again"),
    ],
)
def test_a_segment_has_no_part_of_the_one_before_it(period: int, number: int, units: set[int], *, refused: bool) -> None:
    places, first, second = SegmentPlaces(), located(0, 10.0), located(number, 12.0, period=period)
    places.check_passed(first, passed(first), frozenset({1, 2}))
    if not refused:
        places.check_passed(second, passed(second), frozenset(units))
        return
    with pytest.raises(MisplacedMediaError, match=r"1\.ts.*it is in this one, too"):
        places.check_passed(second, passed(second), frozenset(units))


def test_a_leap_to_a_time_that_another_segment_had_is_one_to_the_wrong_segment() -> None:
    places = SegmentPlaces()
    for number in range(3):
        segment = located(number, 10.0 + SECONDS * number)
        places.check_passed(segment, passed(segment), NO_UNITS)
    last = located(2, 14.0)
    places.leave(last, located(3, 500.0), starts(last))
    places.leave(last, located(1, 12.0), starts(last))  # the same one may be listed again
    with pytest.raises(MisplacedMediaError, match=r"3\.ts.*the video has had its time before"):
        places.leave(last, located(3, 12.0), starts(last))
