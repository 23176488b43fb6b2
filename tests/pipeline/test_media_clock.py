"""What the clock of a video shows where segments of its subtitles begin, and which of its periods they belong to."""

from collections.abc import Sequence
from urllib.parse import quote_from_bytes

import pytest
from fuzz.media_pieces import ADTS, AUDIO_PID, TABLES, VIDEO_PID, packet, pes
from peers.fetch_calls import SETTINGS, with_fetcher

from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.media.streams import TrackKind
from transcoder.core.media.subtitles import Place
from transcoder.errors import UnsupportedSourceError
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.media_clock import MediaClock
from transcoder.pipeline.source_probe import SourceProbe
from transcoder.settings import MIB

WRAP = 2**33 / 90_000
"""When the clock of a transport stream begins again."""


def segment(at: float, seconds: float = 6.0, *, url: str = "", rounding: float = 0.0, left_out: int = 0) -> Segment:
    return Segment(url, seconds, at, None, None, None, rounding, left_out)


def stream(video: float | None, audio: float | None, kind: TrackKind = TrackKind.BOTH) -> Track:
    """List a segment of ten seconds whose media begin at these times."""
    body = TABLES
    for pid, time, unit, number in ((VIDEO_PID, video, b"\0\0\0\1\x09\xf0", 0xE0), (AUDIO_PID, audio, ADTS * 2, 0xC0)):
        if time is not None:
            body += packet(pid, pes(round(time % WRAP * 90_000), unit, stream=number), starts=True)
    return Track(kind, (segment(0.0, 10.0, url="data:," + quote_from_bytes(body)),), 10.0)


def places(periods: Sequence[Track], segments: Sequence[Segment]) -> list[Place]:
    plan = Plan(tuple(Period((track,)) for track in periods), 10.0, None)
    return with_fetcher(
        lambda fetcher: MediaClock(plan, SourceProbe(fetcher, KeyStore(fetcher, max_init_bytes=MIB))).places(segments), SETTINGS
    )


TWO = (stream(100.0, 99.5), stream(500.0, 499.0))


@pytest.mark.parametrize(
    ("at", "seconds", "period"),
    [
        pytest.param(0.0, 6.0, 0, id="the first one"),
        pytest.param(8.99, 6.0, 0, id="more than a second before the border"),
        pytest.param(9.0, 6.0, 1, id="a second before it"),
        pytest.param(10.0, 6.0, 1, id="at it"),
        pytest.param(9.0, 1.0, 0, id="a short one, more than half of which lies before it"),
        pytest.param(9.5, 1.0, 1, id="a short one, half of which lies before it"),
        pytest.param(25.0, 6.0, 1, id="after the end of all"),
        pytest.param(-3.0, 1.0, 0, id="before all"),
    ],
)
def test_a_segment_belongs_to_the_period_that_it_begins_in(at: float, seconds: float, period: int) -> None:
    (place,) = places(TWO, [segment(at, seconds)])
    assert (place.at, place.seconds) == (at, seconds)
    assert (place.period_at, place.clock_at_period) == ((0.0, 99.5), (10.0, 500.0))[period]


@pytest.mark.parametrize(
    ("video", "audio", "clocks"),
    [
        pytest.param(100.0, 99.5, (99.5, 100.0), id="audio first"),
        pytest.param(100.0, 101.0, (100.0, 100.0), id="video first"),
        pytest.param(100.0, None, (100.0, 100.0), id="no audio"),
        pytest.param(None, 99.5, (99.5, 99.5), id="no video"),
        pytest.param(WRAP + 0.5, WRAP - 0.5, (-0.5, 0.5), id="the clock begins again between them"),
    ],
)
def test_the_output_begins_with_what_comes_first_and_a_later_period_with_its_video(
    video: float | None, audio: float | None, clocks: tuple[float, float]
) -> None:
    found = places([stream(video, audio)] * 2, [segment(0.0), segment(10.0)])
    assert [place.clock_at_period for place in found] == [pytest.approx(clock, abs=1e-4) for clock in clocks]


def test_the_rounding_of_what_is_before_adds_up_and_so_does_doubt() -> None:
    listed = [segment(6.0 * number, rounding=0.5, left_out=int(number == 2)) for number in range(4)]
    found = places([stream(100.0, None)], listed)
    assert [place.rounding for place in found] == [0.0, 0.5, 1.0, 1.5]
    assert [place.is_doubtful for place in found] == [False, False, True, True]
    assert [place.at for place in found] == [0.0, 6.0, 12.0, 18.0]


def test_a_video_that_shows_no_time_has_no_clock() -> None:
    with pytest.raises(UnsupportedSourceError, match="does not show when it begins"):
        places([stream(None, None)], [segment(0.0)])
