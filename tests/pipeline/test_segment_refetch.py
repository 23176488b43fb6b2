"""An odd body is fetched again, and believed once the origin has sent the same one twice; encrypted segments are checked in the clear."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest
from conftest import Serve
from fault_sets import KEY, encrypt
from peers.fetch_calls import with_fetcher
from peers.origin import garbage
from peers.segment_inspection import read_segments

from transcoder.core.hls.plan import Init, Key, Segment
from transcoder.edge.fetch import Fetcher
from transcoder.errors import DamagedMediaError, UpstreamError
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.segment_refetch import SegmentRefetch
from transcoder.settings import MIB

Media = Callable[[str], Path]
Accepts = Callable[[int, bytes], Awaitable[bool]]
"""Checks a body of the segment with that number."""


def with_checks(
    segments: Sequence[tuple[int, Segment]], use: Callable[[Accepts], Awaitable[None]], *, later: Mapping[int, bytes] | None = None
) -> None:
    """Await `use` with a function that checks the body of a segment; `segments` are listed with the index of their period.

    `later` are the bodies of segments, by their number, that are fetched again because the others do not follow them.
    """

    async def fetch_again(segment: Segment) -> bytes:
        assert later is not None
        return later[[listed for _, listed in segments].index(segment)]

    async def job(fetcher: Fetcher) -> None:
        checks = SegmentRefetch(segments, KeyStore(fetcher, max_init_bytes=MIB), fetch_again)

        async def accepts(number: int, body: bytes) -> bool:
            return await checks.accepts(segments[number][1], body)

        await use(accepts)

    with_fetcher(job)


def listed(count: int, *, key: str | None = None, init: str | None = None, period: int = 0) -> list[tuple[int, Segment]]:
    """List segments of two seconds; those with a key have their number as IV."""
    keys = [Key(key, number.to_bytes(16)) if key else None for number in range(count)]
    section = Init(init, None, None) if init else None
    return [(period, Segment(f"http://a.example/{n}", 2.0, 2.0 * n, None, keys[n], section)) for n in range(count)]


def test_an_odd_body_is_believed_when_it_comes_three_times(media: Media) -> None:
    _, bodies = read_segments(media("ts-separate-audio"), "large.m3u8")
    odd = bodies[1][:-100]

    async def use(accepts: Accepts) -> None:
        assert await accepts(0, bodies[0])
        assert not await accepts(1, odd)
        assert not await accepts(1, odd)
        assert await accepts(1, odd)

    with_checks(listed(3), use)


def test_different_odd_bodies_are_all_refused_and_the_right_one_is_accepted(media: Media) -> None:
    _, bodies = read_segments(media("ts-separate-audio"), "large.m3u8")

    async def use(accepts: Accepts) -> None:
        assert await accepts(0, bodies[0])
        assert not await accepts(1, bodies[1][:-100])
        assert not await accepts(1, bodies[1][:-200])
        assert not await accepts(1, bodies[1][:-300])
        assert await accepts(1, bodies[1])

    with_checks(listed(3), use)


def test_the_same_odd_body_for_two_segments_is_not_the_same_twice(media: Media) -> None:
    _, bodies = read_segments(media("ts-separate-audio"), "large.m3u8")

    async def use(accepts: Accepts) -> None:
        assert await accepts(0, bodies[0])
        assert not await accepts(1, garbage(5000))
        assert not await accepts(2, garbage(5000))

    with_checks(listed(3), use)


def test_after_a_segment_in_another_place_is_believed_the_next_ones_may_continue_it(media: Media) -> None:
    _, bodies = read_segments(media("ts-video-only"))

    async def use(accepts: Accepts) -> None:
        assert await accepts(0, bodies[0])
        assert not await accepts(2, bodies[1])
        assert not await accepts(2, bodies[1])
        assert await accepts(2, bodies[1])
        assert await accepts(3, bodies[2])

    with_checks(listed(4), use, later={0: bodies[0]})


def test_of_two_segments_that_do_not_follow_each_other_the_first_may_be_the_wrong_one(media: Media) -> None:
    _, bodies = read_segments(media("ts-video-only"))

    async def use(accepts: Accepts) -> None:
        assert await accepts(0, bodies[1])
        with pytest.raises(DamagedMediaError, match="another segment in place of this one"):
            await accepts(1, bodies[1])

    with_checks(listed(3), use, later={0: bodies[0]})


@pytest.mark.parametrize(
    ("others", "fetched"), [((), 2), ((0,), 1), ((1,), 2)], ids=["the same each time", "at first another", "then another"]
)
def test_the_first_segment_is_believed_if_two_more_responses_have_the_same(others: Sequence[int], fetched: int, media: Media) -> None:
    _, bodies = read_segments(media("ts-video-only"))
    segments, asked = listed(3), list[Segment]()

    async def fetch_again(segment: Segment) -> bytes:
        asked.append(segment)
        return bodies[0] if len(asked) - 1 in others else bodies[1]

    async def job(fetcher: Fetcher) -> bool:
        checks = SegmentRefetch(segments, KeyStore(fetcher, max_init_bytes=MIB), fetch_again)
        assert await checks.accepts(segments[0][1], bodies[1])
        return await checks.accepts(segments[1][1], bodies[1])

    if others:
        with pytest.raises(DamagedMediaError, match="another segment in place of this one"):
            with_fetcher(job)
    else:
        assert not with_fetcher(job)
    assert asked == [segments[0][1]] * fetched


def test_the_first_segment_may_be_cut_by_less_than_its_length_tells(media: Media) -> None:
    _, bodies = read_segments(media("ts-video-only"))
    starts = [at for at in range(0, len(bodies[0]), 188) if bodies[0][at + 1] & 0x5F == 0x41]
    assert len(starts) == 50
    cut = bodies[0][: starts[41]]  # after all frames that are shown before the last one

    async def use(accepts: Accepts) -> None:
        assert await accepts(0, cut)
        with pytest.raises(DamagedMediaError, match="another segment in place of this one"):
            await accepts(1, bodies[1])

    with_checks(listed(3), use, later={0: bodies[0]})


def test_each_period_has_its_own_timeline(media: Media) -> None:
    _, bodies = read_segments(media("ts-separate-audio"), "large.m3u8")
    later = [(period, segment._replace(at=segment.at + 4.0)) for period, segment in listed(2, period=1)]

    async def use(accepts: Accepts) -> None:
        for number, body in enumerate([*bodies[:2], *bodies[:2]]):
            assert await accepts(number, body), number

    with_checks([*listed(2), *later], use)


def test_a_wrong_guess_of_a_duration_makes_no_segment_odd(media: Media) -> None:
    _, bodies = read_segments(media("faults-ts-muxed"))
    for which, guess in ((0, 10.0), (1, 10.0), (3, 0.5)):
        segments = [(period, each._replace(at=each.at + (guess - 2 if n > which else 0))) for n, (period, each) in enumerate(listed(6))]
        segments[which] = (0, segments[which][1]._replace(seconds=guess, rounding=10.0, guessed=True))

        async def use(accepts: Accepts, guessed: int = which) -> None:
            for number, body in enumerate(bodies):
                assert await accepts(number, body), (guessed, number)
                assert not await accepts(number, body[: len(body) // 188 // 2 * 188]) or number == guessed

        with_checks(segments, use)


def test_a_fragmented_mp4_is_checked_with_its_initialization_section(media: Media, serve: Serve) -> None:
    init, bodies = read_segments(media("fmp4-separate-audio"), "large.m3u8")
    origin = serve({"/init.mp4": init})
    second_moof = bodies[1].index(b"moof", bodies[1].index(b"moof") + 4) - 4

    async def use(accepts: Accepts) -> None:
        assert await accepts(0, bodies[0])
        assert not await accepts(1, bodies[1][:second_moof])
        assert await accepts(1, bodies[1])

    with_checks(listed(3, init=origin.url("/init.mp4")), use)
    assert len(origin.requests) == 1


def test_encrypted_segments_are_checked_in_the_clear(media: Media, serve: Serve) -> None:
    _, clear = read_segments(media("ts-separate-audio"), "large.m3u8")
    origin = serve({"/video.key": KEY})
    bodies = [encrypt(body, number=number) for number, body in enumerate(clear)]

    async def use(accepts: Accepts) -> None:
        assert await accepts(0, bodies[0])
        for odd in (bodies[1][:-16], bodies[1][:-5], garbage(len(bodies[1])), encrypt(clear[1][:-100], number=1)):
            assert not await accepts(1, odd)
        assert await accepts(1, bodies[1])
        cut = bodies[2][: len(bodies[2]) // 32 * 16]
        assert not await accepts(2, cut)
        assert not await accepts(2, cut)
        assert await accepts(2, cut)  # each time: what decrypts it says what is wrong with it

    with_checks(listed(3, key=origin.url("/video.key")), use)
    assert len(origin.requests) == 1


def test_a_key_that_cannot_be_fetched_is_a_failure(media: Media, serve: Serve) -> None:
    _, clear = read_segments(media("ts-separate-audio"), "large.m3u8")
    origin = serve({})

    async def use(accepts: Accepts) -> None:
        with pytest.raises(UpstreamError, match="404"):
            await accepts(1, encrypt(clear[1], number=1))

    with_checks(listed(3, key=origin.url("/video.key")), use)
