"""Exactly when samples are decoded that have negative composition offsets, or follow such."""

from collections.abc import Sequence

import pytest
from peers.two_tracks import Part, moof

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.fragment import TrackFragment, read_track_fragments
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4_source.decoding_delay import DecodingDelay
from transcoder.errors import UnsupportedSourceError

STEP = 80


def fragment(time: int | None, offsets: Sequence[int], *, duration: int = STEP) -> TrackFragment:
    written = moof(Part(time, [duration] * len(offsets), offsets=offsets))
    (found,) = read_track_fragments(Box.whole(written), lambda _: TrackDefaults(0, 0, 0))
    return found


@pytest.mark.parametrize("lowest", [-1, -160])
def test_all_samples_are_decoded_earlier_by_the_most_negative_offset_that_is_known(lowest: int) -> None:
    fragments = [fragment(800, [0, 3]), fragment(960, [5, lowest, 0]), fragment(1200, [7])]
    delay = DecodingDelay()
    for number, each in enumerate(fragments):
        later = fragments[number + 1 :]
        assert delay.applies_to(each, later)
        times = delay.times_of(each, later)
        assert times is not None
        assert (times.decode_time, times.durations) == ((each.decode_time or 0) + lowest, None)
        assert list(times.composition_offsets) == [offset - lowest for run in each.runs for offset in run.composition_offsets]


def test_where_no_offset_is_negative_times_stay_as_they_are() -> None:
    delay, fragments = DecodingDelay(), [fragment(800, [0, 3]), fragment(960, [1])]
    assert not any(delay.applies_to(each, fragments) or delay.times_of(each, fragments) for each in fragments)


def test_samples_catch_up_at_an_eighth_of_their_duration() -> None:
    """The last frame was decoded at 1520; the third one of the next fragment is presented two frames before its decode time."""
    delay = DecodingDelay()
    assert delay.times_of(fragment(1440, [0, 0]), []) is None
    times = delay.times_of(fragment(1600, [80, 80, -160, 0]), [])
    assert times is not None
    assert (times.decode_time, list(times.durations or ())) == (1530, [10, 60, 80, 80])
    assert list(times.composition_offsets) == [1680 - 1530, 1760 - 1540, 1600 - 1600, 1840 - 1680]
    after = delay.times_of(fragment(1920, [0, 160]), [])
    assert after is not None
    assert (after.decode_time, list(after.composition_offsets)) == (1760, [160, 320])


def test_samples_catch_up_faster_where_there_is_no_time_for_that() -> None:
    """The sixth one is presented 38 ticks after the last frame was decoded."""
    delay = DecodingDelay()
    delay.times_of(fragment(1440, [0, 0]), [])
    times = delay.times_of(fragment(1600, [400, 400, 400, 400, 400, 1558 - 2000]), [])
    assert times is not None
    assert (times.decode_time, list(times.durations or ())) == (1526, [6, 6, 6, 6, 8, 80])
    assert list(times.composition_offsets)[-1] == 0


def test_samples_of_the_fragments_behind_are_decoded_in_time() -> None:
    """Three frames, and the first of the next fragment, which is presented 20 ticks after the last one was decoded."""
    delay, later = DecodingDelay(), fragment(1840, [1540 - 1840])
    delay.times_of(fragment(1440, [0, 0]), [])
    times = delay.times_of(fragment(1600, [400, 400, 400]), [later])
    assert times is not None
    assert (times.decode_time, list(times.durations or ())) == (1525, [5, 5, 5])
    last = delay.times_of(later, [])
    assert last is not None
    assert (last.decode_time, list(last.composition_offsets)) == (1540, [0])


@pytest.mark.parametrize(("presented", "is_refused"), [(1524, False), (1523, True)])
def test_each_sample_takes_a_tick_at_least(presented: int, *, is_refused: bool) -> None:
    """The fourth one is presented so many ticks after the last one was decoded, at 1520."""
    delay, late = DecodingDelay(), fragment(1600, [400, 400, 400, presented - 1840])
    delay.times_of(fragment(1440, [0, 0]), [])
    if is_refused:
        with pytest.raises(UnsupportedSourceError, match="before they are decoded"):
            delay.times_of(late, [])
    else:
        times = delay.times_of(late, [])
        assert times is not None
        assert (times.decode_time, list(times.durations or ())[:3]) == (1521, [1, 1, 1])


def test_samples_that_last_less_than_eight_ticks_catch_up_tick_by_tick() -> None:
    delay = DecodingDelay()
    delay.times_of(fragment(100, [0, 0], duration=5), [])
    times = delay.times_of(fragment(110, [0, 20, 20, -10], duration=5), [])
    assert times is not None
    assert (times.decode_time, list(times.durations or ())) == (106, [1, 3, 5, 5])


def test_a_fragment_that_has_not_caught_up_leaves_that_to_the_next_one() -> None:
    """The last frame of the second fragment is presented before its decode time by nine and a half frames."""
    delay = DecodingDelay()
    delay.times_of(fragment(1440, [0, 0]), [])
    fragments = [fragment(1600, [400] * 4), fragment(1920, [*[400] * 7, -760]), fragment(2560, [0])]
    first, second, third = (delay.times_of(each, fragments[number:]) for number, each in enumerate(fragments, 1))
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.decode_time, list(first.durations or ())[:3]) == (1530, [10, 10, 10])
    assert (second.decode_time, list(second.durations or ())) == (1570, [10, 10, 10, 10, 10, 20, 80, 80])
    assert (third.decode_time, third.durations) == (1800, None)


def test_a_fragment_without_a_time_goes_on_where_the_one_before_it_ends() -> None:
    delay = DecodingDelay()
    assert delay.times_of(fragment(None, [0]), []) is None, "nothing is known yet"
    first, second = fragment(800, [0, -80]), fragment(None, [0, 0])
    times = [delay.times_of(each, []) for each in (first, second)]
    assert [each and each.decode_time for each in times] == [720, 880]
    assert delay.times_of(fragment(5000, []), []) is None
    after = delay.times_of(fragment(None, [0]), [])
    assert after is not None
    assert after.decode_time == 1040, "a fragment without samples ends nothing"
