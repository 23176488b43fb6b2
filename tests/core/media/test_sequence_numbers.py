"""The numbers of fragments show which ones are missing, whatever a packager adds from one to the next."""

import pytest

from transcoder.core.media.mp4_source.sequence_numbers import SequenceNumbers


def follow(*segments: list[int], gaps: frozenset[int] = frozenset()) -> SequenceNumbers:
    """Follow the numbers of some segments; time is left out before those in `gaps`."""
    numbers = SequenceNumbers()
    for segment in segments:
        numbers.begin_segment()
        for number in segment:
            numbers.add(number, after_gap=number in gaps)
    return numbers


@pytest.mark.parametrize(
    ("segments", "gaps", "goes_on", "has_jumped"),
    [
        pytest.param([[1, 2, 3]], set(), None, False, id="the first segment"),
        pytest.param([[1, 2], [3, 4]], set(), True, False, id="they go on"),
        pytest.param([[1, 2], [4, 5]], set(), False, False, id="the end of a segment is missing"),
        pytest.param([[1, 2], [3, 5]], {5}, True, True, id="one inside is missing"),
        pytest.param([[1, 2], [3, 5]], set(), True, False, id="a number is left out, but no time"),
        pytest.param([[1, 2], [3, 4]], {4}, True, False, id="time is left out, but no number"),
        pytest.param([[2, 4], [6, 8]], {8}, True, False, id="two are added each time"),
        pytest.param([[2, 4], [6, 10]], {10}, True, True, id="two are added each time, and one is missing"),
        pytest.param([[1], [1], [1]], set(), True, False, id="each segment has the same number"),
        pytest.param([[1, 2], [1, 2]], set(), False, False, id="each segment begins anew"),
    ],
)
def test_missing_fragments_are_found_by_number_and_time(
    segments: list[list[int]], gaps: set[int], *, goes_on: bool | None, has_jumped: bool
) -> None:
    found = follow(*segments, gaps=frozenset(gaps))
    assert (found.goes_on, found.has_jumped) == (goes_on, has_jumped)
