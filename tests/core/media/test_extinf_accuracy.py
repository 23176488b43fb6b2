"""From how much on a first or a last segment falls short of EXTINF, by how exact EXTINF has been."""

from itertools import accumulate, pairwise

import pytest

from transcoder.core.media.extinf_accuracy import ExtinfAccuracy
from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.passed_segment import PassedSegment, SegmentExtent
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import WRAP_SECONDS

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
SAMPLE = 0.02
Extents = dict[Medium, SegmentExtent]


def extent(start: float, end: float, *, sample: float = SAMPLE, samples: int | None = None) -> SegmentExtent:
    return SegmentExtent(round((end - start) / (sample or SAMPLE)) if samples is None else samples, start, end, sample)


def segment(at: float, seconds: float, extents: Extents, *, rounding: float = 0.0, guessed: bool = False) -> PassedSegment:
    return PassedSegment(at, seconds, rounding, (), (), extents, guessed=guessed)


def measured(*segments: PassedSegment) -> tuple[ExtinfAccuracy, PassedSegment]:
    """Compare segments with each other, and return the last one, too."""
    accuracy = ExtinfAccuracy()
    accuracy.begin(segments[0])
    for before, after in pairwise(segments):
        accuracy.begin(before)
        accuracy.measure(before, after)
    return accuracy, segments[-1]


def shortfall(*segments: PassedSegment) -> float:
    accuracy, last = measured(*segments)
    return accuracy.shortfall(last)


def track(
    *ends: float, media: tuple[Medium, ...] = (AUDIO,), sample: float = SAMPLE, rounding: float = 0.0, first: float = 100.0
) -> list[PassedSegment]:
    """Return segments of two seconds that begin where EXTINF says; each medium of the last one ends that much too early."""
    number = 2
    whole = [
        segment(2.0 * index, 2.0, {each: extent(first + 2.0 * index, first + 2.0 * index + 2.0, sample=sample) for each in media})
        for index in range(number)
    ]
    start = first + 2.0 * number
    last = {each: extent(start, start + 2.0 - end, sample=sample) for each, end in zip(media, ends, strict=True)}
    return [each._replace(rounding=rounding) for each in (*whole, segment(2.0 * number, 2.0, last))]


@pytest.mark.parametrize("wraps", [0, 1])
@pytest.mark.parametrize(("rounding", "least"), [(0.0, 0.016), (0.005, 0.021), (0.5, 0.516)])
def test_a_last_segment_is_short_from_six_tenths_of_a_sample_on(rounding: float, least: float, wraps: int) -> None:
    """Beyond what EXTINF is rounded by, and four milliseconds of jitter."""
    ends = track(least - 0.0005, rounding=rounding), track(least + 0.0005, rounding=rounding)
    for segments in ends:
        moved = {AUDIO: segments[2].extents[AUDIO]._replace(start=104.0 - wraps * WRAP_SECONDS)}
        moved[AUDIO] = moved[AUDIO]._replace(end=segments[2].extents[AUDIO].end - wraps * WRAP_SECONDS)
        segments[2] = segments[2]._replace(extents=moved)
    accuracy, _ = measured(*track(0.0, rounding=rounding))
    assert accuracy.shortfall(ends[0][2]) == 0
    assert accuracy.shortfall(ends[1][2]) == pytest.approx(least + 0.0005)


@pytest.mark.parametrize(("late", "short", "found"), [(0.3, 0.31, False), (0.3, 0.33, True), (-0.3, 0.31, False), (-0.3, 0.33, True)])
def test_extinf_may_be_as_wrong_about_the_last_segment_as_it_has_been(late: float, short: float, *, found: bool) -> None:
    """The greatest error counts, whichever segment had it."""
    first, second, last = track(short)
    other = segment(2.0, 2.0, {AUDIO: extent(102.0 + late, 104.0)})
    for segments in ([first, other, last], [first, other, second, last]):
        moved = [each._replace(at=2.0 * number) for number, each in enumerate(segments)]
        if len(moved) > 3:
            moved[2:] = [each._replace(extents={AUDIO: extent(100.0 + each.at, 102.0 + each.at)}) for each in moved[2:]]
            moved[3] = moved[3]._replace(extents={AUDIO: extent(106.0, 108.0 - short)})
        assert shortfall(*moved) == (pytest.approx(short) if found else 0)


@pytest.mark.parametrize(("rounding", "missing"), [(0.0, 1.0), (0.015, 1.0), (0.0195, 1.0), (0.021, 0.5)])
def test_a_medium_that_extinf_is_exact_about_to_half_a_sample_speaks_for_itself(rounding: float, missing: float) -> None:
    """Otherwise the longer medium counts: here the audio, whose samples are longer, lacks less."""
    assert shortfall(*track(1.0, 0.5, media=(VIDEO, AUDIO), sample=0.04, rounding=rounding)) == pytest.approx(missing)


def test_half_a_sample_is_not_exact() -> None:
    assert shortfall(*track(1.0, 0.5, media=(VIDEO, AUDIO), sample=0.25, rounding=0.125)) == pytest.approx(0.5)
    assert shortfall(*track(0.5, 1.0, media=(VIDEO, AUDIO), sample=0.25, rounding=0.125)) == pytest.approx(0.5)


def test_a_medium_that_is_whole_makes_up_for_one_that_extinf_is_inexact_about() -> None:
    assert shortfall(*track(1.0, 0.0, media=(VIDEO, AUDIO), rounding=0.5)) == 0
    assert shortfall(*track(0.0, 1.0, media=(VIDEO, AUDIO), rounding=0.5)) == 0


def test_a_medium_that_was_never_compared_says_nothing() -> None:
    *before, last = track(1.0)
    video = segment(4.0, 2.0, {VIDEO: extent(104.0, 105.0)})
    both = segment(4.0, 2.0, {**last.extents, **video.extents})
    assert shortfall(*before, video) == 0
    assert shortfall(*before, both) == pytest.approx(1.0)
    assert shortfall(*before, segment(4.0, 2.0, {})) == 0


def test_without_the_first_segment_no_end_is_known() -> None:
    segments = track(1.0)
    accuracy = ExtinfAccuracy()
    accuracy.measure(*segments[:2])
    assert accuracy.shortfall(segments[2]) == 0
    accuracy.begin(segment(-2.0, 2.0, {}))
    assert accuracy.shortfall(segments[2]) == 0
    accuracy.begin(segments[0])
    assert accuracy.shortfall(segments[2]) == pytest.approx(1.0)
    accuracy.begin(segment(0.0, 2.0, {AUDIO: extent(99.0, 101.0)}))
    assert accuracy.shortfall(segments[2]) == pytest.approx(1.0)


@pytest.mark.parametrize(("usual", "last", "short"), [(0.02, 0.02, 0.02), (0.04, 0.02, 0.0), (0.04, 0.01, 0.0), (0.02, 0.04, 0.03)])
def test_the_last_sample_of_a_segment_may_be_shorter_than_usual(usual: float, last: float, short: float) -> None:
    """As much as it is shorter is not missing."""
    *before, end = track(0.03)
    ended = [each._replace(extents={AUDIO: each.extents[AUDIO]._replace(sample_seconds=usual)}) for each in before]
    found = shortfall(*ended, end._replace(extents={AUDIO: end.extents[AUDIO]._replace(sample_seconds=last)}))
    assert found == (0 if not short else pytest.approx(0.03))


@pytest.mark.parametrize(
    ("pauses", "short"), [((0.31, 0.4), 0.0), ((0.4, 0.31), 0.0), ((0.29, 0.4), 1.0), ((0.4, 0.29), 1.0), ((0.0, 0.4), 1.0)]
)
def test_a_medium_that_has_paused_before_each_segment_may_do_so_at_the_end(pauses: tuple[float, float], short: float) -> None:
    """For more than three tenths of a second; where the playlist has a gap, that is no pause."""
    for gap in (0.0, 5.0):
        places = [0.0, 2.0 + gap, 4.0 + 2 * gap]
        ends = [2.0 - pause for pause in pauses]
        before = [segment(at, 2.0, {AUDIO: extent(at, at + end)}) for at, end in zip(places, ends, strict=False)]
        found = shortfall(*before, segment(places[2], 2.0, {AUDIO: extent(places[2], places[2] + 1.0)}))
        assert found == pytest.approx(short)


@pytest.mark.parametrize("guess", [0.5, 9.0])
@pytest.mark.parametrize("late", [0.0, 0.52])
def test_a_guess_beside_no_common_medium_moves_nothing(guess: float, late: float) -> None:
    """The last segment is cut by half a second, or begins late, as all of its medium do, and ends where the playlist ends."""
    whole = [{VIDEO: extent(100.0 + late + 2.0 * number, 102.0 + late + 2.0 * number)} for number in (0, 1)]
    guessed = segment(4.0, guess, {AUDIO: extent(104.0, 104.0 + guess)}, guessed=True)
    last = segment(4.0 + guess, 2.0, {VIDEO: extent(104.0 + guess + late, 106.0 + guess - (0.0 if late else 0.5))})
    first = segment(0.0, 2.0, {**whole[0], AUDIO: extent(100.0, 102.0)})
    found = shortfall(first, segment(2.0, 2.0, whole[1]), guessed, last)
    assert found == pytest.approx(0.0 if late else 0.5)


def decoded(start: float, *, lacking: int = 0, delay: float = 0.08, samples: int = 50) -> Extents:
    """Make two seconds of video whose last picture is decoded so long before the end."""
    span = (start - 0.08, start + 2.0 - delay)
    return {VIDEO: SegmentExtent(samples - lacking, start, start + 2.0, 0.04, span)}


@pytest.mark.parametrize(
    ("lacking", "delay", "missing"),
    [
        (0, 0.0, 0.0),
        (1, 0.04, 0.04),
        (4, 0.16, 0.16),
        (5, 0.2, 0.0),
        (2, 0.08 + 0.0007, 0.08),
        (2, 0.08 - 0.0007, 0.08),
        (2, 0.08 + 0.0009, 0.0),
        (2, 0.08 - 0.0009, 0.0),
        (2, 0.0, 0.0),
    ],
)
def test_frames_that_are_decoded_last_are_missing_if_the_end_is_shown_so_much_later(lacking: int, delay: float, missing: float) -> None:
    """To two hundredths of a frame; the longest delay before is the usual one."""
    before = [segment(0.0, 2.0, decoded(100.0)), segment(2.0, 2.0, decoded(102.0, delay=0.05)), segment(4.0, 2.0, decoded(104.0))]
    last = segment(6.0, 2.0, decoded(106.0, lacking=lacking, delay=0.08 + delay))
    assert shortfall(*before, last) == pytest.approx(missing)
    lacked = [before[0], before[1]._replace(extents=decoded(102.0, lacking=1)), before[2]]
    assert shortfall(*lacked, last) == 0


def test_without_decode_times_no_frame_is_known_to_be_missing() -> None:
    timed = [segment(2.0 * number, 2.0, decoded(100.0 + 2.0 * number)) for number in range(3)]
    untimed = [each._replace(extents={VIDEO: each.extents[VIDEO]._replace(decode_span=None)}) for each in timed]
    last = segment(6.0, 2.0, decoded(106.0, lacking=2, delay=0.16))
    assert shortfall(*timed, last) == pytest.approx(0.08)
    assert shortfall(*untimed, last) == 0
    assert shortfall(*timed, last._replace(extents={VIDEO: last.extents[VIDEO]._replace(decode_span=None)})) == 0


def beginning(*starts: float, first: float = 100.0, headless: bool = False, last: float = 2.0, rounding: float = 0.0) -> float:
    """Return what the first of some segments of two seconds lacks, by when they start."""
    ends = [*starts, starts[-1] + last]
    extents = [{VIDEO: extent(start, end)} for start, end in zip((first, *starts), ends, strict=True)]
    evidence = PacketEvidence(headless=[VIDEO] if headless else [])
    segments = [segment(2.0 * number, 2.0, each, rounding=rounding) for number, each in enumerate(extents)]
    accuracy, end = measured(segments[0]._replace(packets=evidence), *segments[1:])
    return accuracy.missing_beginning(end)


@pytest.mark.parametrize(
    ("headless", "inexact", "rounding", "least"),
    [
        pytest.param(False, 0.0, 0.0, 0.104, id="five frames and jitter"),
        pytest.param(True, 0.0, 0.0, 0.024, id="one frame if it begins without parameter sets"),
        pytest.param(False, 0.1, 0.0, 0.304, id="twice as much as EXTINF is inexact by"),
        pytest.param(False, -0.1, 0.0, 0.304, id="in either direction"),
        pytest.param(False, 0.0, 0.1, 0.304, id="twice as much as it is rounded by"),
    ],
)
def test_a_first_segment_is_short_from_a_few_frames_on(headless: bool, inexact: float, rounding: float, least: float) -> None:  # noqa: FBT001  # a column
    for more in (-0.001, 0.001):
        starts = (102.0, 104.0 + inexact, 106.0 + inexact)
        found = beginning(*starts, first=100.0 + least + more, headless=headless, rounding=rounding)
        assert found == (pytest.approx(least + more) if more > 0 else 0)


@pytest.mark.parametrize(("last", "missing"), [(2.49, 1.15), (2.51, 0.0), (1.0, 1.15), (0.5, 1.15)])
def test_a_last_segment_that_is_much_longer_says_that_extinf_is_inexact(last: float, missing: float) -> None:
    """By more than half a second, and twice that is more than what seems to be missing."""
    assert beginning(102.0, 104.0, 106.0, first=101.12 if not missing else 100.0 + missing, last=last) == pytest.approx(missing)


def test_two_later_segments_must_be_exact_and_the_last_may_have_no_times() -> None:
    assert beginning(102.0, 104.0, first=101.0) == 0
    assert beginning(102.0, 104.0, 106.0, first=101.0) == pytest.approx(1.0)
    starts = [101.0, *accumulate((2.0, 2.0), initial=102.0)]
    extents = [{VIDEO: extent(start, end)} for start, end in zip(starts, [*starts[1:], 108.0], strict=True)]
    segments = [segment(2.0 * number, 2.0, each) for number, each in enumerate(extents)]
    accuracy, _ = measured(*segments)
    assert accuracy.missing_beginning(segment(8.0, 0.1, {})) == pytest.approx(1.0)
    unknown = [segments[0]._replace(guessed=True), *segments[1:]]
    accuracy, last = measured(*unknown)
    assert accuracy.missing_beginning(last) == 0
