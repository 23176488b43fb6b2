"""What a probe says of its streams beside those of other segments, and how a segment continues another one."""

import pytest

from transcoder.core.media.passed_segment import PassedSegment, SegmentExtent
from transcoder.core.media.segment_order import SegmentOrder
from transcoder.core.media.streams import Container, Medium, Probe, Stream, TrackKind
from transcoder.core.media.timeline_continuity import continues, reaches_back, same_streams
from transcoder.core.media.timestamps import CLOCK_HZ, WRAP_SECONDS, unwrap

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
PICTURE = Stream(VIDEO, "h264", 1, 10.0, picture_size=(16, 9), decode_start=9.9)
SOUND = Stream(AUDIO, "aac", 2, 10.0, 48_000, 2, decode_start=10.0)


def of(*streams: Stream, container: Container = Container.FMP4) -> Probe:
    return Probe(container, streams)


def test_kinds_of_tracks_and_containers() -> None:
    assert [kind.media for kind in (TrackKind.VIDEO, TrackKind.AUDIO, TrackKind.BOTH)] == [(VIDEO,), (AUDIO,), (VIDEO, AUDIO)]
    packed = {Container.ADTS, Container.MP3, Container.AC3, Container.EAC3}
    assert {container for container in Container if container.is_packed_audio} == packed
    assert {container.value for container in packed} == {"aac", "mp3", "ac3", "eac3"}
    assert [each.value for each in (Container.MPEGTS, Container.FMP4)] == ["mpegts", "mov"]


def test_a_frame_says_what_the_audio_is_as_far_as_it_does() -> None:
    known, unknown = SOUND.of_format("mp2", 44_100, 1), SOUND.of_format("aac_latm", 0, 0)
    assert known == SOUND._replace(codec="mp2", sample_rate=44_100, channels=1)
    assert unknown == SOUND._replace(codec="aac_latm", sample_rate=None, channels=None)


@pytest.mark.parametrize("medium", Medium)
def test_a_stream_whose_start_is_not_known_is_pending(medium: Medium) -> None:
    waiting = [each._replace(start=None) if each.medium is medium else each for each in (PICTURE, SOUND)]
    assert of(*waiting).has_pending_stream
    assert not of(*(each for each in waiting if each.medium is not medium)).has_pending_stream
    assert not of(PICTURE, SOUND).has_pending_stream
    assert not of(*waiting, *(each._replace(id=9) for each in (PICTURE, SOUND))).has_pending_stream
    merged = of(*waiting).merged_with(of(PICTURE._replace(start=20.0), SOUND._replace(start=20.0)))
    assert merged.streams == tuple(each._replace(start=20.0 if each.medium is medium else 10.0) for each in (PICTURE, SOUND))
    others = of(PICTURE._replace(id=7), SOUND._replace(id=8), PICTURE._replace(id=2), SOUND._replace(id=1))
    assert of(*waiting).merged_with(others).streams == tuple(waiting)


def test_the_streams_of_the_output_stay_the_same() -> None:
    other = [PICTURE._replace(id=5), SOUND._replace(id=6)]
    found = of(*other, PICTURE, SOUND).continuing(of(PICTURE, SOUND))
    assert [found.main(medium) for medium in Medium] == [PICTURE, SOUND]
    assert found.preferred == {1, 2}
    assert of(*other).continuing(of(PICTURE)).main(AUDIO) == other[1]


@pytest.mark.parametrize("container", [Container.MPEGTS, Container.FMP4])
def test_a_whole_segment_is_known_to_continue_with_the_streams_of_the_one_before(container: Container) -> None:
    before = of(PICTURE, SOUND, container=container)
    assert before.known_to_continue(before) == before.continuing(before)
    for left in (PICTURE, SOUND):
        alone = of(left, container=container)
        assert alone.known_to_continue(alone)
        assert alone.known_to_continue(before) is None
        assert before.known_to_continue(alone) is None
    assert before.known_to_continue(before._replace(container=Container.ADTS)) is None
    changes = SOUND._replace(id=7), SOUND._replace(start=None), SOUND._replace(codec="mp3"), SOUND._replace(channels=6)
    for changed in (of(PICTURE, sound, container=container) for sound in changes):
        assert changed.known_to_continue(before) is None


@pytest.mark.parametrize(
    ("start", "goes_on"), [(15.51, True), (15.49, False), (16.0, True), (17.99, True), (18.01, False), (16.0 + WRAP_SECONDS, True)]
)
@pytest.mark.parametrize("medium", Medium)
def test_a_segment_begins_half_a_second_before_the_end_or_a_tolerance_after_it(medium: Medium, start: float, *, goes_on: bool) -> None:
    """After what the playlist expects, or the end that came; without an end, the playlist's."""
    after = of((PICTURE if medium is VIDEO else SOUND)._replace(start=start))
    for seconds, ends in ((6.0, {medium: 16.0}), (5.0, {medium: 16.0}), (6.0, {})):
        assert continues({medium: 10.0}, ends, after, seconds=seconds, tolerance=2.0) is goes_on
    late = continues({medium: 10.0}, {medium: 15.4}, after, seconds=6.0, tolerance=2.0)
    assert late is (goes_on or start == 15.49)


def test_the_video_says_whether_a_segment_continues_if_it_can() -> None:
    starts, ends = {VIDEO: 10.0, AUDIO: 10.0}, {VIDEO: 16.0, AUDIO: 16.0}
    right, wrong = 16.0, 60.0
    for video, audio, expected in ((right, wrong, True), (wrong, right, False), (None, wrong, False), (None, right, True)):
        after = of(PICTURE._replace(start=video), SOUND._replace(start=audio))
        assert continues(starts, ends, after, seconds=6.0, tolerance=2.0) is expected
        assert continues({AUDIO: 10.0}, ends, after, seconds=6.0, tolerance=2.0) is (audio == right)
    assert continues({}, {}, of(PICTURE), seconds=6.0, tolerance=2.0)


@pytest.mark.parametrize(
    ("sample", "start", "back"),
    [
        (0.04, 20.0039, True),
        (0.04, 20.0041, False),
        (None, 20.0039, True),
        (None, 20.0041, False),
        (0.0025, 20.0012, True),
        (0.0025, 20.0013, False),
        (0.04, 20.0 + WRAP_SECONDS, True),
        (0.04, 20.1 - WRAP_SECONDS, False),
        (0.04, None, False),
    ],
)
@pytest.mark.parametrize("medium", Medium)
def test_a_segment_is_decoded_after_the_last_sample_by_half_a_sample_or_four_milliseconds(
    medium: Medium, sample: float | None, start: float | None, *, back: bool
) -> None:
    other = AUDIO if medium is VIDEO else VIDEO
    streams = [each._replace(decode_start=start if each.medium is medium else 30.0) for each in (PICTURE, SOUND)]
    known = {medium: sample} if sample else {}
    for last in ({medium: 20.0}, {medium: 20.0, other: 20.0}):
        assert reaches_back(last, of(*streams), sample_seconds=known) is back
    assert not reaches_back({other: 20.0}, of(*streams), sample_seconds=known)


@pytest.mark.parametrize(("overlap", "back"), [(0.029, False), (0.031, True)])
def test_packed_audio_overlaps_by_a_frame_and_three_hundredths(overlap: float, *, back: bool) -> None:
    after = of(SOUND._replace(decode_start=20.0 - overlap), container=Container.MP3)
    assert reaches_back({AUDIO: 20.0}, after, sample_seconds={AUDIO: 0.02}) is back


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        pytest.param([PICTURE, SOUND], [PICTURE, SOUND._replace(id=3)], False, id="another track"),
        pytest.param([PICTURE, SOUND], [PICTURE], True, id="a medium less"),
        pytest.param([PICTURE], [PICTURE, SOUND], False, id="a medium more"),
        pytest.param([SOUND], [SOUND._replace(channels=6)], False, id="more channels of AAC"),
        pytest.param([SOUND], [SOUND._replace(sample_rate=44_100)], False, id="another rate"),
        pytest.param([SOUND._replace(codec="mp3")], [SOUND._replace(codec="mp3", channels=1)], True, id="more channels of MP3"),
        pytest.param([SOUND._replace(codec="mp3")], [SOUND._replace(codec="mp2", channels=1)], False, id="another codec"),
    ],
)
def test_one_process_of_ffmpeg_reads_fragments_of_the_same_tracks(before: list[Stream], after: list[Stream], *, same: bool) -> None:
    assert same_streams(of(*before), of(*after)) is same
    moved = Container.MPEGTS
    assert same_streams(of(*before, container=moved), of(*after, container=moved)) is (same or after[-1].id == 3)


def ordered(*spans: dict[Medium, tuple[float, float]]) -> SegmentOrder:
    order = SegmentOrder()
    for number, each in enumerate(spans):
        extents = {medium: SegmentExtent(100, start, end, 0.02) for medium, (start, end) in each.items()}
        order.add(PassedSegment(4.0 * number, 4.0, 0.0, (number,), (number,), extents))
    return order


@pytest.mark.parametrize(("hole", "shuffled"), [(0.0, True), (0.09, True), (-0.09, True), (0.11, False), (-0.11, False)])
def test_segments_are_shuffled_if_in_order_nothing_lies_between_them(hole: float, *, shuffled: bool) -> None:
    """To a tenth of a second; the video decides, if there is any."""
    assert ordered({AUDIO: (4.0 + hole, 8.0)}, {AUDIO: (0.0, 4.0)}).is_shuffled() is shuffled
    beside = [{VIDEO: (4.0 + hole, 8.0), AUDIO: (50.0, 54.0)}, {AUDIO: (90.0, 94.0), VIDEO: (0.0, 4.0)}]
    assert ordered(*beside).is_shuffled() is shuffled
    assert not ordered({AUDIO: (0.0, 4.0)}, {AUDIO: (4.0 + hole, 8.0)}, {}).is_shuffled()


@pytest.mark.parametrize(("late", "found"), [(0.0009, True), (-0.0009, True), (0.0011, False), (-0.0011, False), (WRAP_SECONDS, True)])
def test_another_segment_begins_at_the_same_millisecond(late: float, *, found: bool) -> None:
    order = ordered({AUDIO: (0.0, 4.0)}, {AUDIO: (4.05, 8.0)}, {AUDIO: (30.0, 34.0)})
    assert order.has_at(4.05 + late, identity=(9,)) is found
    assert not order.has_at(4.05 + late, identity=(1,))
    assert not order.has_at(30.0, identity=(9,))
    assert not ordered({AUDIO: (0.0, 4.0)}).has_at(0.0, identity=(9,))


def test_the_clock_wraps_after_26_hours_and_a_half() -> None:
    assert (CLOCK_HZ, WRAP_SECONDS) == (90_000, 2**33 / 90_000)
    half = WRAP_SECONDS / 2
    assert [unwrap(0.0, half - 1), unwrap(0.0, half + 1), unwrap(0.0, 3 * WRAP_SECONDS)] == [0.0, WRAP_SECONDS, 3 * WRAP_SECONDS]
    assert [unwrap(WRAP_SECONDS, half + 1), unwrap(WRAP_SECONDS, half - 1)] == [WRAP_SECONDS, 0.0]
