"""A clip that is cut from fragments whose times are known to the tick: what it begins with, what it ends with, and what its header says."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.exact_fragments import AUDIO, TICKS, VIDEO, Run, fragment, frames, header, pictures, samples
from peers.remuxed_periods import verify

from transcoder.core.media.mp4.boxes import Box, box
from transcoder.core.media.mp4.movie import Movie, TrackDefaults
from transcoder.core.media.mp4.sample_entry import SampleEntry
from transcoder.core.media.streams import Medium
from transcoder.core.output.clip_cutter import Cut, Cutter, drop
from transcoder.core.output.fragment import Fragment, MediaEditor, TrackRun
from transcoder.core.output.header import Durations, OutputHeader, OutputTrack
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.period_placement import Placement
from transcoder.core.output.written_samples import WrittenSamples
from transcoder.errors import BadRequestError

NOTHING = Box.whole(box(b"free"))
TRACK = OutputTrack(VIDEO, 1, 1000, SampleEntry(NOTHING), TrackDefaults(0, 0, 0), None, None, None)
CLOSED, OPEN, PYRAMID = (0, 3, 1, 2, 4), (1, 0, 4, 2, 3), (0, 4, 2, 1, 3)
ENDS = {VIDEO: 11.875, AUDIO: 11.875}
LENGTHS = {VIDEO: 1.875, AUDIO: 1.875}
FIRST = 10_000
"""When decoding begins; the first picture is shown at once, the edit list of a source is not known here."""


def source(orders: Sequence[Sequence[int]] = (CLOSED,) * 3, *, delay: int = 0, audio_at: int = 0, keys: Sequence[int] = (0,)) -> bytes:
    """Return three fragments of five pictures and ten audio frames, from 10 s on; data count on from 0, and from 100."""
    whole = header(VIDEO, AUDIO)
    for number, order in enumerate(orders):
        video = pictures(5 * number, order, time=FIRST - delay + 625 * number, keys=keys, delay=delay)
        audio = frames(100 + 10 * number, 10, time=5120 + audio_at + 320 * number)
        whole += fragment(video, audio, number=number + 1)
    return whole


def clipped(
    data: bytes, start: float | None, seconds: float | None, *, max_held: int = 10**6, lengths: dict[Medium, float] = LENGTHS
) -> tuple[bytes, WrittenSamples, Joiner]:
    joiner = Joiner(Durations(max(lengths.values()), lengths), cut=Cut(start, seconds, ENDS), max_held=max_held)
    joiner.begin_period()
    output = b"".join(joiner.feed(data))
    rest, written = joiner.end_period()
    output += b"".join(rest) + joiner.finish()
    verify(output)
    return output, written, joiner


def numbers(output: bytes, medium: Medium) -> list[int]:
    return [sample.data[1] for sample in samples(output)[medium]]


def shown(output: bytes) -> dict[int, float]:
    """Return when each picture is presented, in milliseconds into the output."""
    return {sample.data[1]: sample.shown for sample in samples(output)[VIDEO]}


@pytest.mark.parametrize(
    ("start", "first"), [(None, 0), (10.0, 0), (10.624, 0), (10.625, 5), (11.0, 5), (11.249, 5), (11.25, 10), (11.7, 10), (99.0, 10)]
)
@pytest.mark.parametrize("wraps", [0, 1])
def test_a_clip_begins_with_the_last_key_frame_at_or_before_its_start(start: float | None, first: int, wraps: int) -> None:
    wrapped = None if start is None else start + wraps * 2**33 / 90_000
    output, written, _ = clipped(source(), wrapped, None)
    assert numbers(output, VIDEO) == list(range(first, 15))
    assert numbers(output, AUDIO) == list(range(100 + 2 * first, 130))
    assert min(shown(output).values()) == samples(output)[AUDIO][0].shown == 0
    assert written.samples == {VIDEO: 15, AUDIO: 30}, "what is left out was written, too"


@pytest.mark.parametrize(("start", "first"), [(10.749, 0), (10.75, 5)])
def test_pictures_that_need_those_before_the_key_frame_are_left_out(start: float, first: int) -> None:
    output, _, _ = clipped(source((CLOSED, OPEN, CLOSED), delay=125), start, None)
    assert numbers(output, VIDEO) == [number for number in range(first, 15) if not first or number != 6]
    assert min(shown(output).values()) == 0


@pytest.mark.parametrize(("audio_at", "first"), [(16, 109), (15, 110), (-15, 110), (-16, 110), (-17, 111), (32, 109)])
def test_the_audio_begins_with_a_frame_of_which_half_lies_after_the_key_frame(audio_at: int, first: int) -> None:
    """That of the second fragment, at 10.625 s. Frames of the fragment before it are not looked for."""
    output, _, _ = clipped(source(audio_at=audio_at), 10.7, None)
    in_fragment = max(first, 110)
    assert numbers(output, AUDIO) == list(range(in_fragment, 130))


def test_audio_that_comes_later_than_its_video_is_looked_for_in_later_fragments() -> None:
    output, _, _ = clipped(source(audio_at=-352), 10.7, None)
    assert numbers(output, AUDIO) == list(range(121, 130))
    assert min(sample.shown for sample in samples(output)[AUDIO]) == 0


@pytest.mark.parametrize(("start", "first"), [(10.0, 100), (10.03125, 100), (10.032, 101), (10.625, 110), (10.64, 110), (11.84375, 129)])
def test_audio_alone_begins_within_half_a_frame_of_the_start(start: float, first: int) -> None:
    data = header(AUDIO) + b"".join(fragment(frames(100 + 10 * n, 10, time=5120 + 320 * n), number=n + 1) for n in range(3))
    output, written, _ = clipped(data, start, None, lengths={AUDIO: 1.875})
    assert numbers(output, AUDIO) == list(range(first, 130))
    assert written.samples == {AUDIO: 30}
    with pytest.raises(BadRequestError, match="the media there ends before that"):
        clipped(data, 11.844, None, lengths={AUDIO: 1.875})


@pytest.mark.parametrize(
    ("order", "seconds", "kept", "moved"),
    [
        pytest.param(CLOSED, 1.875, 15, {}, id="all"),
        pytest.param(CLOSED, 0.001, 1, {}, id="the first picture"),
        pytest.param(CLOSED, 0.125, 1, {}, id="up to where the second one is shown"),
        pytest.param(CLOSED, 0.126, 3, {1: 126}, id="one that the second one needs"),
        pytest.param(CLOSED, 0.375, 4, {1: 375}, id="up to where that one is shown"),
        pytest.param(CLOSED, 0.376, 5, {4: 376}, id="with it, and one that the next fragment might need"),
        pytest.param(PYRAMID, 0.25, 4, {2: 250, 1: 251}, id="two that the second one needs, one after the other"),
        pytest.param(PYRAMID, 0.625, 5, {}, id="a fragment"),
        pytest.param(PYRAMID, 0.875, 9, {7: 875, 6: 876}, id="in the second fragment"),
    ],
)
@pytest.mark.parametrize("start", [None, 10.0])
def test_pictures_beyond_the_end_are_there_for_others_alone(
    order: Sequence[int], seconds: float, kept: int, moved: dict[int, int], start: float | None
) -> None:
    """Those are shown for a millisecond each, from the end on."""
    output, written, _ = clipped(source((order,) * 3, delay=250), start, seconds)
    usual = {5 * number + decoded: 125 * (5 * number + place) for number in range(3) for decoded, place in enumerate(order)}
    assert shown(output) == {number: moved.get(number, usual[number]) for number in range(kept)}
    assert written.samples[VIDEO] == 15


@pytest.mark.parametrize(("seconds", "last"), [(5 / 16, 104), (11 / 32, 104), (0.345, 105), (0.625, 109), (0.7, 110), (1.875, 129)])
def test_the_audio_ends_with_a_frame_of_which_more_than_half_lies_before_the_end(seconds: float, last: int) -> None:
    for start in (None, 10.0):
        output, _, _ = clipped(source(), start, seconds)
        assert numbers(output, AUDIO) == list(range(100, last + 1))


@pytest.mark.parametrize(
    ("start", "seconds", "video", "audio"),
    [
        pytest.param(None, None, 1.875, 1.875, id="everything"),
        pytest.param(None, 0.5, 0.625, 0.5625, id="from the beginning"),
        pytest.param(10.0, 0.5, 0.625, 0.5625, id="from the first key frame"),
        pytest.param(10.7, 0.5, 0.7, 0.6375, id="from a key frame before the start"),
        pytest.param(11.25, None, 0.625, 0.625, id="to the end"),
        pytest.param(11.25, 99.0, 0.625, 0.625, id="and beyond"),
    ],
)
def test_the_header_announces_a_clip_and_a_frame_that_may_last_beyond_it(
    start: float | None, seconds: float | None, video: float, audio: float
) -> None:
    _, _, joiner = clipped(source(), start, seconds)
    assert joiner.durations.tracks == pytest.approx({VIDEO: video, AUDIO: audio})
    assert joiner.durations.total == pytest.approx(max(video, audio))


def test_a_track_that_begins_later_is_announced_as_so_much_shorter() -> None:
    lengths = {VIDEO: 1.875, AUDIO: 1.5}
    data = source(audio_at=192)
    assert clipped(data, None, None, lengths=lengths)[2].durations.tracks == pytest.approx({VIDEO: 1.875, AUDIO: 1.5})
    assert clipped(data, None, 1.0, lengths=lengths)[2].durations.tracks == pytest.approx({VIDEO: 1.125, AUDIO: 0.6875})
    assert clipped(data, None, 0.25, lengths=lengths)[2].durations.tracks == pytest.approx({VIDEO: 0.375, AUDIO: 0.0})


@pytest.mark.parametrize(("held", "first"), [(10**6, 10), (39, 0), (40, 10)])
def test_no_more_is_held_back_than_may_be(held: int, first: int) -> None:
    """A fragment has 40 bytes of media; what begins with another key frame is held instead of those before it."""
    assert numbers(clipped(source(), 11.3, None, max_held=held)[0], VIDEO)[0] == first


def test_more_than_a_group_of_pictures_is_held_only_up_to_that() -> None:
    data = header(VIDEO, AUDIO)
    for number in range(3):
        keys = (0,) if not number else ()
        runs: list[Run] = [pictures(5 * number, CLOSED, time=FIRST + 625 * number, keys=keys, delay=0), frames(100 + 10 * number, 10)]
        runs[1] = frames(100 + 10 * number, 10, time=5120 + 320 * number)
        data += fragment(*runs, number=number + 1)
    for held in (79, 80, 120):
        assert numbers(clipped(data, 11.3, None, max_held=held)[0], VIDEO) == list(range(15))


@pytest.mark.parametrize(("held", "fragments"), [(9, 1), (10, 2), (19, 2), (20, 3), (99, 3)])
def test_without_a_key_frame_as_much_is_held(held: int, fragments: int) -> None:
    """Ten bytes of each fragment: the output begins where more would be held, or with the third one, in which the clip begins."""
    data = header(VIDEO)
    for number in range(4):
        data += fragment(pictures(5 * number, CLOSED, time=FIRST + 625 * number, keys=(), delay=0), number=number + 1)
    joiner = Joiner(Durations(2.5, {VIDEO: 2.5}), cut=Cut(11.3, None, ENDS), max_held=held)
    joiner.begin_period()
    taken = next(end for end in range(len(data)) if joiner.feed(data[end : end + 1]) or joiner.has_output)
    assert data[:taken].count(b"moof") == fragments


def test_a_clip_of_video_alone_ends_as_one_with_audio_does() -> None:
    data = header(VIDEO) + b"".join(
        fragment(pictures(5 * n, CLOSED, time=FIRST + 625 * n - 250, delay=250), number=n + 1) for n in range(3)
    )
    output, _, joiner = clipped(data, None, 0.376, lengths={VIDEO: 1.875})
    assert shown(output) == {0: 0, 1: 375, 2: 125, 3: 250, 4: 376}
    assert joiner.durations.tracks == pytest.approx({VIDEO: 0.501})


def test_audio_that_is_not_in_the_first_fragment_ends_with_the_clip() -> None:
    data = header(VIDEO, AUDIO) + fragment(pictures(0, CLOSED, time=FIRST, delay=0))
    data += fragment(pictures(5, CLOSED, time=FIRST + 625, delay=0), frames(100, 10, time=5440), number=2)
    output, _, joiner = clipped(data, None, 1.0, lengths={VIDEO: 1.875, AUDIO: 1.25})
    assert numbers(output, AUDIO) == list(range(100, 106))
    assert joiner.durations.tracks == pytest.approx({VIDEO: 1.125, AUDIO: 0.375})


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 9)), min_size=1, max_size=12))
def test_what_is_dropped_is_gone_and_the_rest_stays_in_its_time(choices: list[tuple[bool, bool, int]]) -> None:
    """Twice: of what is left, more may be dropped."""
    sizes, durations = [size for _, _, size in choices], [10 * size for _, _, size in choices]
    run = TrackRun(TRACK, 500, 64, 64 + sum(sizes), durations, sizes, list(range(len(sizes))), [-each for each in sizes], NOTHING, NOTHING)
    part, media = Fragment(NOTHING, [run]), b"".join(bytes([index]) * size for index, size in enumerate(sizes))
    starts = list(accumulate(durations, initial=500))
    first = [keep for keep, _, _ in choices]
    drop(part, run, first)
    drop(part, run, [again for keep, again, _ in choices if keep])
    left = [index for index, (keep, again, _) in enumerate(choices) if keep and again]
    assert b"".join(MediaEditor(part.edits, 64).feed(media)) == b"".join(bytes([index]) * sizes[index] for index in left)
    assert (list(run.sizes), list(run.flags)) == ([sizes[index] for index in left], left)
    assert list(run.offsets) == [-sizes[index] for index in left]
    assert part.rewritten == (len(left) < len(choices))
    if left:
        assert list(accumulate(run.durations[:-1], initial=run.decode_time)) == [starts[index] for index in left]
        kept_first = [index for index, keep in enumerate(first) if keep]
        ends = {index: starts[after] for index, after in zip(kept_first, [*kept_first[1:], kept_first[-1] + 1], strict=True)}
        assert run.decode_time + sum(run.durations) == ends[left[-1]]
        assert run.data_end == 64 + sum(sizes[: left[-1] + 1])


def test_a_cut_counts_from_the_clock_of_its_source() -> None:
    assert TICKS == {VIDEO: 1000, AUDIO: 512}
    output, _, _ = clipped(source(delay=125), None, None)
    assert shown(output) == {
        5 * number + decoded: 125 * (5 * number + place) for number in range(3) for decoded, place in enumerate(CLOSED)
    }


def test_a_key_frame_that_is_shown_after_the_start_comes_before_pictures_that_nothing_can_decode() -> None:
    data = header(VIDEO)
    for number in range(3):
        keys = () if number == 0 else (0,)
        data += fragment(pictures(5 * number, CLOSED, time=FIRST + 625 * number - 125, keys=keys, delay=125), number=number + 1)
    assert numbers(clipped(data, 10.55, None, lengths={VIDEO: 1.875})[0], VIDEO) == list(range(5, 15))


def test_a_clip_may_begin_at_zero_of_its_clock() -> None:
    data = header(VIDEO) + b"".join(fragment(pictures(5 * n, CLOSED, time=625 * n, delay=0), number=n + 1) for n in range(3))
    joiner = Joiner(Durations(1.875, {VIDEO: 1.875}), cut=Cut(0.0, 0.625, {VIDEO: 1.875}), max_held=1000)
    joiner.begin_period()
    output = b"".join([*joiner.feed(data), *joiner.end_period()[0], joiner.finish()])
    assert numbers(output, VIDEO) == list(range(5))


@pytest.mark.parametrize("at", [pytest.param(0, id="earlier"), pytest.param(20_000, id="later")])
def test_all_of_a_later_period_lies_behind_the_start(at: int) -> None:
    """Whatever its clock says."""
    joiner = Joiner(Durations(9.0, {VIDEO: 9.0, AUDIO: 9.0}), cut=Cut(11.25, 1.0, {VIDEO: 20.0, AUDIO: 20.0}), max_held=1000)
    joiner.begin_period(last=False)
    output = b"".join([*joiner.feed(source()), *joiner.end_period()[0]])
    joiner.begin_period()
    later = fragment(pictures(50, CLOSED, time=at, delay=0), frames(200, 10, time=at * 512 // 1000))
    output += b"".join([*joiner.feed(header(VIDEO, AUDIO) + later), *joiner.end_period()[0], joiner.finish()])
    assert numbers(output, VIDEO) == [*range(10, 15), 50, 51, 52, 53]
    assert numbers(output, AUDIO) == [*range(120, 130), *range(200, 206)]


@pytest.mark.parametrize(("timescale", "step"), [(90_000, 90), (2000, 2), (8, 1)])
def test_a_millisecond_is_at_least_a_tick(timescale: int, step: int) -> None:
    tick, track = timescale // 8, TRACK._replace(timescale=timescale)
    offsets = [tick * (shown - decoded) + 4 * tick for decoded, shown in enumerate(PYRAMID)]
    run = TrackRun(track, -4 * tick, 0, 5, [tick] * 5, [1] * 5, [0] * 5, offsets, NOTHING, NOTHING)
    part, output = Fragment(NOTHING, [run]), OutputHeader(Movie(NOTHING, 1000, 0, ()), (track,))
    cutter = Cutter(Cut(None, 0.25, {VIDEO: 0.625}), max_held=0)
    cutter.trim_first(part, output)
    placement = Placement(Fraction(0), {VIDEO: 0}, {VIDEO: 0})
    assert cutter.durations(placement, output, Durations(0.625, {VIDEO: 0.625})).total == pytest.approx(0.375)
    cutter.trim(part, placement)
    times = accumulate(run.durations, initial=run.decode_time)
    assert [time + offset for time, offset in zip(times, run.offsets, strict=False)] == [
        0,
        2 * tick + 2 * step,
        2 * tick,
        tick,
        2 * tick + step,
    ]
    assert part.rewritten
