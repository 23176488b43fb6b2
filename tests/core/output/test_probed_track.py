"""What the ends of a track say about its playlist."""

import pytest

from transcoder.core.hls.plan import ByteRange, Segment, Track
from transcoder.core.media.slide import Slide
from transcoder.core.media.streams import Container, Medium, Probe, Stream, TrackKind
from transcoder.core.media.timestamps import WRAP_SECONDS
from transcoder.core.output.probed_track import Border, ProbedTrack, first_start

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
STREAMS = (Stream(VIDEO, "h264", 256, 10.0), Stream(AUDIO, "aac", 257, 10.1))


def probed(*, count: int = 2, streams: tuple[Stream, ...] = STREAMS, rounding: float = 0.0, **more: object) -> ProbedTrack:
    """Return a track of segments of 6 s each, which ends at 10 s and those."""
    segments = tuple(Segment(f"{number}.ts", 6.0, 6.0 * number, None, None, None, rounding) for number in range(count))
    found = ProbedTrack(Track(TrackKind.BOTH, segments, 6.0 * count), Probe(Container.MPEGTS, streams), {})
    return found._replace(**more)  # type: ignore[arg-type]  # members by name


@pytest.mark.parametrize(
    ("end", "rounding", "lag"),
    [
        pytest.param(20.0, 0.0, 2.0, id="two seconds"),
        pytest.param(21.86, 0.0, 0.0, id="no more than a few frames of audio"),
        pytest.param(21.84, 0.0, 0.16, id="more than that"),
        pytest.param(21.0, 0.5, 0.0, id="no more than rounding"),
        pytest.param(22.0, 0.0, 0.0, id="where the playlist says"),
        pytest.param(25.0, 0.0, 0.0, id="later"),
    ],
)
def test_a_video_lags_by_what_it_ends_before_the_playlist(end: float, rounding: float, lag: float) -> None:
    assert probed(rounding=rounding, ends={VIDEO: end, AUDIO: 22.0}).video_lag == pytest.approx(lag)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"slide": Slide(20.0, None)}, id="its last picture may be shown for any time"),
        pytest.param({"cut": True}, id="its end was not read"),
        pytest.param({"count": 1}, id="one segment"),
        pytest.param({"ends": {VIDEO: 10.5}}, id="no audio beside it"),
        pytest.param({"ends": {AUDIO: 10.5}}, id="no video"),
        pytest.param({"ends": {}}, id="no end"),
        pytest.param({"streams": tuple(stream._replace(start=None) for stream in STREAMS)}, id="no beginning"),
    ],
)
def test_no_lag_is_found_where_nothing_shows_it(more: dict[str, object]) -> None:
    assert probed(ends={VIDEO: 12.0, AUDIO: 12.0}).video_lag
    given: dict[str, object] = {"ends": {VIDEO: 12.0, AUDIO: 12.0}, **more}
    assert probed(**given).video_lag == 0  # type: ignore[arg-type]  # parameters by name


@pytest.mark.parametrize(
    ("middle", "last", "is_late"),
    [
        pytest.param(28.0, 40.0, True, id="the last segment is in its place, and only that is longer than listed"),
        pytest.param(30.0, 44.0, True, id="half of it is there in the middle"),
        pytest.param(28.64, 44.0, True, id="a sixth is there in the middle"),
        pytest.param(31.36, 44.0, True, id="five sixths are"),
        pytest.param(28.56, 44.0, False, id="hardly anything is there in the middle"),
        pytest.param(31.44, 44.0, False, id="hardly anything is missing in the middle"),
        pytest.param(28.0, 44.0, False, id="it leaps after the middle"),
        pytest.param(32.0, 44.0, False, id="it leaps before the middle"),
    ],
)
def test_a_track_is_late_little_by_little_or_leaps(middle: float, last: float, *, is_late: bool) -> None:
    """Six segments of 6 s, which end 4 s late: by the playlist the middle one begins at 28 s, and the last one at 40 s."""
    assert probed(count=6, ends={VIDEO: 50.1, AUDIO: 50.1}).is_late_by(middle=middle, last=last) is is_late


@pytest.mark.parametrize(
    ("end", "ends_early", "ends_later"),
    [(21.0, True, False), (21.8, True, False), (22.0, False, False), (22.3, False, True), (21.96, False, False)],
)
def test_a_track_ends_early_or_late_by_more_than_a_few_frames_of_audio(end: float, *, ends_early: bool, ends_later: bool) -> None:
    """By the playlist it ends 12 s after its later medium begins, at 22.1 s."""
    found = probed(ends={VIDEO: end, AUDIO: end}, border=Border(6.0, 6.0, 0.0))
    assert (found.ends_early, found.ends_later) == (ends_early, ends_later)


@pytest.mark.parametrize(
    "border",
    [
        pytest.param(None, id="nothing is known of the border"),
        pytest.param(Border(6.0, 6.0, 0.04), id="segments overlap"),
        pytest.param(Border(5.0, 6.0, 0.0), id="EXTINF is wrong about the first one"),
    ],
)
def test_an_early_end_needs_a_first_segment_that_is_as_long_as_listed(border: Border | None) -> None:
    assert not probed(ends={VIDEO: 20.0, AUDIO: 20.0}, border=border).ends_early


@pytest.mark.parametrize(
    ("more", "late"),
    [
        ({"cut": True}, 0.0),
        ({"cut": True, "last_start": 16.1}, 0.0),
        ({"cut": True, "last_start": 18.0}, 2.0),
        ({"cut": True, "last_start": 18.0, "ends": {VIDEO: 22.0}}, 2.0),
        ({"last_start": 18.0}, 0.0),
        ({"ends": {VIDEO: 24.5, AUDIO: 22.0}}, 2.4),
        ({"ends": {VIDEO: 22.0, AUDIO: 24.6}}, 2.5),
        ({"ends": {VIDEO: 24.5}, "count": 1}, 0.0),
    ],
)
def test_what_is_known_of_its_end_decides_how_late_a_track_is(more: dict[str, object], late: float) -> None:
    """Of a last segment that was not read to its end, only where it begins is known."""
    track = probed(**more)  # type: ignore[arg-type]  # members by name
    assert track.contradicts_playlist == (late > 0)
    assert track.ends_later == (late > 0.15)
    assert not track.ends_early


@pytest.mark.parametrize(
    ("kind", "streams", "lacks"),
    [
        (TrackKind.BOTH, STREAMS, False),
        (TrackKind.BOTH, STREAMS[:1], True),
        (TrackKind.AUDIO, (), True),
        (TrackKind.AUDIO, STREAMS[1:], False),
        (TrackKind.VIDEO, STREAMS[:1], False),
    ],
)
def test_audio_is_lacking_where_it_may_be_and_is_not(kind: TrackKind, streams: tuple[Stream, ...], *, lacks: bool) -> None:
    found = probed(streams=streams)
    assert found._replace(track=found.track._replace(kind=kind)).lacks_audio is lacks


@pytest.mark.parametrize(
    ("overlap", "overlaps", "is_contiguous"),
    [(0.03, False, True), (0.031, True, False), (-0.03, False, True), (-0.031, False, False), (0.0, False, True)],
)
def test_segments_overlap_or_have_a_hole_between_them_by_more_than_thirty_milliseconds(
    overlap: float, *, overlaps: bool, is_contiguous: bool
) -> None:
    border = Border(6.0, 6.0, overlap)
    assert (border.overlaps, border.is_contiguous) == (overlaps, is_contiguous)


@pytest.mark.parametrize(
    ("distance", "overlap", "contradicts"),
    [(6.6, 0.0, False), (6.61, 0.0, True), (5.4, 0.0, False), (5.39, 0.0, True), (9.0, 0.04, False), (9.0, -0.04, False)],
)
def test_extinf_is_wrong_by_more_than_a_tenth_of_what_it_says(distance: float, overlap: float, *, contradicts: bool) -> None:
    assert Border(distance, 6.0, overlap).contradicts_extinf is contradicts


@pytest.mark.parametrize(
    ("url", "byte_range", "starts"),
    [
        pytest.param("0.ts", None, [20.0, 10.1], id="the first segment"),
        pytest.param("1.ts", None, [20.0, None], id="a later one"),
        pytest.param("0.ts", ByteRange(0, 100), [20.0, None], id="another range of the same file"),
    ],
)
def test_what_the_probe_of_the_first_segment_lacks_is_known_from_before(
    url: str, byte_range: ByteRange | None, starts: list[float | None]
) -> None:
    arrived = Probe(Container.MPEGTS, (STREAMS[0]._replace(start=20.0), STREAMS[1]._replace(start=None)))
    found = probed().begun(arrived, Segment(url, 6.0, 0.0, byte_range, None, None))
    assert [stream.start for stream in found.probe.streams] == starts


@pytest.mark.parametrize(
    ("streams", "end_media", "count", "is_late"),
    [
        pytest.param(STREAMS[:1], {VIDEO, AUDIO}, 2, True, id="in the last segment alone"),
        pytest.param(STREAMS[:1], {VIDEO}, 2, False, id="nowhere"),
        pytest.param(STREAMS[:1], {AUDIO}, 1, False, id="of one segment, the first is the last"),
        pytest.param(STREAMS, {VIDEO, AUDIO}, 2, False, id="from the beginning"),
    ],
)
def test_audio_is_late_that_only_the_last_segment_has(
    streams: tuple[Stream, ...], end_media: set[Medium], count: int, *, is_late: bool
) -> None:
    assert probed(count=count, streams=streams, end_media=frozenset(end_media)).has_late_audio is is_late


@pytest.mark.parametrize(
    ("start", "early"), [(16.0, 0.0), (15.86, 0.0), (15.84, 0.16), (12.0, 4.0), (20.0, 0.0), (WRAP_SECONDS + 12.0, 4.0)]
)
def test_a_last_segment_begins_early_by_more_than_rounding(start: float, early: float) -> None:
    """By the playlist it begins 6 s after the video does, at 16 s."""
    assert probed().begins_early_by(start) == pytest.approx(early)


@pytest.mark.parametrize(("start", "is_there"), [(None, False), (16.0, True), (16.14, True), (15.86, True), (16.16, False), (15.84, False)])
def test_the_last_segment_is_in_its_place_to_within_rounding(start: float | None, *, is_there: bool) -> None:
    assert probed().has_last_at(start) is is_there


def test_a_place_in_the_playlist_is_counted_from_that_of_the_first_segment() -> None:
    track = probed().track
    moved = track._replace(segments=tuple(segment._replace(at=segment.at + 100.0) for segment in track.segments))
    assert probed(track=moved).has_last_at(16.0)


@pytest.mark.parametrize(("end", "may_leap"), [(28.1, False), (28.2, True), (16.0, False)])
def test_timestamps_may_leap_by_more_than_a_segment(end: float, *, may_leap: bool) -> None:
    """By the playlist it ends 12 s after the audio begins, at 22.1 s; each segment has 6 s."""
    assert probed(ends={VIDEO: end, AUDIO: end}).may_leap is may_leap


@pytest.mark.parametrize(
    ("start", "in_place"),
    [(16.0, True), (15.86, True), (15.84, False), (22.0, True), (22.14, True), (22.16, False)],
)
def test_a_slide_may_begin_anywhere_in_the_last_segment(start: float, *, in_place: bool) -> None:
    """Which lies from 16 s to 22 s by the playlist."""
    found = probed(slide=Slide(start, None))
    assert found.has_slide_in_place is in_place
    assert not probed().has_slide_in_place
    guessed = tuple(segment._replace(guessed=True, rounding=1.0) for segment in found.track.segments)
    assert not found._replace(track=found.track._replace(segments=guessed)).has_slide_in_place


def test_a_slide_in_its_place_is_no_contradiction() -> None:
    ends = {VIDEO: 17.0, AUDIO: 17.0}
    assert probed(ends=ends).contradicts_playlist
    assert not probed(ends=ends, slide=Slide(17.0, None)).contradicts_playlist
    assert probed(ends=ends, slide=Slide(12.0, None)).contradicts_playlist


def test_a_track_begins_with_its_video_and_a_period_with_its_earliest_stream() -> None:
    audio, video = probed(streams=(STREAMS[1]._replace(start=9.0),)), probed()
    nothing = probed(streams=tuple(stream._replace(start=None) for stream in STREAMS))
    assert (video.main_start, audio.main_start, nothing.main_start) == (10.0, 9.0, None)
    assert [first_start(tracks) for tracks in ([video], [video, audio], [nothing, video], [nothing], [])] == [10.0, 9.0, 10.0, 0.0, 0.0]


def test_only_media_with_timestamps_are_left_out_because_nothing_of_them_has_begun() -> None:
    silent = (STREAMS[0], STREAMS[1]._replace(start=None))
    for container, count in ((Container.MPEGTS, 1), (Container.FMP4, 1), (Container.ADTS, 2), (Container.MP4, 2)):
        assert len(probed(probe=Probe(container, silent)).streams) == count
