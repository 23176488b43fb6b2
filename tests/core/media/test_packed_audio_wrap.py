"""Packed audio whose timestamps wrap at 33 bits goes on as if they did not."""

import pytest
from fuzz.media_pieces import ADTS, timestamp
from peers.segment_inspection import inspect_segments, probe_segment

from transcoder.core.media.presentation_ends import presentation_ends
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import CLOCK_HZ, WRAP_SECONDS, unwrap
from transcoder.errors import UpstreamError

FRAMES = 100
SECONDS = FRAMES * 1024 / 48_000


def segment(start: float) -> bytes:
    """Return a segment that begins at that time, as it is written in 33 bits."""
    return timestamp(start % WRAP_SECONDS) + ADTS * FRAMES


@pytest.mark.parametrize("before_wrap", [0.0, 1 / CLOCK_HZ, 0.5, SECONDS - 1 / CLOCK_HZ, SECONDS, 1.5 * SECONDS, 3 * SECONDS])
def test_segments_go_on_over_the_wrap(before_wrap: float) -> None:
    start = WRAP_SECONDS - before_wrap
    segments = [segment(start + number * SECONDS) for number in range(3)]
    inspector, passed_on = inspect_segments(segments)
    assert passed_on == ADTS * FRAMES * 3
    assert inspector.ends[Medium.AUDIO] % WRAP_SECONDS == pytest.approx((start + 3 * SECONDS) % WRAP_SECONDS, abs=2 / CLOCK_HZ)
    first = probe_segment(segments[0]).main(Medium.AUDIO)
    assert first
    assert first.start is not None
    assert inspector.ends[Medium.AUDIO] - first.start == pytest.approx(3 * SECONDS, abs=2 / CLOCK_HZ)
    assert presentation_ends(segments[2], probe_segment(segments[0])) == pytest.approx(inspector.ends, abs=2 / CLOCK_HZ)


def test_a_tag_inside_a_segment_may_lie_behind_the_wrap() -> None:
    start = WRAP_SECONDS - SECONDS / 2
    doubled = segment(start) + segment(start + SECONDS)
    inspector, _ = inspect_segments([doubled])
    assert inspector.ends[Medium.AUDIO] == pytest.approx(start + 2 * SECONDS, abs=2 / CLOCK_HZ)
    with pytest.raises(UpstreamError, match="does not continue"):
        inspect_segments([segment(start) + segment(start + SECONDS + 1.0)])


@pytest.mark.parametrize("laps", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("apart", [0.0, 1.0, -1.0, WRAP_SECONDS / 2 - 1, 1 - WRAP_SECONDS / 2])
def test_the_nearest_of_all_times_with_the_same_33_bits(laps: int, apart: float) -> None:
    assert unwrap(5.0 + laps * WRAP_SECONDS, near=5.0 - apart) == pytest.approx(5.0)
