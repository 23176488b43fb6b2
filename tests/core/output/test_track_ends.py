"""Where the media of a period begin and end, at each limit between what the timestamps say and what EXTINF does."""

import pytest

from transcoder.core.hls.plan import Segment, Track
from transcoder.core.media.slide import Slide
from transcoder.core.media.streams import Container, Medium, Probe, Stream, TrackKind
from transcoder.core.media.timestamps import WRAP_SECONDS
from transcoder.core.output.probed_track import Border, ProbedTrack
from transcoder.core.output.track_ends import ends_elsewhere, media_spans

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO


def probed(*listed: float, video: float | None = 10.0, audio: float | None = None, **more: object) -> ProbedTrack:
    """Return a track with segments of these EXTINF."""
    segments = tuple(Segment(f"{number}.ts", each, sum(listed[:number]), None, None, None) for number, each in enumerate(listed))
    streams = [Stream(VIDEO, "h264", 256, video)] if video is not None else []
    streams += [Stream(AUDIO, "aac", 257, audio, 48_000, 2)] if audio is not None else []
    found = ProbedTrack(Track(TrackKind.BOTH, segments, sum(listed)), Probe(Container.MPEGTS, tuple(streams)), {})
    return found._replace(**more)  # type: ignore[arg-type]  # members by name


def end(track: ProbedTrack, medium: Medium = VIDEO) -> float:
    return media_spans([track])[medium][1]


@pytest.mark.parametrize(
    ("listed", "read", "expected"),
    [
        pytest.param((2.0, 2.0, 8.0), 14.17, 14.17, id="the last segment is shorter than listed"),
        pytest.param((2.0, 2.0, 8.0), 14.15, 22.0, id="it seems to end before it begins"),
        pytest.param((2.0, 2.0, 8.0), 29.83, 29.83, id="it is longer"),
        pytest.param((2.0, 2.0, 8.0), 29.85, 22.0, id="longer than twice"),
        pytest.param((1.0,) * 8, 14.0, 14.0, id="half a second for each"),
        pytest.param((1.0,) * 8, 13.99, 18.0, id="more than that"),
        pytest.param((6.0,), 99.0, 99.0, id="one segment shows its own end"),
        pytest.param((0.0, 0.0), 99.0, 99.0, id="nothing is listed"),
        pytest.param((2.0, 2.0, 8.0), 22.0 + WRAP_SECONDS, 22.0, id="the clock has wrapped"),
    ],
)
def test_an_end_counts_that_rounding_and_the_last_segment_explain(listed: tuple[float, ...], read: float, expected: float) -> None:
    assert end(probed(*listed, ends={VIDEO: read})) == pytest.approx(expected)


@pytest.mark.parametrize(("read", "expected"), [(20.51, 20.51), (20.49, 22.0), (22.5, 22.5)])
def test_a_part_of_the_last_segment_counts_if_it_is_no_shorter_than_rounding_explains(read: float, expected: float) -> None:
    """A quarter of its 6 s."""
    assert end(probed(6.0, 6.0, ends={VIDEO: read}, cut=True)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("audio_end", "video_end", "expected"),
    [
        pytest.param(81.99, 22.0, 81.99, id="by a minute"),
        pytest.param(82.01, 22.0, 22.0, id="by more"),
        pytest.param(16.0, 22.0, 22.0, id="it ends early"),
        pytest.param(60.0, 27.87, 60.0, id="the video ends late by less than the last segment"),
        pytest.param(60.0, 27.89, 22.0, id="the video leaps as well"),
    ],
)
def test_one_medium_may_leap_alone_by_a_minute(audio_end: float, video_end: float, expected: float) -> None:
    assert end(probed(6.0, 6.0, audio=10.0, ends={VIDEO: video_end, AUDIO: audio_end}), AUDIO) == pytest.approx(expected)


@pytest.mark.parametrize(("late", "expected"), [(40.0, 62.0), (45.88, 67.88), (34.0, 56.0)])
def test_a_medium_that_begins_late_ends_as_late(late: float, expected: float) -> None:
    read = {VIDEO: 22.0, AUDIO: 22.0 + late}
    assert end(probed(6.0, 6.0, audio=50.0, ends=read), AUDIO) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("border", "late", "counts"),
    [
        pytest.param(Border(6.0, 6.0, 0.0), 11.99, True, id="less than two segments"),
        pytest.param(Border(6.0, 6.0, 0.0), 12.01, False, id="more"),
        pytest.param(Border(6.0, 6.0, -0.04), 11.99, False, id="after a hole"),
        pytest.param(Border(7.0, 6.0, 0.0), 90.0, True, id="EXTINF is wrong"),
        pytest.param(Border(6.0, 6.0, 0.0), -5.95, False, id="early"),
    ],
)
def test_a_late_end_counts_where_the_first_border_explains_it(border: Border, late: float, *, counts: bool) -> None:
    assert end(probed(6.0, 6.0, ends={VIDEO: 22.0 + late}, border=border)) == pytest.approx(22.0 + late if counts else 22.0)


def test_the_longest_segment_says_how_late_the_last_one_may_end() -> None:
    assert end(probed(6.0, 4.0, 0.0, ends={VIDEO: 31.9}, border=Border(6.0, 6.0, 0.0))) == pytest.approx(31.9)


@pytest.mark.parametrize(
    ("read", "audio_excess", "waits"),
    [
        pytest.param({VIDEO: 16.8, AUDIO: 16.86}, 0.06, [], id="sixty milliseconds are cut"),
        pytest.param({VIDEO: 16.8, AUDIO: 16.87}, 0.07, [0.07] * 3, id="more are waited for"),
        pytest.param({VIDEO: 16.8, AUDIO: 17.8}, 0.1, [0.1, 0.4, 0.7], id="more and more"),
        pytest.param({VIDEO: 16.8}, 0.07, [0.07] * 3, id="by the first segment alone"),
    ],
)
def test_segments_that_overlap_are_played_one_after_the_other(read: dict[Medium, float], audio_excess: float, waits: list[float]) -> None:
    """Three borders, at each of which 0.4 s of video are played twice, and the next one waits for the audio, to within half a frame."""
    track = probed(2.0, 2.0, 2.0, 2.0, audio=10.0, ends=read, border=Border(1.6, 2.0, 0.4, audio_excess))
    expected = 16.8 + 3 * 0.4 + sum(each + 768 / 48_000 for each in waits)
    assert end(track) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("slide", "read", "border", "expected"),
    [
        pytest.param(Slide(40.0, None), {VIDEO: 40.04}, Border(5.0, 10.0, 0.0), 45.04, id="the only one of its segment"),
        pytest.param(Slide(40.0, None), {VIDEO: 40.04}, Border(5.0, 0.0, 0.0), 40.04, id="nothing is listed of the first"),
        pytest.param(Slide(40.0, None), {VIDEO: 40.04}, None, 20.0 + 10.0, id="nothing is known"),
        pytest.param(Slide(40.0, 4.0), {VIDEO: 40.04}, Border(5.0, 10.0, 0.0), 44.0, id="as long as those before it"),
        pytest.param(Slide(40.0, 4.0), {VIDEO: 40.04, AUDIO: 42.0}, Border(5.0, 10.0, 0.0), 42.0, id="no longer than the audio"),
        pytest.param(Slide(40.0, 4.0), {VIDEO: 40.04, AUDIO: 40.5}, Border(5.0, 10.0, 0.0), 41.0, id="but for a second"),
        pytest.param(Slide(40.0, 4.0), {VIDEO: 40.04, AUDIO: 39.0}, Border(5.0, 10.0, 0.0), 44.0, id="the audio is over"),
        pytest.param(Slide(40.0, 0.02), {VIDEO: 40.04}, Border(5.0, 10.0, 0.0), 40.04, id="no less than was read"),
    ],
)
def test_a_last_slide_out_of_its_place_is_shown_as_long_as_the_others(
    slide: Slide, read: dict[Medium, float], border: Border | None, expected: float
) -> None:
    """By the playlist the last segment lies from 20 s to 30 s."""
    assert end(probed(10.0, 10.0, audio=10.0, slide=slide, ends=read, border=border)) == pytest.approx(expected)


@pytest.mark.parametrize(("read", "elsewhere"), [(22.09, False), (22.11, True), (21.91, False), (21.89, True)])
def test_a_track_ends_elsewhere_than_extinf_says_by_more_than_a_tenth_of_a_second(read: float, *, elsewhere: bool) -> None:
    assert ends_elsewhere(probed(6.0, 6.0, ends={VIDEO: read})) is elsewhere
    assert not ends_elsewhere(probed(6.0, 6.0))


def test_all_media_of_a_period_are_on_one_timeline() -> None:
    wrapped = [probed(6.0, video=WRAP_SECONDS - 1.0), probed(6.0, video=None, audio=0.5)]
    spans = media_spans([wrapped[1], wrapped[0]])
    assert spans[VIDEO] == pytest.approx((-1.0, 5.0))
    assert spans[AUDIO] == pytest.approx((0.5, 6.5))
    assert media_spans([probed(6.0, video=None)]) == {AUDIO: (0.0, 6.0)}


def test_extinf_is_counted_from_media_that_do_not_go_into_the_output() -> None:
    track = probed(6.0, 6.0, audio=12.0)
    alone = track._replace(track=track.track._replace(kind=TrackKind.AUDIO))
    assert media_spans([alone]) == {AUDIO: (12.0, 22.0)}
