"""The samples of one segment: are they evenly spaced, how many are missing, and how far away is the next segment?"""

import math

import pytest

from transcoder.core.media.passed_segment import MAX_REORDERED, PassedSegment, SegmentExtent, hole_between
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import WRAP_SECONDS

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO


def of(samples: int, seconds: float, *, sample: float = 1.0) -> SegmentExtent:
    return SegmentExtent(samples, 10.0, 10.0 + seconds, sample)


@pytest.mark.parametrize(
    ("samples", "more", "steady"),
    [
        (1, 0.0, True),
        (1, 0.02, True),
        (1, 0.04, False),
        (9, 0.18, True),
        (9, 0.2, False),
        (10, 0.99, True),
        (10, 1.02, False),
        (50, 1.0, True),
        (50, 1.02, False),
        (100, 2.0, True),
        (100, 2.02, False),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_samples_are_evenly_spaced_to_two_hundredths_or_one_of_ten_and_more(samples: int, more: float, sign: int, *, steady: bool) -> None:
    """Their times may be rounded by a hundredth of a sample."""
    assert of(samples, samples + sign * more).is_steady is steady
    assert of(samples, (samples + sign * more) / 4, sample=0.25).is_steady is steady
    assert not of(samples, samples, sample=0.0).is_steady


@pytest.mark.parametrize(("samples", "lacking"), [(8, 2), (10, 0), (12, -2)])
@pytest.mark.parametrize("more", [-0.4, 0.0, 0.4])
def test_as_many_samples_are_lacking_as_would_fit(samples: int, lacking: int, more: float) -> None:
    assert of(samples, 10.0 + more).lacking == lacking
    assert of(samples, (10.0 + more) * 0.5, sample=0.5).lacking == lacking
    assert of(samples, 10.0, sample=0.0).lacking == 0


@pytest.mark.parametrize(("sample", "steady"), [(1.0, True), (1.0195, True), (0.9805, True), (1.0205, False), (0.9795, False)])
@pytest.mark.parametrize("lacking", range(-1, MAX_REORDERED + 2))
def test_samples_are_spaced_as_others_but_for_a_few_that_are_missing(sample: float, lacking: int, *, steady: bool) -> None:
    found = of(20 - lacking, 20 * sample, sample=sample)
    assert found.is_as_steady_as(of(30, 30.0)) is (steady and 0 <= lacking <= MAX_REORDERED)
    assert not found.is_as_steady_as(of(30, 40.0))


def test_from_the_last_decoding_to_the_end_of_the_presentation() -> None:
    assert of(10, 10.0).delay is None
    assert of(10, 10.0)._replace(decode_span=(9.0, 18.0)).delay == 2.0


def passed(extents: dict[Medium, SegmentExtent], *, guessed: bool = False) -> PassedSegment:
    return PassedSegment(0.0, 8.0, 0.0, (), (), extents, guessed=guessed)


def test_a_single_sample_lasts_as_long_as_those_of_the_next_segment() -> None:
    single, known, several = of(1, 0.0, sample=0.0), of(1, 3.0, sample=3.0), of(2, 2.0, sample=0.0)
    after = of(8, 4.0, sample=0.5)
    assert single.spaced_as(after) == SegmentExtent(1, 10.0, 10.5, 0.5)
    assert (known.spaced_as(after), several.spaced_as(after)) == (known, several)
    both = passed({VIDEO: single, AUDIO: single}).spaced_as(passed({VIDEO: after}))
    assert both.extents == {VIDEO: SegmentExtent(1, 10.0, 10.5, 0.5), AUDIO: single}


def test_a_medium_may_be_longer_than_extinf_unless_that_is_a_guess() -> None:
    extents = {VIDEO: of(9, 9.0), AUDIO: of(7, 7.0)}
    assert [passed(extents).excess(medium) for medium in Medium] == [1.0, -1.0]
    assert [passed(extents, guessed=True).excess(medium) for medium in Medium] == [-math.inf, -math.inf]


@pytest.mark.parametrize("wraps", [-1, 0, 1])
@pytest.mark.parametrize("hole", [-0.5, 0.0, 2.5])
def test_a_hole_is_what_lies_between_two_segments_whatever_the_clock_has_wrapped(hole: float, wraps: int) -> None:
    before, start = passed({VIDEO: of(10, 10.0), AUDIO: of(10, 9.0)}), 20.0 + hole + wraps * WRAP_SECONDS
    after = passed({VIDEO: SegmentExtent(10, start, start + 10.0, 1.0)})
    assert hole_between(before, after, VIDEO) == pytest.approx(hole)
    assert hole_between(before, after, AUDIO) is None
