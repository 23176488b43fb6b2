"""Where the pictures of the output lie: decoding never goes back, presentation is the source's, and a last slide stays until it ends."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4.sample_entry import SampleEntry
from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment, TrackRun
from transcoder.core.output.header import OutputTrack
from transcoder.core.output.video_timeline import VideoTimeline

SCALE = 1000
BOX = Box(b"moof", b"", 0, 0, 0)
TRACK = OutputTrack(Medium.VIDEO, 1, SCALE, SampleEntry(BOX), TrackDefaults(0, 0, 0), None, None, None)


def run_of(decode_time: int, durations: Sequence[int], offsets: Sequence[int] = ()) -> TrackRun:
    count = len(durations)
    return TrackRun(TRACK, decode_time, 0, 0, list(durations), [1] * count, [0] * count, list(offsets) or [0] * count, BOX, BOX)


def fragment_of(run: TrackRun) -> Fragment:
    return Fragment(BOX, [run])


def placed(timeline: VideoTimeline, run: TrackRun, shift: int = 0) -> Fragment:
    fragment = fragment_of(run)
    timeline.place(fragment, run, shift)
    return fragment


def shown(run: TrackRun) -> list[int]:
    times = accumulate(run.durations, initial=run.decode_time)
    return [time + offset for time, offset in zip(times, run.offsets, strict=False)]


def decode_end(run: TrackRun) -> int:
    return run.decode_time + sum(run.durations)


def test_what_continues_passes_as_it_is() -> None:
    timeline, first, second = VideoTimeline(TRACK), run_of(100, [40, 40]), run_of(180, [40, 40])
    assert [placed(timeline, each, -100).rewritten for each in (first, second)] == [False, False]
    assert (first.decode_time, second.decode_time, timeline.end) == (0, 80, 160)


@given(
    st.integers(-600, 600),
    st.lists(st.integers(1, 60), min_size=2, max_size=30),
    st.lists(st.integers(0, 4), min_size=30, max_size=30),
)
def test_decoding_goes_on_where_it_ended_and_presentation_is_that_of_the_source(gap: int, durations: list[int], delays: list[int]) -> None:
    """Where a picture would be shown before it can be decoded, it is shown as soon as it is."""
    timeline, first = VideoTimeline(TRACK), run_of(0, [40] * 10)
    placed(timeline, first)
    offsets = [40 * each for each in delays[: len(durations)]]
    second = run_of(400 + gap, durations, offsets)
    natural = shown(second)
    assert placed(timeline, second).rewritten == (gap != 0)
    assert second.decode_time == 400 if gap else 400 + gap
    assert min(second.durations) > 0
    decoded = list(accumulate(second.durations, initial=second.decode_time))
    assert shown(second) == [max(time, at) for time, at in zip(natural, decoded, strict=False)]
    assert decode_end(second) >= 400 + gap + sum(durations)


def slides(*starts: int) -> tuple[VideoTimeline, TrackRun]:
    """Place pictures that are shown from these ticks on, the last one for 40 as ffmpeg supposes."""
    timeline = VideoTimeline(TRACK)
    run = run_of(starts[0], [after - before for before, after in pairwise(starts)] + [40])
    placed(timeline, run)
    return timeline, run


@pytest.mark.parametrize(
    ("starts", "kept"),
    [
        pytest.param((0,), True, id="the only picture"),
        pytest.param((0, 1001), True, id="more than a second apart"),
        pytest.param((0, 1000), False, id="a second apart: no slide"),
        pytest.param((0, 5000, 5040), False, id="the last two are not apart"),
        pytest.param((0, 40, 80, 5000), True, id="only the last two are"),
    ],
)
def test_a_last_slide_is_shown_until_its_period_ends(starts: Sequence[int], *, kept: bool) -> None:
    timeline, run = slides(*starts)
    fragment = fragment_of(run)
    timeline.keep_last_picture(fragment, run, 9.0)
    assert fragment.rewritten == kept
    assert timeline.end == (9000 if kept else starts[-1] + 40)
    assert run.durations[-1] == (9000 - starts[-1] if kept else 40)
    assert [after - before for before, after in pairwise(starts)] == run.durations[:-1]


@pytest.mark.parametrize(("seconds", "kept"), [(0.05, False), (0.1, False), (0.101, True), (0.5, True), (0.0, False)])
def test_a_slide_that_ffmpeg_knows_to_last_almost_as_long_stays(seconds: float, *, kept: bool) -> None:
    """EXTINF may be twice as long as the picture: up to two and a half times, it is not believed."""
    timeline, run = slides(0)
    timeline.keep_last_picture(fragment_of(run), run, seconds)
    assert timeline.end == (round(seconds * SCALE) if kept else 40)


def test_the_next_period_is_decoded_after_a_slide() -> None:
    timeline, run = slides(0)
    timeline.keep_last_picture(fragment_of(run), run, 9.0)
    timeline.begin_period()
    early = run_of(8900, [40] * 20)
    assert placed(timeline, early).rewritten
    assert (early.decode_time, decode_end(run)) == (9000, 9000)


def test_a_slide_that_has_been_sent_keeps_its_place() -> None:
    timeline, run = slides(0)
    fragment = fragment_of(run)
    timeline.keep_last_picture(fragment, None, 9.0)
    assert (fragment.rewritten, run.durations, timeline.end) == (False, [40], 9000)
    timeline.begin_period()
    following = run_of(9000, [40] * 20)
    placed(timeline, following)
    assert following.decode_time == 40


def test_pictures_of_another_period_say_nothing_about_the_last_one() -> None:
    timeline, _ = slides(0, 40, 80)
    timeline.begin_period()
    timeline.keep_last_picture(fragment_of(run_of(0, [])), None, 9.0)
    assert timeline.end == 120
    run = run_of(120, [40])
    placed(timeline, run)
    timeline.keep_last_picture(fragment_of(run), run, 9.0)
    assert timeline.end == 9120


@pytest.mark.parametrize("begin", [0, 7000])
@pytest.mark.parametrize(
    ("starts", "seconds", "kept"), [((0,), 0.1, False), ((0,), 0.101, True), ((0, 2000), 2.1, False), ((0, 2000), 2.101, True)]
)
def test_a_slide_is_measured_from_where_it_and_its_period_begin(begin: int, starts: Sequence[int], seconds: float, *, kept: bool) -> None:
    timeline, run = slides(*(begin + each for each in starts))
    fragment = fragment_of(run)
    timeline.keep_last_picture(fragment, run, seconds)
    assert timeline.end == begin + (round(seconds * SCALE) if kept else starts[-1] + 40)
    timeline.begin_period()
    following = run_of(timeline.end, [40, 40])
    assert not placed(timeline, following).rewritten


def test_a_slide_in_several_runs_is_measured_from_the_first() -> None:
    timeline, _ = slides(1000, 3000, 5000)
    run = run_of(7000, [40])
    timeline.place(fragment_of(run), run, -1960)
    assert timeline.end == 5080
    timeline.keep_last_picture(fragment_of(run), run, 9.0)
    assert timeline.end == 5080, "the last two are 40 ms apart"
    run = run_of(8000, [40])
    timeline.place(fragment_of(run), run, 0)
    timeline.keep_last_picture(fragment_of(run), run, 9.0)
    assert (timeline.end, decode_end(run)) == (10_000, 10_000)
