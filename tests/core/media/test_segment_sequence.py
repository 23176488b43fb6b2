"""A segment that lost a part, was sent twice or in place of another is found; what real packagers do is not."""

import pytest

from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.passed_segment import NO_EVIDENCE, PassedSegment, SegmentExtent
from transcoder.core.media.segment_sequence import SegmentSequence, fills_two_places
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamp_leaps import refuse_leap_between
from transcoder.errors import UpstreamError

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
FRAME, AUDIO_FRAME = 0.04, 1024 / 48_000
MISSING = "A part of a segment is missing"


def evenly(start: float, end: float, *, sample: float = FRAME) -> SegmentExtent:
    return SegmentExtent(round((end - start) / sample), start, end, sample)


def unevenly(start: float, end: float) -> SegmentExtent:
    return SegmentExtent(20, start, end, 0.5)


def segment(
    number: int, seconds: float, *, at: float | None = None, video: SegmentExtent | None = None, audio: SegmentExtent | None = None
) -> PassedSegment:
    by_medium = {medium: extent for medium, extent in ((VIDEO, video), (AUDIO, audio)) if extent}
    rounding = 0.5 if seconds.is_integer() else 0.005
    return PassedSegment(number * seconds if at is None else at, seconds, rounding, (f"{number}.ts",), (number,), by_medium)


def listed(number: int, seconds: float, extents: dict[str, SegmentExtent]) -> PassedSegment:
    return segment(number, seconds, video=extents.get("video"), audio=extents.get("audio"))


def passed(*segments: PassedSegment) -> SegmentSequence:
    sequence = SegmentSequence()
    for each in segments:
        sequence.add(each)
    return sequence


def pair(before: dict[str, SegmentExtent], after: dict[str, SegmentExtent], *, seconds: float = 4.02) -> SegmentSequence:
    whole = {name: evenly(6, 10.02, sample=extent.sample_seconds) for name, extent in before.items()}
    return passed(*(listed(number, seconds, extents) for number, extents in enumerate([whole, before, after])))


@pytest.mark.parametrize(
    "before",
    [
        pytest.param({"video": evenly(10.02, 12.02), "audio": evenly(10.02, 12.0, sample=AUDIO_FRAME)}, id="half of both media"),
        pytest.param({"video": evenly(10.02, 12.02)}, id="half of a video without audio"),
        pytest.param({"audio": evenly(10.02, 12.0, sample=AUDIO_FRAME)}, id="half of audio alone"),
        pytest.param({"video": evenly(10.02, 14.0)}, id="one frame"),
        pytest.param({"video": evenly(10.02, 14.0), "audio": evenly(10.02, 14.04, sample=AUDIO_FRAME)}, id="one frame of muxed video"),
        pytest.param({"video": SegmentExtent(2, 10.02, 12.02, 1.0)}, id="two of four samples"),
        pytest.param({"video": unevenly(10.02, 12.02), "audio": evenly(10.02, 12.0, sample=AUDIO_FRAME)}, id="uneven video, and the audio"),
    ],
)
def test_a_hole_that_two_witnesses_confirm_is_a_missing_part(before: dict[str, SegmentExtent]) -> None:
    after = {name: evenly(14.04, 18.06, sample=extent.sample_seconds) for name, extent in before.items()}
    with pytest.raises(UpstreamError, match=MISSING):
        pair(before, after)


@pytest.mark.parametrize(
    ("before", "after", "seconds"),
    [
        pytest.param({"video": evenly(10.02, 14.04)}, {"video": evenly(14.04, 18.06)}, 4.02, id="contiguous"),
        pytest.param({"video": unevenly(10.02, 12.02)}, {"video": evenly(14.04, 18.06)}, 4.02, id="the last frame of a slide show stays"),
        pytest.param(
            {"video": evenly(10.02, 12.02), "audio": evenly(10.02, 14.04, sample=AUDIO_FRAME)},
            {"video": evenly(14.04, 18.06), "audio": evenly(14.04, 18.06, sample=AUDIO_FRAME)},
            4.02,
            id="the video stands still while the audio continues",
        ),
        pytest.param(
            {"video": evenly(10.02, 14.04), "audio": evenly(10.02, 12.0, sample=AUDIO_FRAME)},
            {"video": evenly(14.04, 18.06), "audio": evenly(14.04, 18.06, sample=AUDIO_FRAME)},
            4.02,
            id="the audio pauses while the video continues",
        ),
        pytest.param({"audio": evenly(10.02, 14.04, sample=AUDIO_FRAME)}, {"audio": evenly(14.09, 18.1)}, 4.02, id="a gap beside EXTINF"),
        pytest.param({"video": evenly(10.02, 14.04)}, {"audio": evenly(18, 20)}, 4.02, id="no medium in common"),
    ],
)
def test_a_hole_with_one_witness_is_the_sources_own(
    before: dict[str, SegmentExtent], after: dict[str, SegmentExtent], seconds: float
) -> None:
    assert pair(before, after, seconds=seconds).shortfall() == 0


def test_a_gap_in_the_playlist_explains_a_hole() -> None:
    first = segment(0, 4.02, video=evenly(0, 4), audio=evenly(0, 4, sample=AUDIO_FRAME))
    passed(first, segment(2, 4.02, at=8.04, video=evenly(8, 12), audio=evenly(8, 12, sample=AUDIO_FRAME)))


def test_a_body_that_stands_for_two_segments_is_refused() -> None:
    first = segment(0, 4.0, video=evenly(0, 4))
    again = PassedSegment(4.0, 4.0, 0.0005, ("1.ts",), first.fingerprint, first.extents)
    with pytest.raises(UpstreamError, match="sent this segment for an earlier one, too"):
        passed(first, again)
    passed(first, PassedSegment(4.0, 4.0, 0.0005, first.identity, first.fingerprint, first.extents))  # listed twice


@pytest.mark.parametrize(
    ("seconds", "last", "expected"),
    [
        pytest.param((4.04, 4.04, 3.24), {"video": evenly(8.08, 11.32)}, 0.0, id="as long as it should be"),
        pytest.param((4.04, 4.04, 3.24), {"video": evenly(8.08, 9.88)}, 1.44, id="cut"),
        pytest.param((4.04, 4.04, 3.24), {"video": evenly(8.08, 11.28)}, 0.04, id="one frame short"),
        pytest.param((4.0, 4.0, 4.0), {"video": evenly(8.0, 11.6)}, 0.0, id="whole seconds may be rounded"),
        pytest.param((4.0, 4.0, 4.0), {"video": evenly(8.0, 10.0)}, 2.0, id="by more than rounding"),
        pytest.param((4.04, 4.1, 3.24), {"video": evenly(8.08, 11.28)}, 0.0, id="EXTINF has not been exact"),
        pytest.param((4.04,), {}, 0.0, id="a single segment has nothing to compare"),
    ],
)
def test_the_last_segment_is_held_against_extinf(seconds: tuple[float, ...], last: dict[str, SegmentExtent], expected: float) -> None:
    starts = [sum(seconds[:index]) for index in range(len(seconds))]
    exact = [
        evenly(4.04 * index, 4.04 * (index + 1)) if seconds[0] != 4.0 else evenly(4.0 * index, 4.0 * (index + 1)) for index in range(2)
    ]
    extents = [{"video": exact[0]}, {"video": exact[1]}, last][: len(seconds)]
    segments = [segment(index, seconds[index], at=starts[index], video=extents[index].get("video")) for index in range(len(seconds))]
    assert passed(*segments).shortfall() == pytest.approx(expected, abs=0.001)


def slide(number: int, *, audio: float, seconds: float = 5.0) -> PassedSegment:
    """Make a segment of one picture and so many seconds of audio; where pictures are less than 10 s apart, the second shows how long."""
    at, shown = number * seconds, seconds if number and seconds < 10 else 0.0
    video, sound = SegmentExtent(1, at, at + shown, shown), evenly(at, at + audio, sample=AUDIO_FRAME)
    return segment(number, seconds, video=video, audio=sound)._replace(rounding=0.0)


@pytest.mark.parametrize("seconds", [5.0, 12.0])
@pytest.mark.parametrize("audio", [0.5, 1.0, 2.5])
def test_audio_may_be_over_long_before_the_last_segment_ends_as_in_all_before_it(audio: float, seconds: float) -> None:
    slides = [slide(number, audio=audio, seconds=seconds) for number in range(3)]
    assert passed(*slides[:2]).shortfall() == 0
    assert passed(*slides).shortfall() == 0
    assert passed(*slides[:2], slide(2, audio=audio / 2, seconds=seconds)).shortfall() == 0


@pytest.mark.parametrize(("audio", "missing"), [((5.0, 5.0, 3.0), 2.0), ((5.0, 2.0, 1.0), 4.0), ((2.0, 5.0, 2.0), 3.0)])
def test_audio_that_has_lasted_until_the_next_segment_shows_that_the_last_one_is_cut(audio: tuple[float, ...], missing: float) -> None:
    slides = [slide(number, audio=each) for number, each in enumerate(audio)]
    assert passed(*slides).shortfall() == pytest.approx(missing, abs=0.02)


def test_a_gap_in_the_playlist_is_no_pause() -> None:
    segments = [segment(0, 4.0, at=0.0, video=evenly(0, 4)), segment(1, 4.0, at=8.0, video=evenly(8, 10))]
    assert passed(*segments).shortfall() == pytest.approx(2.0)


def test_a_medium_that_begins_late_may_have_a_shorter_last_segment() -> None:
    late = [segment(index, 2.04, video=evenly(0.52 + 2.04 * index, 0.52 + 2.04 * (index + 1))) for index in range(2)]
    audio = [evenly(2.04 * index, 2.04 * (index + 1), sample=AUDIO_FRAME) for index in range(2)]
    both = [
        PassedSegment(each.at, each.seconds, each.rounding, each.identity, each.fingerprint, {**each.extents, AUDIO: audio[index]})
        for index, each in enumerate(late)
    ]
    end = segment(2, 2.04, video=evenly(0.52 + 4.08, 6.12), audio=evenly(4.08, 6.12, sample=AUDIO_FRAME))
    assert passed(*both, end).shortfall() == 0


@pytest.mark.parametrize(
    ("end", "start", "expected"),
    [
        pytest.param(14.0, 14.0, False, id="contiguous"),
        pytest.param(18.0, 14.0, True, id="with its successor"),
        pytest.param(14.3, 14.0, False, id="a small overlap"),
        pytest.param(14.5, 14.0, False, id="half a second"),
        pytest.param(14.51, 14.0, True, id="more than half a second"),
        pytest.param(18.0, 14.5, True, id="with its successor, half a second late"),
        pytest.param(18.0, 14.51, False, id="the next one is elsewhere"),
        pytest.param(14.0, 10.0, False, id="a timeline that restarts"),
        pytest.param(18.0, 1.4, False, id="a long segment before a restart"),
        pytest.param(14.61, 14.1, True, id="a little more than half a second"),
        pytest.param(14.6, 14.1, False, id="half a second"),
        pytest.param(18.0, 14.5, True, id="its successor, half a second late"),
        pytest.param(18.0, 13.5, True, id="its successor, half a second early"),
        pytest.param(18.0, 14.51, False, id="something that begins elsewhere"),
    ],
)
def test_a_segment_that_fills_the_place_of_the_next_one_is_found(end: float, start: float, expected: bool) -> None:  # noqa: FBT001  # a column
    before = segment(0, 4.0, video=evenly(10.0, end))
    assert fills_two_places(before, {VIDEO: start}, at=4.0) is expected


@pytest.mark.parametrize(("late", "expected"), [(0.25, True), (0.27, False)])
def test_the_next_segment_is_in_its_place_to_within_a_quarter_of_a_short_segment(late: float, *, expected: bool) -> None:
    before = segment(0, 1.0, video=evenly(10.0, 12.0))
    assert fills_two_places(before, {VIDEO: 11.0 + late}, at=1.0) is expected


def decoded(number: int, *, samples: int = 50, last: float = 1.96) -> PassedSegment:
    """Make a segment of 2 s of video with 25 frames per second, each shown 80 ms after it is decoded."""
    start = 10 + 2.0 * number
    return segment(number, 2.0, video=SegmentExtent(samples, start, start + 2, FRAME, (start - 0.08, start - 0.08 + last)))


def cut(number: int, missing: int) -> PassedSegment:
    """Make a segment without the frames that are decoded last; the one that is shown last is there."""
    return decoded(number, samples=50 - missing, last=1.96 - FRAME * missing)


def with_packets(segment: PassedSegment, *, continued: bool | None = None, fragment: int | None = None) -> PassedSegment:
    """Return a segment of video whose counters go on or not, or whose smallest fragment has so many samples."""
    goes_on = {} if continued is None else {VIDEO: continued}
    return segment._replace(packets=PacketEvidence(continued=goes_on, smallest_fragment={VIDEO: fragment} if fragment else {}))


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_frames_that_are_missing_at_the_end_in_decode_order_are_found(missing: int) -> None:
    assert passed(cut(0, missing), decoded(1)).lost_packets() is VIDEO
    at_the_end = passed(decoded(0), decoded(1), cut(2, missing))
    assert at_the_end.shortfall() == pytest.approx(FRAME * missing)


SHORT = segment(1, 2.0, video=SegmentExtent(49, 12.0, 14.0 - FRAME, FRAME, (11.92, 13.88 - FRAME)))._replace(rounding=0.0)
"""Two seconds of video without their last frame."""


@pytest.mark.parametrize("second", [cut(1, 1), SHORT], ids=["in decode order", "by itself"])
@pytest.mark.parametrize(
    ("continued", "first", "lost"),
    [
        pytest.param((True, True, True, True), decoded(0), False, id="the counters go on"),
        pytest.param((True, True, False, True), decoded(0), True, id="they go on everywhere else"),
        pytest.param((False, False, True, False), decoded(0), True, id="they go on there by chance"),
        pytest.param((False, False, True, False), decoded(0, samples=49), False, id="by chance, and the source drops frames"),
    ],
)
def test_counters_tell_frames_that_the_source_has_dropped_before_a_border_from_a_loss(
    second: PassedSegment, continued: tuple[bool, ...], first: PassedSegment, *, lost: bool
) -> None:
    segments = [first, second, decoded(2), decoded(3)]
    if not continued[2] and second is SHORT:
        with pytest.raises(UpstreamError, match=r"A part of a segment is missing: 0\.040 s"):
            passed(*(with_packets(each, continued=goes_on) for each, goes_on in zip(segments, continued, strict=True)))
        return
    sequence = passed(*(with_packets(each, continued=goes_on) for each, goes_on in zip(segments, continued, strict=True)))
    assert sequence.lost_packets() is (VIDEO if lost else None)


def test_a_hole_that_is_shorter_than_a_fragment_is_no_lost_fragment() -> None:
    segments = [decoded(0), SHORT, decoded(2)]
    assert passed(*(with_packets(each, fragment=25) for each in segments)).lost_packets() is None
    with pytest.raises(UpstreamError, match=r"A part of a segment is missing: 0\.040 s"):
        passed(*(with_packets(each, fragment=1) for each in segments))


def test_frames_that_the_source_has_dropped_are_not_missing() -> None:
    assert passed(decoded(0, samples=48), decoded(1, samples=49), decoded(2, samples=48)).shortfall() == 0


@pytest.mark.parametrize("last", [1.96, 1.96 - 3 * FRAME])
def test_a_frame_fewer_is_none_lost_if_the_last_one_is_not_decoded_as_much_earlier(last: float) -> None:
    assert passed(decoded(0), decoded(1), decoded(2, samples=49, last=last)).shortfall() == 0


def test_a_few_samples_in_a_cut_segment_are_spaced_as_those_of_the_next_one() -> None:
    before = segment(1, 2.0, video=SegmentExtent(2, 12.0, 12.16, FRAME))
    exact = [segment(number, 2.0, video=evenly(10 + 2 * number, 12 + 2 * number)) for number in range(3)]
    before = PassedSegment(before.at, before.seconds, 0.0005, before.identity, before.fingerprint, before.extents)
    with pytest.raises(UpstreamError, match=MISSING):
        passed(exact[0], before, exact[2])


def test_a_cut_segment_with_a_single_sample_is_found() -> None:
    single = PassedSegment(0.0, 2.0, 0.0005, ("0.ts",), (0,), {VIDEO: SegmentExtent(1, 10.0, 10.0, 0.0)})
    following = PassedSegment(2.0, 2.0, 0.0005, ("1.ts",), (1,), {VIDEO: SegmentExtent(49, 12.0, 14.0, FRAME)})
    with pytest.raises(UpstreamError, match=MISSING):
        passed(single, following)


def test_a_still_picture_may_be_a_segment() -> None:
    first = PassedSegment(0.0, 2.0, 0.0005, ("0.ts",), (0,), {VIDEO: SegmentExtent(1, 10.0, 10.0, 0.0)})
    others = [segment(number, 2.0, video=SegmentExtent(1, 10 + 2.0 * number, 12 + 2.0 * number, 2.0)) for number in (1, 2)]
    assert passed(first, *others).shortfall() == 0


def test_a_segment_whose_beginning_is_missing_is_found() -> None:
    with pytest.raises(UpstreamError, match=f"{MISSING}: 0.160 s"):
        passed(segment(0, 2.04, video=evenly(10.0, 12.04)), segment(1, 2.04, video=evenly(12.2, 14.08)))


@pytest.mark.parametrize(
    ("before", "after", "seconds"),
    [
        pytest.param(
            evenly(10.0, 14.0 + 5 * AUDIO_FRAME, sample=AUDIO_FRAME), evenly(14.0, 18.0, sample=AUDIO_FRAME), 4.0, id="at the end"
        ),
        pytest.param(
            evenly(10.0, 14.0, sample=AUDIO_FRAME), evenly(14.0 - 5 * AUDIO_FRAME, 18.0, sample=AUDIO_FRAME), 4.0, id="at the start"
        ),
        pytest.param(evenly(10.0, 14.2), evenly(14.0, 18.0), 4.0, id="five frames of video"),
    ],
)
def test_frames_of_two_segments_in_one_are_doubled(before: SegmentExtent, after: SegmentExtent, seconds: float) -> None:
    medium = "video" if before.sample_seconds == FRAME else "audio"
    extents = [evenly(6.0, 10.0, sample=before.sample_seconds), before, after]
    exact = [
        PassedSegment(number * seconds, seconds, 0.0005, (f"{number}.ts",), (number,), {Medium(medium): extent})
        for number, extent in enumerate(extents)
    ]
    with pytest.raises(UpstreamError, match="doubled"):
        passed(*exact)


@pytest.mark.parametrize("early", [0.0, 0.01, AUDIO_FRAME, 3 * AUDIO_FRAME])
def test_segments_that_overlap_as_the_playlist_says_are_the_sources_own(early: float) -> None:
    """Each segment begins a frame before the end of the one before it, and EXTINF does not contradict."""
    extents = [
        evenly(6.0, 10.0 + early, sample=AUDIO_FRAME),
        evenly(10.0, 14.0 + early, sample=AUDIO_FRAME),
        evenly(14.0, 18.0, sample=AUDIO_FRAME),
    ]
    passed(*(segment(number, 4.0 + early, at=4.0 * number, audio=extent) for number, extent in enumerate(extents)))


def counted(number: int, end: float, *, continued: bool = True) -> PassedSegment:
    """Return a segment of four seconds in a transport stream whose counters go on, or not, and whose video is whole."""
    extents = {VIDEO: evenly(4.0 * number, 4.0 * number + 4), AUDIO: evenly(4.0 * number, end, sample=AUDIO_FRAME)}
    return PassedSegment(4.0 * number, 4.0, 0.5, (f"{number}.ts",), (number,), extents, PacketEvidence(continued={AUDIO: continued}))


@pytest.mark.parametrize(
    ("continued", "lost"), [((True, True, False, True), AUDIO), ((True, True, True, True), None), ((False, False, False, False), None)]
)
def test_a_hole_in_audio_is_a_loss_where_alone_the_counter_does_not_go_on(continued: tuple[bool, ...], lost: Medium | None) -> None:
    """It is longer than a frame, and EXTINF is rounded: without counters it would be a pause."""
    ends = [4.0, 8.0, 12.0 - 0.34, 16.0, 20.0]
    flags = [True, *continued]
    sequence = passed(*(counted(number, end, continued=flag) for number, (end, flag) in enumerate(zip(ends, flags, strict=True))))
    assert sequence.lost_packets() == lost


@pytest.mark.parametrize("last_frame", [AUDIO_FRAME, AUDIO_FRAME / 2, 0.0007])
def test_the_last_frame_may_be_cut_short_by_its_packager(last_frame: float) -> None:
    whole = [evenly(4.0 * number, 4.0 * number + 4, sample=AUDIO_FRAME) for number in range(3)]
    last = SegmentExtent(1, 12.0, 12.0 + last_frame, last_frame)
    segments = [PassedSegment(4.0 * number, 4.0, 0.0, (number,), (number,), {AUDIO: extent}) for number, extent in enumerate(whole)]
    assert passed(*segments, PassedSegment(12.0, AUDIO_FRAME, 0.0, (3,), (3,), {AUDIO: last})).shortfall() == 0


def test_a_gap_in_the_playlist_explains_why_a_counter_does_not_go_on() -> None:
    before = [counted(number, 4.0 * number + 4) for number in range(3)]
    after = [counted(number, 4.0 * number + 4, continued=number > 4)._replace(at=4.0 * number) for number in (4, 5, 6)]
    assert passed(*before, *after).lost_packets() is None


@pytest.mark.parametrize(
    ("first", "starts", "missing"),
    [
        pytest.param({VIDEO: 11.2, AUDIO: 11.18}, (12.0, 14.0, 16.0), 1.18, id="both media begin later"),
        pytest.param({VIDEO: 11.2, AUDIO: 10.0}, (12.0, 14.0, 16.0), 0.0, id="only the video begins later"),
        pytest.param({VIDEO: 10.0, AUDIO: 11.2}, (12.0, 14.0, 16.0), 0.0, id="only the audio begins later"),
        pytest.param({VIDEO: 11.2}, (12.0, 14.0, 16.0), 1.2, id="there is no audio"),
        pytest.param({VIDEO: 10.04}, (12.0, 14.0, 16.0), 0.0, id="by a frame"),
        pytest.param({VIDEO: 11.2}, (12.0, 14.0), 0.0, id="one other segment"),
        pytest.param({VIDEO: 11.2}, (12.0, 14.7, 16.0), 0.0, id="EXTINF is inexact elsewhere"),
    ],
)
def test_the_beginning_of_the_first_segment_is_held_against_extinf(
    first: dict[Medium, float], starts: tuple[float, ...], missing: float
) -> None:
    assert beginning(first, starts).missing_beginning() == pytest.approx(missing)


def test_a_video_that_begins_without_parameter_sets_lacks_its_beginning_even_if_the_audio_is_whole() -> None:
    evidence = PacketEvidence(headless=[VIDEO])
    found = beginning({VIDEO: 11.2, AUDIO: 10.0}, (12.0, 14.0, 16.0), packets=evidence)
    assert found.missing_beginning() == pytest.approx(1.2)
    whole = beginning({VIDEO: 10.0, AUDIO: 10.0}, (12.0, 14.0, 16.0), packets=evidence)
    assert whole.missing_beginning() == 0


def beginning(first: dict[Medium, float], starts: tuple[float, ...], *, packets: PacketEvidence = NO_EVIDENCE) -> SegmentSequence:
    """Pass segments that should last two seconds: the first one with its own starts and this evidence, the others at `starts`."""
    begins = [first, *(dict.fromkeys(first, start) for start in starts)]
    ends = [*starts, starts[-1] + 2.0]
    segments = [
        PassedSegment(2.0 * number, 2.0, 0.0, (number,), (number,), {medium: evenly(start, end) for medium, start in media.items()})
        for number, (media, end) in enumerate(zip(begins, ends, strict=True))
    ]
    return passed(segments[0]._replace(packets=packets), *segments[1:])


def test_samples_are_as_evenly_spaced_as_in_an_earlier_segment() -> None:
    """Each of two segments has lost a part, and a frame that is shown before its last one."""
    lacking = [SegmentExtent(5, 12.0, 12.28, FRAME), SegmentExtent(5, 14.96, 15.2, FRAME)]
    whole = [segment(0, 2.0, video=evenly(10.0, 12.0)), *(segment(number, 2.0, video=extent) for number, extent in enumerate(lacking, 1))]
    with pytest.raises(UpstreamError, match=r"2\.680 s lie between"):
        passed(*whole)
    passed(*whole[1:])


@pytest.mark.parametrize(
    ("leaps", "seconds", "refused"),
    [
        pytest.param({VIDEO: 10.0, AUDIO: 9.98}, 2.0, True, id="in both media"),
        pytest.param({VIDEO: 10.0, AUDIO: 9.98}, 12.0, False, id="EXTINF includes it"),
        pytest.param({VIDEO: 10.0, AUDIO: 0.0}, 2.0, False, id="a frame stands still while the audio goes on"),
        pytest.param({VIDEO: 0.9, AUDIO: 0.9}, 2.0, False, id="a short pause"),
        pytest.param({}, 2.0, False, id="none is known"),
    ],
)
def test_timestamps_that_leap_inside_a_segment_are_refused(leaps: dict[Medium, float], seconds: float, *, refused: bool) -> None:
    extents = {VIDEO: unevenly(10.0, 22.0), AUDIO: unevenly(10.0, 22.0)}
    leaping = PassedSegment(0.0, seconds, 0.0, (0,), (0,), extents, PacketEvidence(leaps=leaps))
    if refused:
        with pytest.raises(UpstreamError, match=r"leap by 9\.980 s inside a segment of 2\.000 s"):
            passed(leaping)
    else:
        passed(leaping)


@pytest.mark.parametrize("leap", [1.5, 5.0, 30.0])
@pytest.mark.parametrize("number", [0, 1])
def test_audio_alone_does_not_leap(leap: float, number: int) -> None:
    extent = SegmentExtent(94, 10.0, 12.0 + leap, 1024 / 48_000)
    leaping = segment(0, 2.0, audio=extent)._replace(packets=PacketEvidence(leaps={AUDIO: leap}))
    before = [segment(each, 2.0, at=-2.0, audio=evenly(8.0, 10.0)) for each in range(1, 1 + number)]
    with pytest.raises(UpstreamError, match="leap by"):
        passed(*before, leaping)


@pytest.mark.parametrize(("leap", "refused"), [(1.5, False), (5.0, True), (30.0, True)])
def test_evenly_spaced_pictures_do_not_leap_by_seconds(leap: float, *, refused: bool) -> None:
    leaping = segment(0, 2.0, video=SegmentExtent(50, 10.0, 12.0 + leap, FRAME))._replace(packets=PacketEvidence(leaps={VIDEO: leap}))
    unevenly_spaced = leaping._replace(extents={VIDEO: SegmentExtent(8, 10.0, 12.0 + leap, FRAME)})
    passed(unevenly_spaced)
    if refused:
        with pytest.raises(UpstreamError, match="leap by"):
            passed(leaping)
    else:
        passed(leaping)


def unknown(segment: PassedSegment, *, guess: float) -> PassedSegment:
    """Return a segment whose EXTINF has no duration."""
    return segment._replace(seconds=guess, rounding=guess, guessed=True)


def guessed_track(which: int, guess: float, *, last_end: float = 18.0) -> list[PassedSegment]:
    """Return four whole segments of two seconds, one of which has a guessed duration that moves the places of those after it."""
    ends = [12.0, 14.0, 16.0, last_end]
    segments = [
        segment(number, 2.0, at=2.0 * number + (guess - 2.0 if number > which else 0.0), video=evenly(10 + 2.0 * number, end))
        for number, end in enumerate(ends)
    ]
    exact = [each._replace(rounding=0.0005) for each in segments]
    return [unknown(each, guess=guess) if number == which else each for number, each in enumerate(exact)]


@pytest.mark.parametrize("guess", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("which", range(4))
def test_a_wrong_guess_is_no_loss(which: int, guess: float) -> None:
    found = passed(*guessed_track(which, guess))
    assert (found.missing_beginning(), found.shortfall(), found.lost_packets()) == (0, 0, None)


@pytest.mark.parametrize("guess", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("which", range(3))
def test_a_cut_last_segment_is_found_in_spite_of_a_guess_before_it(which: int, guess: float) -> None:
    assert passed(*guessed_track(which, guess, last_end=17.0)).shortfall() == pytest.approx(1.0)


def test_a_last_segment_of_unknown_duration_may_be_short() -> None:
    assert passed(*guessed_track(3, 2.0, last_end=16.4)).shortfall() == 0


@pytest.mark.parametrize("guess", [1.0, 2.0, 10.0])
@pytest.mark.parametrize("which", [1, 2])
def test_a_hole_beside_a_guess_needs_no_second_witness(which: int, guess: float) -> None:
    """The segment before the hole, or that after it, has no duration that would contradict."""
    segments = guessed_track(which, guess)
    with pytest.raises(UpstreamError, match=MISSING):
        passed(segments[0], segments[1]._replace(extents={VIDEO: evenly(12.0, 13.0)}), *segments[2:])


def test_segments_of_unknown_duration_may_overlap() -> None:
    first, second = segment(0, 2.0, video=evenly(10.0, 12.2)), segment(1, 2.0, at=2.0, video=evenly(12.0, 14.2))
    for guess in (1.0, 2.0, 10.0):
        passed(unknown(first, guess=guess), unknown(second, guess=guess))
        passed(first._replace(seconds=2.2), unknown(second, guess=guess))


def test_a_guess_includes_no_leap() -> None:
    extents = {VIDEO: unevenly(10.0, 22.0), AUDIO: unevenly(10.0, 22.0)}
    leaping = PassedSegment(0.0, 12.0, 12.0, (0,), (0,), extents, PacketEvidence(leaps={VIDEO: 10.0, AUDIO: 10.0}), guessed=True)
    with pytest.raises(UpstreamError, match="leap by"):
        passed(leaping)


def test_of_a_guessed_first_segment_no_beginning_is_missing() -> None:
    exact = guessed_track(0, 10.0)
    assert (
        passed(*exact, exact[3]._replace(at=16.0, identity=(4,), fingerprint=(4,), extents={VIDEO: evenly(18.0, 20.0)})).missing_beginning()
        == 0
    )


@pytest.mark.parametrize("leap", [5.1, 30.0, -1.0, 4.9])
@pytest.mark.parametrize("medium", Medium)
def test_one_medium_alone_does_not_leap_between_segments_by_more_than_both_last(medium: Medium, leap: float) -> None:
    """Two segments last 2 s each; EXTINF rounds that to half a second."""
    other = next(each for each in Medium if each is not medium)
    before = segment(0, 2.0, video=evenly(10.0, 12.0), audio=evenly(10.0, 12.0))
    after = before._replace(at=2.0, extents={medium: evenly(12.0 + leap, 14.0 + leap), other: evenly(12.0, 14.0)})
    if leap > 5:
        with pytest.raises(UpstreamError, match=rf"The timestamps of the {medium.value} leap by {leap:.3f} s between segments, and no"):
            refuse_leap_between(before, after)
    else:
        refuse_leap_between(before, after)
        refuse_leap_between(before, after._replace(extents={medium: evenly(42.0, 44.0), other: evenly(42.0, 44.0)}))
        refuse_leap_between(before, after._replace(extents={medium: evenly(42.0, 44.0)}))


@pytest.mark.parametrize(("rounding", "refused"), [(0.5, True), (1.0, False), (1.5, False)])
def test_a_duration_may_include_a_leap_to_within_its_rounding(rounding: float, *, refused: bool) -> None:
    """Twelve seconds have a leap of ten. A duration includes the leap if it has at least half of it, which makes seven seconds."""
    leaping = segment(0, 6.0, video=evenly(10.0, 22.0), audio=evenly(10.0, 22.0))
    leaping = leaping._replace(rounding=rounding, packets=PacketEvidence(leaps={VIDEO: 10.0, AUDIO: 10.0}))
    if refused:
        with pytest.raises(UpstreamError, match="leap by"):
            passed(leaping)
    else:
        passed(leaping)
