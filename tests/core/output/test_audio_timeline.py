"""Where audio lies: two periods meet without gap or overlap, and each frame lies within half a frame of its place."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transcoder.core.media.mp4.boxes import Box, box
from transcoder.core.media.mp4.movie import Movie, TrackDefaults
from transcoder.core.media.mp4.sample_entry import SampleEntry
from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment, MediaEditor, TrackRun
from transcoder.core.output.header import OutputHeader, OutputTrack
from transcoder.core.output.timeline import MAX_SILENCE_SECONDS, AudioTimeline, OutputTimeline
from transcoder.errors import TranscodeError

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
NOTHING = Box.whole(box(b"free"))
SCALE, FRAME, SILENT = 1000, 21, b"silent"
AT = 100
"""Where the media of a fragment begin."""


def track_of(medium: Medium, silence: bytes | None = SILENT) -> OutputTrack:
    return OutputTrack(medium, list(Medium).index(medium) + 1, SCALE, SampleEntry(NOTHING), TrackDefaults(0, 0, 0), None, None, silence)


def run_of(decode_time: int, count: int, *, track: OutputTrack | None = None, duration: int = FRAME) -> TrackRun:
    """Return a run of frames of 1, 2, 3 … bytes, with the flags 0, 1, 2 …"""
    sizes = list(range(1, count + 1))
    columns = [duration] * count, sizes, list(range(count)), [0] * count
    return TrackRun(track or track_of(AUDIO), decode_time, AT, AT + sum(sizes), *columns, NOTHING, NOTHING)


def media_of(run: TrackRun) -> bytes:
    """Return media in which each frame is made of its own length."""
    return b"".join(bytes([size]) * size for size in run.sizes)


def edited(fragment: Fragment, media: bytes) -> bytes:
    return b"".join(MediaEditor(fragment.edits, AT).feed(media))


def placed(timeline: AudioTimeline, run: TrackRun, shift: int = 0) -> Fragment:
    fragment = Fragment(NOTHING, [run])
    timeline.place(fragment, run, shift)
    return fragment


def test_within_a_period_the_times_of_the_source_stand() -> None:
    timeline, runs = AudioTimeline(track_of(AUDIO)), [run_of(500, 3), run_of(900, 2), run_of(930, 1), run_of(930, 0)]
    fragments = [placed(timeline, each, -500) for each in runs]
    assert [each.decode_time for each in runs] == [0, 400, 430, 430]
    assert not any(each.rewritten or each.edits for each in fragments)
    assert timeline.end == 430 + FRAME


@given(st.integers(-450, 450) | st.integers(-25, 25), st.integers(1, 30), st.sampled_from([FRAME, 20, 1]))
@example(-9, 5, FRAME)
@example(-10, 5, FRAME)
@example(-11, 5, FRAME)
@example(10, 5, FRAME)
@example(11, 5, FRAME)
@example(-150, 30, FRAME)
def test_a_later_period_goes_on_where_the_one_before_it_ends(gap: int, count: int, frame: int) -> None:
    timeline = AudioTimeline(track_of(AUDIO))
    placed(timeline, run_of(0, 30, duration=frame))
    end = timeline.end
    timeline.begin_period()
    run = run_of(end + gap - 9, count, duration=frame)
    media, natural = media_of(run), [end + gap + number * frame for number in range(count)]
    fragment = placed(timeline, run, 9)
    kept = min(count, len(run.sizes)) if gap <= frame // 2 else count
    silent = len(run.sizes) - kept
    dropped = count - kept
    assert run.decode_time == end
    assert run.durations == [frame] * (silent + kept)
    assert (run.flags, run.offsets) == ([dropped] * silent + list(range(dropped, count)), [0] * (silent + kept))
    assert edited(fragment, media) == SILENT * silent + media[sum(range(dropped + 1)) :]
    assert fragment.rewritten == bool(silent or dropped)
    assert timeline.end == end + (silent + kept) * frame
    if kept:
        moved = end + silent * frame - natural[dropped]
        assert abs(moved) <= frame // 2 or (gap > 0 and moved == -frame // 2)
        assert not dropped or end - natural[dropped - 1] > frame // 2, "no more are dropped than overlap"
        following = run_of(natural[-1] + frame + 300, 2, duration=frame)
        placed(timeline, following)
        assert following.decode_time == end + (silent + kept) * frame + 300, "a hole within a period stays"


def test_a_period_that_is_dropped_whole_leaves_its_place_to_the_next_fragment() -> None:
    timeline = AudioTimeline(track_of(AUDIO))
    placed(timeline, run_of(0, 30))
    timeline.begin_period()
    first, second = run_of(timeline.end - 200, 3), run_of(timeline.end - 137, 10)
    fragment = placed(timeline, first)
    assert (first.decode_time, first.sizes, edited(fragment, media_of(run_of(0, 3)))) == (30 * FRAME, [], b"")
    placed(timeline, second)
    assert (second.decode_time, second.sizes) == (30 * FRAME, [8, 9, 10])


def test_the_first_period_may_begin_late() -> None:
    timeline, run = AudioTimeline(track_of(AUDIO)), run_of(400, 3)
    assert not placed(timeline, run).rewritten
    assert (run.decode_time, timeline.end) == (400, 400 + 3 * FRAME)


def test_a_hole_behind_what_is_dropped_is_filled() -> None:
    timeline = AudioTimeline(track_of(AUDIO))
    placed(timeline, run_of(0, 30))
    timeline.begin_period()
    run, media = run_of(30 * FRAME - 40, 4), media_of(run_of(0, 4))
    run.durations = [FRAME, 100, FRAME, FRAME]
    fragment = placed(timeline, run)
    assert (run.decode_time, run.durations) == (30 * FRAME, [FRAME] * 6)
    assert edited(fragment, media) == 4 * SILENT + media[3:]


def test_frames_of_other_lengths_are_dropped_by_their_own_length() -> None:
    timeline = AudioTimeline(track_of(AUDIO, None))
    run = run_of(0, 5)
    run.durations = [FRAME, FRAME, 50, FRAME, 40]
    fragment = placed(timeline, run)
    timeline.trim_to(fragment, run, 100)
    assert (timeline.end, run.durations) == (92, [FRAME, FRAME, 50])
    timeline.extend_to(fragment, run, 100)
    assert (timeline.end, run.durations) == (100, [FRAME, FRAME, 58])


@pytest.mark.parametrize("silence", [None, SILENT])
def test_a_gap_stays_where_no_silence_is_known(silence: bytes | None) -> None:
    timeline = AudioTimeline(track_of(AUDIO, silence))
    placed(timeline, run_of(0, 2))
    timeline.begin_period()
    run = run_of(1000, 2)
    fragment = placed(timeline, run)
    filled = round((1000 - 2 * FRAME) / FRAME) if silence else 0
    assert run.decode_time == (2 * FRAME if silence else 1000)
    assert fragment.written_media_bytes == filled * len(SILENT)


@pytest.mark.parametrize("more", [0, 1])
def test_an_overlap_of_half_a_second_is_dropped_and_an_hour_is_filled(more: int) -> None:
    for start, words in ((1050 - 500 - more, "begins 0.5 s before"), (1050 + MAX_SILENCE_SECONDS * SCALE + more, "too long to be filled")):
        timeline = AudioTimeline(track_of(AUDIO))
        placed(timeline, run_of(0, 50))
        timeline.begin_period()
        if more:
            with pytest.raises(TranscodeError, match=words):
                placed(timeline, run_of(start, 50))
        else:
            placed(timeline, run_of(start, 50))
            assert timeline.end >= 1050


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        pytest.param(300, 10, id="later than the end"),
        pytest.param(199, 10, id="half of the last frame lies beyond"),
        pytest.param(198, 9, id="more than half of it"),
        pytest.param(115, 6, id="half of the sixth"),
        pytest.param(114, 5, id="more than half of it"),
        pytest.param(10, 1, id="half of the first"),
        pytest.param(9, 0, id="more than half of that"),
    ],
)
def test_frames_at_the_end_that_lie_beyond_it_by_more_than_half_are_dropped(limit: int, left: int) -> None:
    timeline = AudioTimeline(track_of(AUDIO))
    run = run_of(0, 10)
    fragment, media = placed(timeline, run), media_of(run)
    timeline.trim_to(fragment, run, limit)
    assert (run.sizes, run.durations) == (list(range(1, left + 1)), [FRAME] * left)
    assert run.data_end == AT + sum(run.sizes)
    assert timeline.end == left * FRAME
    assert edited(fragment, media) == media[: sum(run.sizes)]
    assert fragment.rewritten == (left < 10)


def test_silence_that_was_put_in_is_not_taken_out_again() -> None:
    timeline = AudioTimeline(track_of(AUDIO))
    placed(timeline, run_of(0, 10))
    timeline.begin_period()
    run, media = run_of(15 * FRAME, 3), media_of(run_of(0, 3))
    fragment = placed(timeline, run)
    timeline.trim_to(fragment, run, 0)
    assert run.sizes == [len(SILENT)] * 5
    assert (timeline.end, edited(fragment, media)) == (15 * FRAME, 5 * SILENT)


@pytest.mark.parametrize(
    ("silence", "limit", "last"),
    [(None, 300, 300 - 9 * FRAME), (None, 10 * FRAME, FRAME), (None, 5, FRAME), (SILENT, 300, FRAME)],
)
def test_the_last_frame_lasts_until_the_end_where_no_silence_could(silence: bytes | None, limit: int, last: int) -> None:
    timeline = AudioTimeline(track_of(AUDIO, silence))
    run = run_of(0, 10)
    fragment = placed(timeline, run)
    timeline.extend_to(fragment, run, limit)
    assert list(run.durations) == [FRAME] * 9 + [last]
    assert (timeline.end, fragment.rewritten) == (9 * FRAME + last, last != FRAME)
    timeline.extend_to(fragment, run_of(0, 0), 900)
    assert timeline.end == 9 * FRAME + last


def output_of(*media: Medium, silence: bytes | None = SILENT, begins: Sequence[int] = (0, 0)) -> OutputTimeline:
    header = OutputHeader(Movie(NOTHING, 1000, 0, ()), tuple(track_of(medium, silence if medium is AUDIO else None) for medium in media))
    return OutputTimeline.for_header(header, dict(zip(Medium, begins, strict=True)))


def fill(timeline: OutputTimeline, **ends: int) -> Fragment:
    """Place one picture, and frames of 10 ticks, from 0 up to these ends."""
    runs = []
    if "video" in ends:
        runs.append(run_of(0, 1, track=track_of(VIDEO), duration=ends["video"]))
    if "audio" in ends:
        runs.append(run_of(0, ends["audio"] // 10, duration=10))
    fragment = Fragment(NOTHING, runs)
    for run in runs:
        timeline.track(run.track.medium).place(fragment, run, 0)
    return fragment


@pytest.mark.parametrize(
    ("ends", "begins", "end"),
    [
        ({"video": 1000}, (0, 0), 1000),
        ({"audio": 1000}, (0, 0), 1000),
        ({"audio": 1000}, (0, 300), 700),
        ({"video": 1000, "audio": 1060}, (0, 0), 1000),
        ({"video": 999, "audio": 1060}, (0, 0), 1060),
        ({"video": 1000, "audio": 300}, (0, 0), 1000),
        ({"video": 1000, "audio": 1050}, (10, -20), 1070),
        ({"video": 1000, "audio": 1040}, (-10, 20), 1010),
    ],
)
def test_an_output_ends_with_its_video_unless_the_audio_is_much_longer(ends: dict[str, int], begins: Sequence[int], end: int) -> None:
    """The video stays for audio that is longer by more than 60 ms."""
    media = [medium for medium in Medium if medium.value in ends]
    timeline = output_of(*media, begins=begins)
    fill(timeline, **ends)
    assert timeline.end == Fraction(end, SCALE)
    shifts = dict(zip(Medium, begins, strict=True))
    assert timeline.ends == {medium: Fraction(ends[medium.value] - shifts[medium], SCALE) for medium in media}


def test_a_track_that_has_not_begun_ends_where_the_output_begins() -> None:
    timeline = output_of(VIDEO, AUDIO, begins=(0, -300))
    fill(timeline, video=1000)
    assert timeline.ends == {VIDEO: 1, AUDIO: Fraction(300, SCALE)}


def test_an_index_leads_to_the_video_where_there_is_any() -> None:
    assert output_of(AUDIO, VIDEO).index.track.medium is VIDEO
    assert output_of(AUDIO).index.track.medium is AUDIO
    for medium, other in ((VIDEO, AUDIO), (AUDIO, VIDEO)):
        with pytest.raises(TranscodeError, match=f"the output has no {other.value} track"):
            output_of(medium).track(other)
        assert output_of(medium).track(medium).track.medium is medium


@pytest.mark.parametrize(("audio", "silence", "end"), [(1050, SILENT, 1000), (1050, None, 1000), (1100, SILENT, 1100), (900, None, 1000)])
@pytest.mark.parametrize("begin", [0, 200])
def test_the_audio_of_a_period_ends_with_it(audio: int, silence: bytes | None, end: int, begin: int) -> None:
    timeline = output_of(VIDEO, AUDIO, silence=silence, begins=(begin, begin))
    fragment = fill(timeline, video=1000, audio=audio)
    timeline.end_audio_with_period(fragment)
    assert timeline.audio
    assert timeline.audio.end == end
    assert sum(fragment.runs[1].durations) == end
    without = fill(output_of(VIDEO), video=1000)
    timeline.end_audio_with_period(without)
    output_of(VIDEO).end_audio_with_period(without)


def test_both_tracks_begin_a_period() -> None:
    timeline = output_of(VIDEO, AUDIO)
    fill(timeline, video=2000, audio=2000)
    timeline.begin_period()
    fragment = Fragment(NOTHING, [run_of(1990, 3, duration=10)])
    timeline.track(AUDIO).place(fragment, fragment.runs[0], 0)
    assert fragment.runs[0].sizes == [2, 3]
    assert timeline.video
    timeline.video.keep_last_picture(fragment, None, 9.0)
    assert timeline.video.end == 2000, "no picture of this period has come"
