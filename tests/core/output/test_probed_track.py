"""What the ends of a track say about its playlist."""

import pytest

from transcoder.core.hls.plan import Segment, Track
from transcoder.core.media.slide import Slide
from transcoder.core.media.streams import Container, Medium, Probe, Stream, TrackKind
from transcoder.core.output.probed_track import Border, ProbedTrack

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
