"""From how many seconds on a leap of the timestamps is refused, and an overlap of the audio alone."""

import pytest

from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.passed_segment import PassedSegment, SegmentExtent
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamp_leaps import refuse_leap_between, refuse_leap_inside, refuse_lone_overlap
from transcoder.errors import DamagedMediaError

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
FRAME = 0.25


def segment(
    seconds: float, lengths: dict[Medium, float], leaps: dict[Medium, float] | None = None, *, start: float = 10.0, samples: int = 8
) -> PassedSegment:
    """Make a segment whose EXTINF is exact, and whose media last so long."""
    extents = {medium: SegmentExtent(samples, start, start + length, FRAME) for medium, length in lengths.items()}
    return PassedSegment(0.0, seconds, 0.0, (), (), extents, PacketEvidence(leaps=leaps or {}))


def leaps_inside(leaping: PassedSegment) -> bool:
    try:
        refuse_leap_inside(leaping)
    except DamagedMediaError:
        return True
    return False


@pytest.mark.parametrize("lengths", [{AUDIO: 8.0}, {VIDEO: 8.0, AUDIO: 8.0}], ids=["audio", "both"])
@pytest.mark.parametrize(("leap", "refused"), [(0.0, False), (1.0, False), (1.01, True), (1.5, True), (2.0, True)])
def test_all_media_of_a_segment_leap_by_at_most_a_second(lengths: dict[Medium, float], leap: float, *, refused: bool) -> None:
    assert leaps_inside(segment(2.0, lengths, dict.fromkeys(lengths, leap))) is refused


@pytest.mark.parametrize(("listed", "refused"), [(5.9, True), (6.0, False), (6.1, False)])
def test_extinf_includes_a_leap_if_it_has_half_of_it(listed: float, *, refused: bool) -> None:
    """Eight seconds have a leap of four; the shorter medium decides."""
    leaps = {VIDEO: 4.0, AUDIO: 4.0}
    assert leaps_inside(segment(listed, {VIDEO: 8.0, AUDIO: 8.0}, leaps)) is refused
    assert leaps_inside(segment(listed, {VIDEO: 8.0, AUDIO: 8.5}, leaps)) is refused
    assert not leaps_inside(segment(6.5, {VIDEO: 8.0, AUDIO: 8.5}, leaps))


@pytest.mark.parametrize(("length", "refused"), [(0.5, False), (0.7, True)])
def test_a_guess_includes_no_part_of_a_leap(length: float, *, refused: bool) -> None:
    assert leaps_inside(segment(9.0, {AUDIO: length}, {AUDIO: 1.25})._replace(guessed=True)) is refused


@pytest.mark.parametrize("medium", Medium)
@pytest.mark.parametrize(
    ("leap", "refused"), [(1.9, False), (2.0, False), (2.1, True), (4.0, True), (5.9, True), (6.0, False), (7.0, False)]
)
def test_one_medium_of_a_segment_leaps_by_at_most_two_seconds(medium: Medium, leap: float, *, refused: bool) -> None:
    """It is three seconds longer than the other one, and a leap of six has that as its half."""
    other = AUDIO if medium is VIDEO else VIDEO
    assert leaps_inside(segment(2.0, {medium: 5.0, other: 2.0}, {medium: leap})) is refused
    assert leaps_inside(segment(2.0, {medium: 5.0, other: 2.0}, {medium: leap, other: 0.5})) is refused


@pytest.mark.parametrize(("listed", "other", "refused"), [(2.0, 2.0, True), (3.5, 2.0, False), (2.0, 3.5, False), (1.0, 1.0, True)])
def test_a_medium_that_leaps_alone_is_longer_than_extinf_and_the_other_one(listed: float, other: float, *, refused: bool) -> None:
    assert leaps_inside(segment(listed, {VIDEO: 5.0, AUDIO: other}, {VIDEO: 3.0})) is refused


def test_a_leap_is_of_a_medium_that_the_segment_has() -> None:
    assert not leaps_inside(segment(2.0, {AUDIO: 5.0}, {VIDEO: 3.0}))
    assert not leaps_inside(segment(2.0, {}, {VIDEO: 30.0}))
    assert not leaps_inside(segment(2.0, {}))


@pytest.mark.parametrize(
    ("samples", "leap", "frames", "refused"),
    [
        pytest.param(10, 2.0, 10, False, id="two seconds"),
        pytest.param(10, 2.5, 10, True, id="more"),
        pytest.param(9, 60.0, 9, False, id="a minute beside few samples"),
        pytest.param(9, 61.0, 9, True, id="more than a minute"),
        pytest.param(50, 2.5, 52, True, id="two samples fewer"),
        pytest.param(50, 2.5, 48, True, id="two samples more"),
        pytest.param(50, 2.5, 53, False, id="three samples fewer"),
        pytest.param(50, 2.5, 47, False, id="three samples more"),
        pytest.param(50, 60.0, 53, False, id="a minute beside uneven samples"),
        pytest.param(50, 61.0, 53, True, id="more than a minute beside uneven samples"),
    ],
)
def test_pictures_alone_leap_by_a_minute_unless_there_are_many_and_they_are_evenly_spaced(
    samples: int, leap: float, frames: int, *, refused: bool
) -> None:
    video = segment(frames * FRAME, {VIDEO: frames * FRAME + leap}, {VIDEO: leap}, samples=samples)
    assert leaps_inside(video) is refused
    unknown = video._replace(extents={VIDEO: video.extents[VIDEO]._replace(sample_seconds=0.0)})
    assert leaps_inside(unknown) is (leap > 60)


def refuses(check: object, before: PassedSegment, after: PassedSegment) -> bool:
    assert callable(check)
    try:
        check(before, after)
    except DamagedMediaError:
        return True
    return False


@pytest.mark.parametrize(
    ("seconds", "rounding", "leap", "refused"),
    [
        pytest.param((0.5, 0.5), 0.0, 2.0, False, id="two seconds"),
        pytest.param((0.5, 0.5), 0.0, 2.01, True, id="more"),
        pytest.param((2.0, 3.0), 0.0, 5.0, False, id="as long as both"),
        pytest.param((2.0, 3.0), 0.0, 5.01, True, id="longer"),
        pytest.param((2.0, 3.0), 0.5, 6.0, False, id="as long as both may be"),
        pytest.param((2.0, 3.0), 0.5, 6.01, True, id="longer than both may be"),
    ],
)
@pytest.mark.parametrize("other", [0.0, -0.5, 0.25])
@pytest.mark.parametrize("medium", Medium)
def test_the_leap_of_one_medium_between_segments(
    medium: Medium, seconds: tuple[float, float], rounding: float, leap: float, other: float, *, refused: bool
) -> None:
    """What both media leave out is no leap of one; that the other one overlaps makes it no longer."""
    before, after = (segment(each, {VIDEO: each, AUDIO: each}, start=0.0)._replace(rounding=rounding) for each in seconds)
    starts = {each: seconds[0] + (leap + max(0.0, other) if each is medium else other) for each in Medium}
    after = after._replace(extents={each: SegmentExtent(8, start, start + seconds[1], FRAME) for each, start in starts.items()})
    assert refuses(refuse_leap_between, before, after) is refused
    assert not refuses(refuse_leap_between, before, after._replace(extents={medium: after.extents[medium]}))
    assert not refuses(refuse_leap_between, before._replace(extents={medium: before.extents[medium]}), after)


@pytest.mark.parametrize(
    ("audio", "video", "refused"),
    [
        (-0.11, 0.0, False),
        (-0.13, 0.0, True),
        (-1.0, 0.0, True),
        (-0.13, -0.02, False),
        (-0.25, -0.12, True),
        (-0.25, -0.14, False),
        (-0.05, 0.5, False),
        (-0.13, 0.5, True),
        (0.13, 0.0, False),
        (0.1, -0.5, False),
    ],
)
def test_the_audio_alone_overlaps_by_as_much_as_encoders_add(audio: float, video: float, *, refused: bool) -> None:
    before = segment(4.0, {VIDEO: 4.0, AUDIO: 4.0}, start=0.0)
    extents = {VIDEO: SegmentExtent(8, 4.0 + video, 8.0, FRAME), AUDIO: SegmentExtent(8, 4.0 + audio, 8.0, FRAME)}
    assert refuses(refuse_lone_overlap, before, before._replace(extents=extents)) is refused
    for medium, extent in extents.items():
        assert not refuses(refuse_lone_overlap, before, before._replace(extents={medium: extent}))
