"""How much may lie between two segments, or be in both of them, before a part is missing or doubled."""

import pytest

from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.passed_segment import MAX_REORDERED, NO_EVIDENCE, PassedSegment, SegmentExtent
from transcoder.core.media.segment_sequence import SegmentSequence
from transcoder.core.media.streams import Medium
from transcoder.errors import DamagedMediaError, MisplacedMediaError

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
FRAME = 0.04
Extents = dict[Medium, SegmentExtent]


def evenly(start: float, end: float, *, sample: float = FRAME) -> SegmentExtent:
    return SegmentExtent(round((end - start) / sample), start, end, sample)


def segment(number: int, extents: Extents, *, seconds: float = 2.0, packets: PacketEvidence = NO_EVIDENCE) -> PassedSegment:
    return PassedSegment(seconds * number, seconds, 0.0, (f"{number}.ts",), (number,), extents, packets)


def passed(*segments: PassedSegment) -> SegmentSequence:
    sequence = SegmentSequence()
    for each in segments:
        sequence.add(each)
    return sequence


def is_refused(*segments: PassedSegment) -> bool:
    try:
        passed(*segments)
    except (DamagedMediaError, MisplacedMediaError):
        return True
    return False


def test_a_timeline_names_its_first_segment_and_its_last_one() -> None:
    sequence = SegmentSequence()
    assert (sequence.ends, sequence.shortfall(), sequence.missing_beginning(), sequence.lost_packets()) == ([], 0.0, 0.0, None)
    segments = [segment(number, {VIDEO: evenly(10.0 + 2.0 * number, 12.0 + 2.0 * number)}) for number in range(4)]
    for each in segments:
        sequence.add(each)
        assert sequence.ends == ([segments[0].identity, each.identity] if each is not segments[0] else [each.identity])


@pytest.mark.parametrize(
    ("sample", "hole", "refused"),
    [
        pytest.param(0.04, 0.035, False, id="less than nine tenths of a frame"),
        pytest.param(0.04, 0.037, True, id="a frame, nearly"),
        pytest.param(0.0025, 0.0155, False, id="less than the jitter, for short frames"),
        pytest.param(0.0025, 0.0165, True, id="more than the jitter"),
    ],
)
def test_a_hole_is_as_long_as_a_sample_and_longer_than_the_jitter_of_both_sides(sample: float, hole: float, *, refused: bool) -> None:
    before = {AUDIO: evenly(12.0, 14.0 - hole, sample=sample)}
    others = [segment(number, {AUDIO: evenly(10.0 + 2.0 * number, 12.0 + 2.0 * number, sample=sample)}) for number in (0, 2)]
    assert is_refused(others[0], segment(1, before), others[1]) is refused


@pytest.mark.parametrize(("gap", "refused"), [(0.0, True), (0.003, True), (0.005, False), (1.0, False)])
def test_a_gap_of_the_playlist_explains_a_hole(gap: float, *, refused: bool) -> None:
    first, second = segment(0, {AUDIO: evenly(10.0, 11.0)}), segment(1, {AUDIO: evenly(12.0, 14.0)})
    assert is_refused(first, second._replace(at=2.0 + gap)) is refused


@pytest.mark.parametrize(("hole", "refused"), [(0.1, True), (0.29, True), (0.31, False), (1.0, False)])
@pytest.mark.parametrize("medium", Medium)
def test_a_long_hole_in_one_medium_alone_is_a_pause(medium: Medium, hole: float, *, refused: bool) -> None:
    """Of more than three tenths of a second, while the other medium goes on; by itself a medium does not pause."""
    other = AUDIO if medium is VIDEO else VIDEO
    before, after = {medium: evenly(10.0, 12.0 - hole)}, {medium: evenly(12.0, 14.0)}
    beside = segment(0, {**before, other: evenly(10.0, 12.0)}), segment(1, {**after, other: evenly(12.0, 14.0)})
    assert is_refused(*beside) is refused
    assert is_refused(segment(0, before), segment(1, after))


@pytest.mark.parametrize(("hole", "listed", "refused"), [(0.2, 1.89, False), (0.2, 1.91, True), (0.2, 2.0, True)])
def test_extinf_confirms_a_hole_if_a_segment_lacks_more_than_half_of_it(hole: float, listed: float, *, refused: bool) -> None:
    """Either segment may be the one that lacks it."""
    before, after = evenly(10.0, 12.0 - hole), evenly(12.0, 14.0)
    for first, second in ((listed, 2.0), (1.8, listed + hole)):
        pair = [PassedSegment(0.0, first, 0.0, (0,), (0,), {VIDEO: before}), PassedSegment(first, second, 0.0, (1,), (1,), {VIDEO: after})]
        moved = [each._replace(at=0.0 if each is pair[0] else first) for each in pair]
        assert is_refused(*moved) is refused


@pytest.mark.parametrize(
    ("frames", "packets", "refused"),
    [
        pytest.param(1, PacketEvidence(), True, id="nothing else is known"),
        pytest.param(MAX_REORDERED, PacketEvidence(continued={VIDEO: True}), False, id="a few while the counter goes on"),
        pytest.param(MAX_REORDERED + 1, PacketEvidence(continued={VIDEO: True}), True, id="many while the counter goes on"),
        pytest.param(1, PacketEvidence(continued={VIDEO: False}), True, id="the counter does not go on"),
        pytest.param(3, PacketEvidence(smallest_fragment={VIDEO: 4}), False, id="fewer than a fragment has"),
        pytest.param(4, PacketEvidence(smallest_fragment={VIDEO: 4}), True, id="as many as a fragment has"),
        pytest.param(1, PacketEvidence(continued={VIDEO: True}, unfinished=[VIDEO]), True, id="a packet is not finished"),
    ],
)
def test_a_source_may_drop_a_few_frames_of_video_before_a_border(frames: int, packets: PacketEvidence, *, refused: bool) -> None:
    before = segment(0, {VIDEO: evenly(10.0, 12.0 - frames * FRAME)}, packets=packets)
    after = segment(1, {VIDEO: evenly(12.0, 14.0)}, packets=packets)
    assert is_refused(before, after) is refused
    if packets.smallest_fragment:
        larger = PacketEvidence(smallest_fragment={VIDEO: 50})
        assert is_refused(before._replace(packets=larger), after) is refused
        assert is_refused(before, after._replace(packets=larger)) is refused


def test_audio_may_pause_for_any_number_of_frames_while_the_counter_goes_on() -> None:
    goes_on = PacketEvidence(continued={AUDIO: True})
    segments = [segment(0, {AUDIO: evenly(10.0, 11.0)}, packets=goes_on), segment(1, {AUDIO: evenly(12.0, 14.0)}, packets=goes_on)]
    assert not is_refused(*segments)


@pytest.mark.parametrize(
    ("medium", "frames", "refused"), [(AUDIO, 1, False), (AUDIO, 3, False), (AUDIO, 4, True), (VIDEO, 1, True), (VIDEO, 3, True)]
)
def test_encoders_add_three_frames_of_audio_and_none_of_video(medium: Medium, frames: int, *, refused: bool) -> None:
    for more in (0.0, 0.001, 0.005):
        before, after = evenly(12.0, 14.0 + frames * FRAME), evenly(14.0 + more, 16.0)
        segments = [segment(0, {medium: evenly(10.0, 12.0)}), segment(1, {medium: before}), segment(2, {medium: after})]
        assert is_refused(*segments) is (refused and frames * FRAME - more > 0.9 * FRAME)


@pytest.mark.parametrize(("inexact", "refused"), [(0.0, True), (0.115, True), (0.125, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_overlap_is_doubled_if_a_segment_is_longer_than_extinf_is_inexact(inexact: float, sign: int, *, refused: bool) -> None:
    """Three frames, and four milliseconds of jitter beyond what EXTINF has been inexact by."""
    first = {VIDEO: evenly(10.0 + sign * inexact, 12.0)}
    segments = [segment(0, first), segment(1, {VIDEO: evenly(12.0, 14.12)}), segment(2, {VIDEO: evenly(14.0, 16.0)})]
    assert is_refused(*segments) is refused


@pytest.mark.parametrize(("lacking", "refused"), [(-1, False), (0, False), (1, True), (9, True)])
def test_frames_are_lost_where_a_counter_jumps_inside_a_segment_that_lacks_some(lacking: int, *, refused: bool) -> None:
    video = SegmentExtent(50 - lacking, 10.0, 12.0, FRAME)
    assert is_refused(segment(0, {VIDEO: video}, packets=PacketEvidence(jumped=[VIDEO]))) is refused
    assert not is_refused(segment(0, {VIDEO: video}, packets=PacketEvidence(jumped=[AUDIO])))


def decoded(number: int, *, lacking: int = 0, until: int = 0) -> PassedSegment:
    """Make two seconds of video without some frames, so many of which are the last ones in decode order."""
    start = 10.0 + 2.0 * number
    span = (start - 0.08, start - 0.08 + 1.96 - FRAME * until)
    return segment(number, {VIDEO: SegmentExtent(50 - lacking, start, start + 2.0, FRAME, span)})


@pytest.mark.parametrize(
    ("lacking", "until", "lost"), [(1, 1, True), (4, 4, True), (5, 5, False), (2, 1, False), (1, 2, False), (1, 0, False)]
)
def test_as_many_frames_are_missing_before_a_border_as_the_decode_times_leap(lacking: int, until: int, *, lost: bool) -> None:
    sequence = passed(decoded(0, lacking=lacking, until=until), decoded(1))
    assert sequence.lost_packets() is (VIDEO if lost else None)
    assert sequence.incomplete == ({VIDEO: ("0.ts",)} if lost else {})


@pytest.mark.parametrize(("lacking", "lost"), [(0, True), (1, False), (4, False), (5, True)])
def test_a_source_that_drops_a_few_frames_elsewhere_may_do_so_before_a_border(lacking: int, *, lost: bool) -> None:
    """More are a pause of its own."""
    sequence = passed(decoded(0, lacking=1, until=1), decoded(1, lacking=lacking), decoded(2))
    assert sequence.lost_packets() is (VIDEO if lost else None)


def test_what_may_be_incomplete_is_named_by_the_first_segment_that_is() -> None:
    full = PacketEvidence(full=[AUDIO])
    segments = [segment(number, {AUDIO: evenly(10.0 + 2.0 * number, 12.0 + 2.0 * number)}) for number in range(5)]
    sequence = passed(segments[0], *(each._replace(packets=full) for each in segments[1:3]), *segments[3:])
    assert sequence.incomplete == {AUDIO: ("1.ts",)}


def test_one_medium_does_not_leap_between_the_segments_of_a_timeline() -> None:
    first = segment(0, {VIDEO: evenly(10.0, 12.0), AUDIO: evenly(10.0, 12.0)})
    for video, audio in ((22.0, 12.0), (12.0, 22.0)):
        after = segment(1, {VIDEO: evenly(video, video + 2.0), AUDIO: evenly(audio, audio + 2.0)})
        with pytest.raises(DamagedMediaError, match=r"leap by 10\.000 s between segments"):
            passed(first, after)


@pytest.mark.parametrize(("audio", "message"), [(11.5, "audio run back by 0.500 s between segments"), (12.0, "")])
def test_a_timeline_that_begins_without_a_tag_does_not_contradict_the_one_before_it(audio: float, message: str) -> None:
    """What it begins with is compared once, and not what comes later."""
    before = passed(segment(0, {VIDEO: evenly(10.0, 12.0), AUDIO: evenly(10.0, 12.0)}))
    sequence = SegmentSequence(known=before.known, before=before)
    first = segment(1, {VIDEO: evenly(12.0, 14.0), AUDIO: evenly(audio, 14.0)})._replace(seconds=3.0)
    if message:
        with pytest.raises(DamagedMediaError, match=message):
            sequence.add(first)
    else:
        sequence.add(first)
        assert sequence.before is None
    doubled = segment(1, {VIDEO: evenly(11.5, 14.0), AUDIO: evenly(11.5, 14.0)})
    with pytest.raises(MisplacedMediaError, match=r"starts 0\.500 s before"):
        SegmentSequence(before=passed(segment(0, {VIDEO: evenly(10.0, 12.0)}))).add(doubled)
    SegmentSequence(before=SegmentSequence()).add(doubled)


@pytest.mark.parametrize(("listed", "refused"), [(2.14, True), (2.16, False)])
def test_an_overlap_is_doubled_if_a_segment_is_longer_by_more_than_half_of_it(listed: float, *, refused: bool) -> None:
    overlapping = segment(1, {VIDEO: evenly(12.0, 14.3)})._replace(seconds=listed)
    segments = [segment(0, {VIDEO: evenly(10.0, 12.0)}), overlapping, segment(2, {VIDEO: evenly(14.0, 16.0)})]
    assert is_refused(*segments) is refused
