"""A clip that is cut from periods as ffmpeg writes them: it begins at a key frame, and has what lies in it and nothing else."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples
from peers.remuxed_periods import A, B, Source, cut, packets, verify

from transcoder.core.hls.plan import Segment, Track
from transcoder.core.media.streams import Container, Medium, Probe, Stream, TrackKind
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.clip_cutter import Cut
from transcoder.core.output.clip_window import audio_seconds, clip_windows, cut_for_clip
from transcoder.core.output.header import Durations
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.core.request.output_format import Clip, TimeWindow
from transcoder.errors import BadRequestError

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
FRAME, AUDIO_FRAME = 1 / 25, 1024 / 48_000
Period = Callable[[Source], bytes]


def times(made: bytes, kind: str) -> dict[bytes, float]:
    """Return when each packet is presented, in the order of decoding."""
    return {packet.data: float(packet.pts) for packet in packets(made, kind)}


def clipped(made: Sequence[bytes], start: float | None, seconds: float | None, *, media: Sequence[Medium] = (VIDEO, AUDIO)) -> bytes:
    """Return a clip of periods, as the pipeline makes it: the times are those of the first one."""
    ends, lengths = {}, {}
    for medium in media:
        found = packets(made[0], medium.value)
        begin, end = min(float(packet.pts) for packet in found), max(float(packet.pts + packet.duration) for packet in found)
        later = sum(sum(float(packet.duration) for packet in packets(each, medium.value)) for each in made[1:])
        ends[medium], lengths[medium] = end + later, end + later - begin
    joiner, output = Joiner(Durations(max(lengths.values()), lengths), cut=Cut(start, seconds, ends)), b""
    for number, data in enumerate(made):
        joiner.begin_period(last=number == len(made) - 1)
        for piece in cut(data, 10_000):
            output += b"".join(joiner.feed(piece))
        output += b"".join(joiner.end_period()[0])
    return output + joiner.finish()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(40))
@given(begin=st.floats(0.0, 3.9), seconds=st.floats(0.05, 5.0) | st.none())
@example(begin=0.0, seconds=1.0)
@example(begin=1.0, seconds=1.0)
@example(begin=1.0, seconds=FRAME)
@example(begin=3.9, seconds=None)
@example(begin=1.580078125, seconds=1.5)  # ends a tick after a frame has begun
def test_a_clip_has_what_lies_in_it_and_what_that_needs(period: Period, begin: float, seconds: float | None) -> None:
    made = period(A)
    video, audio = times(made, "video"), times(made, "audio")
    start = min(video.values()) + begin
    key_frames = list(video.values())[::25]
    key = max([time for time in key_frames if time <= start + 1e-6], default=key_frames[0])
    end = float("inf") if seconds is None else start + seconds
    output = clipped([made], start, seconds)
    out_video, out_audio = times(output, "video"), times(output, "audio")
    shift = video[next(iter(out_video))] - next(iter(out_video.values()))
    assert video[next(iter(out_video))] == pytest.approx(key, abs=0.001)
    wanted = {data for data, time in video.items() if key - 0.001 <= time < end - 0.001}
    assert wanted <= out_video.keys()
    beyond = out_video.keys() - wanted
    assert len(beyond) <= 3, "frames that others need, and one on the edge"
    for data, time in out_video.items():
        assert (time + shift == pytest.approx(video[data], abs=0.001)) or (data in beyond and end - 0.001 <= time + shift < end + 0.02)
    shown = sorted(out_video.values())
    assert all(before < after for before, after in pairwise(shown))
    # One on the edge keeps its time, and may be shown for less.
    squeezed = sorted(out_video[data] for data in beyond if out_video[data] + shift != pytest.approx(video[data], abs=0.00001))
    assert all(after - before > 0.0001 for before, after in pairwise(squeezed)), "each is shown, for about a millisecond"
    kept = {data for data, time in audio.items() if key + 0.001 <= time + AUDIO_FRAME / 2 and time + AUDIO_FRAME / 2 < end - 0.001}
    assert kept <= out_audio.keys()
    assert len(out_audio.keys() - kept) <= 2, "frames on an edge"
    assert all(time + shift == pytest.approx(audio[data], abs=0.001) for data, time in out_audio.items())
    whole = verify(output)
    assert whole.sent == pytest.approx(whole.announced, abs=2 * FRAME)


@pytest.mark.parametrize("frames", [2, 6, 10])
def test_frames_beyond_the_end_that_others_need_are_shown_for_a_millisecond_each(period: Period, frames: int) -> None:
    made = period(Source(start=12, delay=3, open_gop=True))
    video = times(made, "video")
    start = min(video.values())
    out = times(clipped([made], start, frames * FRAME), "video")
    shift = video[next(iter(out))] - next(iter(out.values()))
    beyond = sorted(time + shift - start - frames * FRAME for time in out.values())[frames:]
    assert beyond == pytest.approx([0.0, 0.001], abs=0.0002)


@pytest.mark.parametrize("delay", [0, 2])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_clip_that_begins_where_a_key_frame_is_shown_begins_with_it(period: Period, delay: int, place: int) -> None:
    made = period(Source(start=12, delay=delay))
    key = list(times(made, "video").items())[25 * place]
    out = times(clipped([made], key[1], 0.5), "video")
    assert next(iter(out)) == key[0]


def test_frames_that_lead_up_to_the_first_key_frame_are_left_out(period: Period) -> None:
    made = period(Source(start=11, rate=26, delay=3, open_gop=True))
    video = times(made, "video")
    start = min(video.values()) + 1.5
    out = times(clipped([made], start, 1.0), "video")
    order, first = list(video), next(iter(out))
    leading = [data for data in order[order.index(first) :] if video[data] < video[first]]
    assert leading
    assert not set(leading) & out.keys()
    assert len(out) >= 25


@pytest.mark.parametrize("kind", ["video", "audio"])
@pytest.mark.parametrize(("begin", "seconds"), [(0.0, 1.0), (1.3, 1.0), (2.0, None), (0.5, 0.2)])
def test_a_clip_of_one_medium(period: Period, kind: str, begin: float, seconds: float | None) -> None:
    made = period(Source(start=7, audio=4 if kind == "audio" else 0, video=4 if kind == "video" else 0))
    all_times = times(made, kind)
    start = min(all_times.values()) + begin
    output = clipped([made], start, seconds, media=[Medium(kind)])
    out = times(output, kind)
    first, last = (all_times[list(out)[place]] for place in (0, -1))
    end = max(all_times.values()) if seconds is None else start + seconds
    # Video begins with the key frame before the start, one of which comes each second; audio with the frame nearest to it.
    assert -1.0 - 0.001 < first - start <= 0.001 if kind == "video" else abs(first - start) <= AUDIO_FRAME
    assert abs(last - end) <= 4 * FRAME
    assert set(out) <= set(all_times)


def test_a_clip_may_end_in_a_later_period(period: Period) -> None:
    made = [period(A), period(B)]
    start = min(times(made[0], "video").values()) + 2.0
    output = clipped(made, start, 4.0)
    out = times(output, "video")
    assert len(out.keys() & times(made[0], "video").keys()) == 50
    assert len(out.keys() & times(made[1], "video").keys()) == pytest.approx(60, abs=3)
    assert verify(output).sent == pytest.approx(4.0, abs=2 * FRAME)


def test_a_start_after_the_media_is_refused(period: Period) -> None:
    made = period(Source(start=7, audio=4, video=0))
    with pytest.raises(BadRequestError, match="the media there ends before that"):
        clipped([made], max(times(made, "audio").values()) + 10, 1.0, media=[AUDIO])


def probed(start: float, end: float, *, audio: tuple[float, float] | None = None) -> list[ProbedTrack]:
    streams, ends = [Stream(VIDEO, "h264", 256, start)], {VIDEO: end}
    if audio:
        streams.append(Stream(AUDIO, "aac", 257, audio[0], 48_000, 2))
        ends[AUDIO] = audio[1]
    segments = tuple(Segment(f"{number}.ts", (end - start) / 2, number * (end - start) / 2, None, None, None) for number in range(2))
    return [ProbedTrack(Track(TrackKind.BOTH, segments, end - start), Probe(Container.MPEGTS, tuple(streams)), ends)]


PERIODS = [probed(10.0, 14.0, audio=(9.9, 14.1)), probed(100.0, 106.0, audio=(100.0, 106.0))]


@pytest.mark.parametrize(
    ("clip", "windows"),
    [
        (None, [TimeWindow(), TimeWindow()]),
        (Clip(None, None), [TimeWindow(), TimeWindow()]),
        (Clip(1.0, None), [TimeWindow(11.0, None), TimeWindow()]),
        (Clip(1.0, 2.0), [TimeWindow(11.0, 13.0), TimeWindow(None, 98.9)]),
        (Clip(None, 4.0), [TimeWindow(None, 14.0), TimeWindow(None, 99.9)]),
        (Clip(1.0, 5.0), [TimeWindow(11.0, None), TimeWindow(None, 101.9)]),
        (Clip(5.0, 2.0), [TimeWindow(15.0, None), TimeWindow(100.9, 102.9)]),
        (Clip(5.0, 20.0), [TimeWindow(15.0, None), TimeWindow(100.9, None)]),
    ],
)
def test_which_part_of_each_period_a_clip_needs(clip: Clip | None, windows: list[TimeWindow]) -> None:
    found = clip_windows(PERIODS, clip)
    assert [value for window in found for value in window] == [
        None if value is None else pytest.approx(value) for window in windows for value in window
    ]


def test_how_much_audio_lies_in_the_windows() -> None:
    assert audio_seconds(PERIODS, [TimeWindow(), TimeWindow()]) == pytest.approx(4.2 + 6.0)
    assert audio_seconds(PERIODS, [TimeWindow(11.0, 13.0), TimeWindow(None, 99.0)]) == pytest.approx(2.0)


@pytest.mark.parametrize(("clip", "start"), [(Clip(None, 3.0), None), (Clip(1.5, 3.0), 11.5), (Clip(0.0, None), 10.0)])
def test_a_clip_is_cut_on_the_clock_of_its_first_period(clip: Clip, start: float | None) -> None:
    announcement = Announcement(seconds=10.0, media={VIDEO: 10.0, AUDIO: 10.2}, estimated_bytes=None, audio=None)
    found = cut_for_clip(PERIODS[0], announcement, clip)
    assert found
    assert (found.start, found.seconds) == (start, clip.seconds)
    assert found.ends == pytest.approx({VIDEO: 20.0, AUDIO: 20.1})
    assert cut_for_clip(PERIODS[0], announcement, None) is None
