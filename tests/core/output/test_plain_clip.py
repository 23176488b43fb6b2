"""A clip of a plain MP4: from the last key frame at or before its start, up to the last frame that is shown before its end."""

from collections.abc import Sequence
from itertools import accumulate

import pytest

from transcoder.core.media.mp4.boxes import Box, box
from transcoder.core.media.mp4.fragment import NOT_SYNC, SampleRun
from transcoder.core.media.mp4.movie import Movie, Track
from transcoder.core.media.mp4.plain_movie import PlainTrack
from transcoder.core.media.mp4.track_samples import Place, TrackSamples
from transcoder.core.media.streams import Medium
from transcoder.core.output.plain_clip import cut_to_clip
from transcoder.core.request.output_format import Clip
from transcoder.errors import BadRequestError

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
NOTHING = Box.whole(box(b"free"))
FRAME = SHIFT = 125
"""Milliseconds of a picture, and those that the edit list of the video takes off: its decoding delay. All times are exact as floats."""
CLOSED = (0, 3, 1, 2, 4, 5, 8, 6, 7, 9)
"""Which picture is shown how manieth, in the order of decoding. Those at 0 and 5 are key frames."""
OPEN = (0, 3, 1, 2, 4, 6, 5, 9, 7, 8)
"""The second key frame is shown after the one that follows it, which needs the pictures before the key frame."""
PYRAMID = (0, 4, 2, 1, 3, 5, 9, 7, 6, 8)


def track(medium: Medium, timescale: int, samples: TrackSamples, shift: int) -> PlainTrack:
    movie_track = Track(1, medium, timescale, (), (), None, NOTHING, NOTHING)
    return PlainTrack(Movie(NOTHING, 1000, 0, (movie_track,)), movie_track, samples, shift)


def video(order: Sequence[int] = CLOSED, keys: Sequence[int] = (0, 5), *, later: int = 0) -> PlainTrack:
    """Return ten pictures in milliseconds; each is as long in bytes as its place in decoding, counted from 1."""
    offsets = [FRAME * shown + SHIFT - FRAME * decoded for decoded, shown in enumerate(order)]
    flags = [0 if number in keys else NOT_SYNC for number in range(10)]
    samples = TrackSamples()
    samples.add(SampleRun(None, [FRAME] * 10, range(1, 11), flags, offsets, None), Place(0, 0), decode_time=later)
    return track(VIDEO, 1000, samples, SHIFT)


def audio(*, begin: int = 0, count: int = 20, shift: int = 0) -> PlainTrack:
    """Return frames of 1/16 s in a clock of 512 Hz; each is as long in bytes as its number, counted from 101."""
    samples = TrackSamples()
    run = SampleRun(None, [32] * count, range(101, 101 + count), [0] * count, [0] * count, None)
    samples.add(run, Place(0, 100), decode_time=begin + shift)
    return track(AUDIO, 512, samples, shift)


def times(found: PlainTrack) -> dict[int, tuple[int, int]]:
    """Return when each sample is decoded and presented, by its length in bytes."""
    columns = zip(found.samples.sizes, found.samples.decode_times, found.samples.presentation_times, strict=False)
    return {size: (decoded, shown) for size, decoded, shown in columns}


def clipped(start: float | None, seconds: float | None, *tracks: PlainTrack) -> dict[Medium, PlainTrack]:
    return {found.track.medium: found for found in cut_to_clip(tracks, Clip(start, seconds)) if found.track.medium}


@pytest.mark.parametrize(
    ("order", "start", "first"),
    [
        (CLOSED, 0.0, 1),
        (CLOSED, 0.624, 1),
        (CLOSED, 0.625, 6),
        (CLOSED, 0.7, 6),
        (CLOSED, 9.0, 6),
        (OPEN, 0.749, 1),
        (OPEN, 0.75, 6),
    ],
)
@pytest.mark.parametrize("later", [0, 1000])
def test_a_clip_begins_with_the_last_key_frame_at_or_before_its_start(order: Sequence[int], start: float, first: int, later: int) -> None:
    source = video(order, later=later)
    found = times(clipped(start, None, source)[VIDEO])
    dropped = {7} if order is OPEN and first > 1 else set()
    assert found == {size: each for size, each in times(source).items() if size >= first and size not in dropped}


@pytest.mark.parametrize(("keys", "first"), [pytest.param((), 1, id="no key frame"), pytest.param((5,), 6, id="the first one is later")])
def test_without_a_key_frame_before_its_start_it_begins_with_the_first_one(keys: Sequence[int], first: int) -> None:
    assert min(times(clipped(0.1, None, video(keys=keys))[VIDEO])) == first


@pytest.mark.parametrize(
    ("begin", "shift", "first"),
    [
        pytest.param(0, 0, 111, id="where the key frame is shown"),
        pytest.param(16, 0, 110, id="half of it after that"),
        pytest.param(15, 0, 111, id="less than half"),
        pytest.param(16, 77, 110, id="on a clock of its own"),
    ],
)
@pytest.mark.parametrize("start", [0.625, 0.7])
def test_the_audio_begins_with_a_frame_of_which_half_lies_after_the_key_frame(begin: int, shift: int, first: int, start: float) -> None:
    source = audio(begin=begin, shift=shift)
    found = times(clipped(start, None, video(), source)[AUDIO])
    assert found == {size: each for size, each in times(source).items() if size >= first}


@pytest.mark.parametrize("first", [0, 100])
def test_audio_alone_begins_within_half_a_frame_of_the_start(first: int) -> None:
    source = audio(begin=first)
    for start, size in ((0.0, 101), (1 / 32, 101), (0.032, 102), (0.625, 111), (1.21875, 120)):
        assert min(times(clipped(start, None, source)[AUDIO])) == size
    with pytest.raises(BadRequestError, match="the media there ends before that"):
        clipped(1.219, None, source)


@pytest.mark.parametrize(
    ("order", "seconds", "kept", "moved"),
    [
        pytest.param(CLOSED, 1.25, 10, {}, id="all"),
        pytest.param(CLOSED, 0.001, 1, {}, id="the first picture"),
        pytest.param(CLOSED, 0.125, 1, {}, id="up to where the second one is shown"),
        pytest.param(CLOSED, 0.126, 3, {2: 126}, id="one that the second one needs"),
        pytest.param(CLOSED, 0.375, 4, {2: 375}, id="up to where that one is shown"),
        pytest.param(CLOSED, 0.376, 4, {}, id="with it"),
        pytest.param(PYRAMID, 0.25, 4, {3: 250, 2: 251}, id="two that the second one needs, one after the other"),
    ],
)
@pytest.mark.parametrize("later", [0, 1000])
def test_pictures_beyond_the_end_are_there_for_others_alone(
    order: Sequence[int], seconds: float, kept: int, moved: dict[int, int], later: int
) -> None:
    """Those are shown for a millisecond each, from the end on."""
    source = video(order, later=later)
    for start in (None, 0.0):
        expected = {size: each for size, each in times(source).items() if size <= kept}
        expected |= {size: (expected[size][0], later + shown + SHIFT) for size, shown in moved.items()}
        assert times(clipped(start, seconds, source)[VIDEO]) == expected


@pytest.mark.parametrize(("timescale", "step"), [(90_000, 90), (2000, 2), (8, 1)])
def test_a_millisecond_is_at_least_a_tick(timescale: int, step: int) -> None:
    """Two pictures are there for the second one, and shown after one another."""
    millis, samples = video(PYRAMID), TrackSamples()
    offsets, durations = ([ticks * timescale // 1000 for ticks in each] for each in (millis.samples.offsets, millis.samples.durations))
    samples.add(SampleRun(None, durations, millis.samples.sizes, millis.samples.flags, offsets, None), Place(0, 0), decode_time=0)
    found = times(clipped(None, 0.25, track(VIDEO, timescale, samples, timescale // 8))[VIDEO])
    end = timescale // 4 + timescale // 8
    assert {size: shown for size, (_, shown) in found.items()} == {1: timescale // 8, 4: timescale // 4, 3: end, 2: end + step}


@pytest.mark.parametrize(("seconds", "last"), [(5 / 16, 105), (11 / 32, 105), (0.344, 106), (1.25, 120), (9.0, 120)])
def test_the_audio_ends_with_a_frame_of_which_more_than_half_lies_before_the_end(seconds: float, last: int) -> None:
    for start in (None, 0.0):
        assert list(clipped(start, seconds, audio(begin=50))[AUDIO].samples.sizes) == list(range(101, last + 1))


def test_the_end_is_counted_from_the_start_that_was_asked_for_and_not_from_the_key_frame() -> None:
    found = clipped(0.1, 0.3, video(), audio())
    assert (list(found[VIDEO].samples.sizes), max(found[AUDIO].samples.sizes)) == ([1, 2, 3, 4], 106)


def test_without_a_start_it_begins_with_the_track_that_does() -> None:
    found = clipped(None, 5 / 16, video(later=190), audio())
    assert (list(found[VIDEO].samples.sizes), list(found[AUDIO].samples.sizes)) == ([1], [101, 102, 103, 104, 105])
    found = clipped(None, 5 / 16, video(), audio(begin=128))
    assert list(found[AUDIO].samples.sizes) == [101]


def test_a_track_without_any_part_of_the_clip_is_left_out_unless_it_leads() -> None:
    assert clipped(0.0, 0.1, video(), audio(begin=1600)).keys() == {VIDEO}
    with pytest.raises(BadRequestError, match="the media there ends before that"):
        clipped(None, 0.3, video(later=400), audio())


def test_decode_times_stay_contiguous() -> None:
    found = clipped(0.75, 0.3, video(OPEN), audio())[VIDEO].samples
    assert list(accumulate(found.durations, initial=found.start)) == list(found.decode_times)
    assert found.end == list(found.decode_times)[-1]
