"""Which segments at the end of a track have no media, and what is left of a plan without them."""

from collections.abc import Sequence
from urllib.parse import quote_from_bytes

import pytest
from conftest import Serve
from fault_sets import KEY, encrypt
from fuzz.media_pieces import INIT, NULL_PACKET, TABLES, VIDEO_PID, moof, packet, pes, trun
from peers.fetch_calls import SETTINGS, with_fetcher
from peers.origin import Rule

from transcoder.core.hls.plan import ByteRange, Init, Period, Plan, Segment, Track
from transcoder.core.hls.plan import Key as SegmentKey
from transcoder.core.media.mp4.boxes import box
from transcoder.core.media.streams import TrackKind
from transcoder.errors import ForbiddenSourceError
from transcoder.pipeline.empty_ends import without_empty_ends
from transcoder.pipeline.key_store import KeyStore
from transcoder.settings import MIB

MEDIA = TABLES + packet(VIDEO_PID, pes(9000, bytes(100)), starts=True)
FORBIDDEN = "http://127.0.0.1:1/a.ts"


def data(content: bytes) -> str:
    return "data:," + quote_from_bytes(content)


KEY_URL = data(KEY)


def track(*bodies: tuple[str, float], kind: TrackKind = TrackKind.BOTH) -> Track:
    """List addresses with their durations, one after another."""
    ats = [sum(seconds for _, seconds in bodies[:number]) for number in range(len(bodies))]
    segments = [Segment(url, seconds, at, None, None, None) for (url, seconds), at in zip(bodies, ats, strict=True)]
    return Track(kind, tuple(segments), sum(seconds for _, seconds in bodies))


def shortened(*periods: Sequence[Track]) -> list[list[list[str]]]:
    """Return the addresses that are left, by period and track; check that each track lasts up to the end of its last one."""
    plan = plan_of(*periods)
    for period in plan.periods:
        for each in period.tracks:
            assert each.seconds == pytest.approx(sum(segment.seconds for segment in each.segments))
    return [[[segment.url for segment in each.segments] for each in period.tracks] for period in plan.periods]


def plan_of(*periods: Sequence[Track]) -> Plan:
    plan = Plan(tuple(Period(tuple(tracks)) for tracks in periods), 2.0, None)
    return with_fetcher(
        lambda fetcher: without_empty_ends(plan, fetcher, KeyStore(fetcher, max_init_bytes=MIB)), SETTINGS._replace(attempts=2)
    )


FILM, EMPTY = data(MEDIA), data(TABLES)


@pytest.mark.parametrize(
    ("ends", "kept"),
    [
        ([0.1], 0),
        ([0.1001], 1),
        ([0.05, 0.05], 0),
        ([0.04, 0.06], 0),
        ([0.06, 0.05], 1),
        ([0.1, 0.0], 0),
        ([0.03, 0.03, 0.03], 0),
        ([2.0, 0.1], 1),
    ],
)
def test_the_segments_without_media_last_a_tenth_of_a_second_together(ends: Sequence[float], kept: int) -> None:
    assert shortened([track((FILM, 2.0), *((EMPTY, seconds) for seconds in ends))]) == [[[FILM, *[EMPTY] * kept]]]


@pytest.mark.parametrize("body", [MEDIA, b"no media at all", NULL_PACKET * 349], ids=["media", "something else", "too long to be empty"])
def test_a_short_segment_with_anything_in_it_stays(body: bytes) -> None:
    assert shortened([track((FILM, 2.0), (data(body), 0.1))]) == [[[FILM, data(body)]]]
    assert shortened([track((FILM, 2.0), (data(NULL_PACKET * 348), 0.1))]) == [[[FILM]]]


def test_only_the_last_segments_are_left_out() -> None:
    assert shortened([track((FILM, 2.0), (EMPTY, 0.05), (FILM, 0.01), (EMPTY, 0.01))]) == [[[FILM, EMPTY, FILM]]]


def test_a_hole_before_an_empty_end_is_not_part_of_the_track() -> None:
    film, end = track((FILM, 2.0), (EMPTY, 0.1)).segments
    ((found,),) = (period.tracks for period in plan_of([Track(TrackKind.BOTH, (film, end._replace(at=5.0)), 5.1)]).periods)
    assert found.segments == (film,)
    assert found.seconds == pytest.approx(2.0)


def test_the_only_period_keeps_its_first_segment() -> None:
    assert shortened([track((EMPTY, 0.05), (EMPTY, 0.05))]) == [[[EMPTY]]]


def test_a_period_of_which_nothing_is_left_is_left_out() -> None:
    film, empty = [track((FILM, 2.0))], [track((EMPTY, 0.1))]
    assert shortened(film, empty, film) == [[[FILM]], [[FILM]]]
    assert shortened(film, empty) == [[[FILM]]]
    assert shortened(empty, empty) == [[[EMPTY]], [[EMPTY]]]


def test_a_period_is_as_it_was_if_nothing_is_left_of_one_of_its_tracks() -> None:
    """The other one goes on, so that this one is missing there."""
    video, audio = track((FILM, 2.0), (EMPTY, 0.1), kind=TrackKind.VIDEO), track((EMPTY, 0.1), kind=TrackKind.AUDIO)
    assert shortened([video, audio], [track((FILM, 2.0))]) == [[[FILM, EMPTY], [EMPTY]], [[FILM]]]


def test_a_byte_range_of_nothing_needs_no_request() -> None:
    film = track((FILM, 2.0)).segments[0]
    end = Segment(FORBIDDEN, 0.1, 2.0, ByteRange(700, 0), None, None)
    assert plan_of([Track(TrackKind.BOTH, (film, end), 2.1)]).periods[0].tracks[0].segments == (film,)
    with pytest.raises(ForbiddenSourceError):
        plan_of([Track(TrackKind.BOTH, (film, end._replace(range=ByteRange(700, 1))), 2.1)])


def test_what_is_encrypted_is_looked_at_in_the_clear() -> None:
    film = track((FILM, 2.0)).segments[0]
    for body, is_empty in ((encrypt(TABLES, number=1), True), (encrypt(MEDIA, number=1), False), (encrypt(TABLES, number=1)[:-5], False)):
        end = Segment(data(body), 0.1, 2.0, None, SegmentKey(KEY_URL, (1).to_bytes(16)), None)
        found = plan_of([Track(TrackKind.BOTH, (film, end), 2.1)]).periods[0].tracks[0].segments
        assert len(found) == (1 if is_empty else 2)


def test_a_fragment_without_samples_is_none_of_media() -> None:
    init = Init(data(INIT), None, None)
    for body, is_empty in ((moof(), True), (moof(trun(1)) + box(b"mdat", bytes(100)), False)):
        film, end = (segment._replace(init=init) for segment in track((FILM, 2.0), (data(body), 0.1)).segments)
        assert len(plan_of([Track(TrackKind.BOTH, (film, end), 2.1)]).periods[0].tracks[0].segments) == (1 if is_empty else 2)


@pytest.mark.parametrize(("seconds", "kept"), [(0.02, 0), (0.021, 1), (0.1, 1)])
def test_a_body_of_no_bytes_may_be_that_of_an_origin_that_fails(seconds: float, kept: int, serve: Serve) -> None:
    origin = serve({"/film.ts": MEDIA, "/end.ts": b""})
    film, end = origin.url("/film.ts"), origin.url("/end.ts")
    assert shortened([track((film, 2.0), (end, seconds))]) == [[[film, *[end] * kept]]]


@pytest.mark.parametrize(("times", "kept"), [(0, 1), (1, 1), (2, 1), (3, 0)])
def test_it_is_believed_once_three_responses_had_no_media(times: int, kept: int, serve: Serve) -> None:
    origin = serve({"/film.ts": MEDIA, "/end.ts": MEDIA})
    origin.rules["/end.ts"] = Rule(body=TABLES, times=times)
    film, end = origin.url("/film.ts"), origin.url("/end.ts")
    assert shortened([track((film, 2.0), (end, 0.1))]) == [[[film, *[end] * kept]]]
    assert len(origin.requests_of("/end.ts")) == (1 if times == 0 else 3) or times in {1, 2}  # a file of another length is asked for again
    assert not origin.requests_of("/film.ts")
