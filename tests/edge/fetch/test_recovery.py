"""Transfers that break and go on: by the hash of what was passed on, in short ranges, and after bodies that are not believed."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples
from peers.fetch_calls import BYTE_RANGE, CONTENT, FILES, LAST_MODIFIED, SETTINGS, fetch_by_rule, fetch_segment, with_fetcher
from peers.origin import Request, Rule, garbage, html, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.edge.fetch.delivered_bytes import DeliveredBytes
from transcoder.errors import UpstreamError

Options = Mapping[str, Any]
NO_PROOF: dict[str, Options] = {
    "no ranges": {"etag": "", "ignore_range": True},
    "no ranges, no length": {"etag": "", "ignore_range": True, "chunked": True},
    "a weak ETag": {"etag": 'W/"1"', "ignore_range": True},
    "ranges": {"etag": ""},
    "compressed": {"etag": "", "ignore_range": True, "gzip": True},
    "compressed, no length": {"etag": "", "ignore_range": True, "gzip": True, "chunked": True},
    "compressed, ranges": {"etag": "", "gzip": True},
    "compressed, a date": {"etag": "", "ignore_range": True, "gzip": True, "headers": LAST_MODIFIED},
}
OTHER = CONTENT[:1000] + garbage(len(CONTENT) - 1000, seed=2)
"""Another version with the same length and the same beginning."""


def asked_range(request: Request) -> tuple[int, int]:
    """Return the first and the last byte that a request asks for; the last one of the file if it names none."""
    first, _, last = request.headers["range"].removeprefix("bytes=").partition("-")
    return int(first), int(last or len(CONTENT) - 1)


def short_ranges(starts: Sequence[int], stop: int, *, total: str = "300000", **options: Any) -> list[Rule]:
    """Return rules that answer each request whose range begins at one of `starts` with no more than what is before the next one."""
    edges = [*starts, stop]

    def rule(start: int, end: int) -> Rule:
        return Rule(
            when=lambda request: "range" in request.headers and asked_range(request)[0] == start,
            status=206,
            body=CONTENT[start:end],
            headers={"Content-Range": f"bytes {start}-{end - 1}/{total}"},
            **options,
        )

    return [rule(start, end) for start, end in pairwise(edges)]


@pytest.mark.parametrize("byte_range", [None, BYTE_RANGE], ids=["whole", "byte range"])
@pytest.mark.parametrize("cut", [1, 1000, 1001, 20_000, 65_536])
@pytest.mark.parametrize("options", NO_PROOF.values(), ids=NO_PROOF)
def test_a_broken_transfer_goes_on_without_validators(options: Options, cut: int, byte_range: ByteRange | None) -> None:
    expected = CONTENT if byte_range is None else CONTENT[1000:51_000]
    assert fetch_by_rule([Rule(cut_after=cut, times=2, **options), Rule(**options)], byte_range)[0] == expected


@pytest.mark.parametrize("options", NO_PROOF.values(), ids=NO_PROOF)
def test_nothing_of_another_version_is_passed_on(options: Options) -> None:
    chunks: list[bytes] = []

    async def append(chunk: bytes) -> None:
        chunks.append(chunk)

    with origin(FILES) as o:
        o.rules["/a.ts"] = [Rule(cut_after=20_000, times=1, **options), Rule(body=OTHER, **options)]
        with pytest.raises(UpstreamError, match="may have changed"):
            with_fetcher(lambda fetcher: fetcher.segment(o.url("/a.ts"), None, append))
        assert len(o.requests) == SETTINGS.attempts
    assert CONTENT.startswith(b"".join(chunks))
    assert sum(map(len, chunks)) > 1000


@pytest.mark.parametrize("options", NO_PROOF.values(), ids=NO_PROOF)
def test_another_version_once_is_not_the_end(options: Options) -> None:
    rules = [Rule(cut_after=20_000, times=1, **options), Rule(body=OTHER, times=1, **options), Rule(**options)]
    assert fetch_by_rule(rules)[0] == CONTENT


@pytest.mark.parametrize("byte_range", [None, BYTE_RANGE], ids=["whole", "byte range"])
@pytest.mark.parametrize("body", [b"", CONTENT[:900], CONTENT[:10_000], html(40_000)], ids=["empty", "shorter", "short", "a web page"])
def test_a_bad_body_on_a_retry_is_not_believed(body: bytes, byte_range: ByteRange | None) -> None:
    good = Rule(etag="", ignore_range=True, no_length=True)
    rules = [Rule(cut_after=20_000, times=1, etag="", ignore_range=True, chunked=True), replace(good, body=body, times=2), good]
    assert fetch_by_rule(rules, byte_range)[0] == (CONTENT if byte_range is None else CONTENT[1000:51_000])


def test_a_body_without_a_length_that_ends_before_the_known_length_is_not_the_end() -> None:
    good = Rule(etag="", ignore_range=True, no_length=True)
    rules = [Rule(cut_after=20_000, times=1, etag="", ignore_range=True), replace(good, body=CONTENT[:250_000], times=1), good]
    assert fetch_by_rule(rules)[0] == CONTENT
    with pytest.raises(UpstreamError, match="may have changed"):
        fetch_by_rule([rules[0], replace(good, body=CONTENT[:250_000])])


@pytest.mark.parametrize("length", [19_500, 20_000, 18_000])
def test_a_resource_that_became_shorter_is_a_failure(length: int) -> None:
    """With a length of exactly 20,000 nothing shows that more was promised: the resource ends where the transfer stopped."""
    rules = [Rule(cut_after=20_000, times=1, etag="", chunked=True), Rule(body=CONTENT[:length], etag="")]
    if length == 20_000:
        assert fetch_by_rule(rules)[0] == CONTENT[:20_000]
        return
    with pytest.raises(UpstreamError, match=r"may have changed|ends before byte 20000"):
        fetch_by_rule(rules)


def test_an_empty_body_at_first_is_asked_for_again() -> None:
    data, o = fetch_by_rule([Rule(body=b"", times=3), Rule()])
    assert data == CONTENT
    assert len(o.requests) == 4


def test_servers_may_give_the_same_file_different_dates() -> None:
    later = {"Last-Modified": "Sun, 02 Jan 2022 00:00:00 GMT"}
    rules = [Rule(cut_after=20_000, times=1, headers=LAST_MODIFIED), Rule(headers=later)]
    assert fetch_by_rule(rules)[0] == CONTENT


def test_a_range_without_validators_is_compared_where_it_begins() -> None:
    _, o = fetch_by_rule([Rule(cut_after=20_000, times=1, etag=""), Rule(etag="")])
    first = asked_range(o.requests[1])[0]
    assert first == 20_000 - 1024
    assert o.requests[1].sent == len(CONTENT) - first


@pytest.mark.parametrize(
    ("byte_range", "rules", "requests"),
    [
        pytest.param(BYTE_RANGE, short_ranges([1000, 1001, 30_000], 51_000), 3, id="a byte range"),
        pytest.param(BYTE_RANGE, short_ranges([1000, 1001, 30_000], 51_000, total="*"), 3, id="a byte range, the total unknown"),
        pytest.param(BYTE_RANGE, short_ranges([*range(1000, 1200)], 51_000), 200, id="one byte at a time, and then the rest"),
        pytest.param(
            None, [Rule(cut_after=20_000, times=1), *short_ranges([20_000, 20_001, 30_000], 300_000)], 4, id="the rest after a break"
        ),
        pytest.param(
            None,
            [Rule(cut_after=20_000, times=1), *short_ranges([20_000, 30_000], 300_000, total="*")],
            3,
            id="the rest after a break, the total known from the first response",
        ),
        pytest.param(
            None,
            [Rule(cut_after=20_000, times=1, chunked=True), *short_ranges([20_000, 30_000], 300_000, total="*")],
            4,
            id="the rest after a break, the total never known: a 416 is the end",
        ),
    ],
)
def test_short_ranges_are_continued_at_once(byte_range: ByteRange | None, rules: list[Rule], requests: int) -> None:
    """A pause would take longer than the time limit, and a failure would be the last one."""
    started_at = time.monotonic()
    breaks = sum(rule.cut_after is not None for rule in rules)
    patient = SETTINGS._replace(attempts=1 + breaks, retry_seconds=0.01 if breaks else 10.0)
    data, o = fetch_by_rule(rules, byte_range, patient)
    assert data == (CONTENT if byte_range is None else CONTENT[1000:51_000])
    assert len(o.requests) == requests
    assert time.monotonic() - started_at < 5


def test_a_short_range_is_no_retry() -> None:
    with origin(FILES) as o:
        o.rules["/a.ts"] = short_ranges([1000, 2000], 51_000)
        assert fetch_segment(o.url("/a.ts"), BYTE_RANGE)[1:] == (2, 0)


def test_a_short_range_before_the_end_of_the_resource_is_not_the_end() -> None:
    """The first bytes may be fewer than were asked for, but only if there are no more."""
    with origin(FILES) as o:
        url = o.url("/a.ts")
        o.rules["/a.ts"] = short_ranges([0, 5], 10_000, total="*")
        assert with_fetcher(lambda fetcher: fetcher.first_bytes(url, size=10_000)) == CONTENT[:10_000]
        o.rules["/a.ts"] = short_ranges([0, 5], 300_000, total="*")
        assert with_fetcher(lambda fetcher: fetcher.first_bytes(url, size=400_000)) == CONTENT
        o.rules["/a.ts"] = short_ranges([295_000, 296_000], 300_000)
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, ByteRange(0, 300_000), size=5000)) == CONTENT[-5000:]


def test_a_range_without_bytes_is_a_failure() -> None:
    empty = {"Content-Range": "bytes 1000-50999/300000"}
    with origin(FILES) as o:
        o.rules["/a.ts"] = Rule(status=206, body=b"", headers=empty, no_length=True)
        with pytest.raises(UpstreamError):
            fetch_segment(o.url("/a.ts"), BYTE_RANGE)
        assert len(o.requests) == SETTINGS.attempts


def test_a_byte_range_may_end_after_the_resource_with_an_unknown_total() -> None:
    data, o = fetch_by_rule(short_ranges([299_000], 300_000, total="*"), ByteRange(299_000, 2000))
    assert data == CONTENT[-1000:]
    assert [request.status for request in o.requests].count(416) == 3


@pytest.mark.parametrize("etag", [None, ""], ids=["an ETag", "no validators"])
def test_a_transfer_that_breaks_after_its_last_byte_is_whole(etag: str | None) -> None:
    rules = [Rule(cut_after=300_000, times=1, chunked=True, etag=etag), Rule(etag=etag)]
    assert fetch_by_rule(rules)[0] == CONTENT
    data, o = fetch_by_rule([Rule(cut_after=50_000, times=1, chunked=True, etag=etag)], BYTE_RANGE)
    assert data == CONTENT[1000:51_000]
    assert len(o.requests) == 1


def test_a_416_to_every_range_is_not_the_end() -> None:
    """Some servers answer 416 instead of ignoring a Range that they do not support."""
    rules = [
        Rule(when=lambda request: "range" in request.headers, status=416, headers={"Content-Range": "bytes */0"}),
        Rule(cut_after=20_000, times=1, chunked=True),
        Rule(),
    ]
    assert fetch_by_rule(rules)[0] == CONTENT
    rules[0] = replace(rules[0], headers={})
    assert fetch_by_rule(rules)[0] == CONTENT


@pytest.mark.parametrize("wrong", ["bytes 0-49999/300000", "nonsense", "bytes 1000-50998/300000"])
def test_a_wrong_range_once_is_not_believed(wrong: str) -> None:
    data, o = fetch_by_rule([Rule(content_range=wrong, times=1), Rule()], BYTE_RANGE)
    assert data == CONTENT[1000:51_000]
    assert len(o.requests) == 2


def test_an_origin_that_lies_about_ranges_is_asked_for_the_whole() -> None:
    lie = Rule(when=lambda request: "range" in request.headers, content_range="bytes 0-9/300000")
    assert fetch_by_rule([Rule(cut_after=20_000, times=1), lie])[0] == CONTENT


TEXTS = [html(500), b'{"error": "try again"}', b"Not found\n", "\ufeffSeite fehlt: \u00e4\u00f6\u00fc\u20ac".encode() * 9]


@pytest.mark.parametrize("byte_range", [None, ByteRange(0, 400)], ids=["whole", "byte range"])
@pytest.mark.parametrize("body", TEXTS, ids=["HTML", "JSON", "a line", "not ASCII"])
@pytest.mark.parametrize("options", [{}, {"trickle": (3, 0.0)}, {"gzip": True}], ids=["at once", "in small pieces", "compressed"])
def test_text_instead_of_media_is_asked_for_again(body: bytes, byte_range: ByteRange | None, options: Options) -> None:
    rules = [Rule(body=body, times=3, ignore_range=True, etag="", **options), Rule()]
    assert fetch_by_rule(rules, byte_range)[0] == (CONTENT if byte_range is None else CONTENT[:400])


def test_text_that_the_origin_insists_on_is_passed_on() -> None:
    """What reads the media says what is wrong with it."""
    with origin({"/a.ts": TEXTS[0]}) as o:
        assert fetch_segment(o.url("/a.ts"))[0] == TEXTS[0]
        assert len(o.requests) == SETTINGS.attempts


@pytest.mark.parametrize("media", [b"{" + garbage(5000), b"<" + bytes(200), b"G\x40\x00\x10" + b"\xff" * 184, b"\xff\xf1" + b"A" * 200])
def test_media_is_fetched_once_whatever_its_type(media: bytes) -> None:
    with origin({"/a.ts": media}) as o:
        o.rules["*"] = Rule(headers={"Content-Type": "text/html"})
        assert fetch_segment(o.url("/a.ts"))[0] == media
        assert len(o.requests) == 1


def test_text_in_place_of_first_bytes_and_initialization_sections_is_asked_for_again() -> None:
    with origin(FILES) as o:
        url = o.url("/a.ts")
        o.rules["*"] = Rule(body=html(500), times=1)
        assert with_fetcher(lambda fetcher: fetcher.first_bytes(url, size=100)) == CONTENT[:100]
        o.rules["/a.ts"] = Rule(body=html(500), times=1)
        assert with_fetcher(lambda fetcher: fetcher.small_resource(url, limit=300_000, media=True)) == CONTENT


def test_a_key_may_be_text() -> None:
    with origin({"/key": b"0123456789abcdef"}) as o:
        assert with_fetcher(lambda fetcher: fetcher.small_resource(o.url("/key"), limit=16)) == b"0123456789abcdef"
        assert len(o.requests) == 1


async def _playlist_and_segment(fetcher: Fetcher, base: str) -> bytes:
    """Fetch a playlist and then a segment."""
    chunks: list[bytes] = []

    async def append(chunk: bytes) -> None:
        chunks.append(chunk)

    await fetcher.playlist(f"{base}/main.m3u8")
    await fetcher.segment(f"{base}/a.ts", None, append)
    return b"".join(chunks)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_segment_that_is_missing_at_first_gets_late_attempts(status: int, times: int) -> None:
    with origin(FILES) as o:
        o.rules["/a.ts"] = Rule(status=status, times=times)
        started_at = time.monotonic()
        patient = SETTINGS._replace(retry_seconds=0.1)
        assert with_fetcher(lambda fetcher: _playlist_and_segment(fetcher, o.base), patient) == CONTENT
        assert time.monotonic() - started_at >= 0.4 * (2**times - 1)
        assert len(o.requests_of("/a.ts")) == 1 + times


def test_two_late_attempts_are_made() -> None:
    with origin(FILES) as o:
        o.rules["/a.ts"] = Rule(status=404)
        with pytest.raises(UpstreamError, match="404"):
            with_fetcher(lambda fetcher: _playlist_and_segment(fetcher, o.base))
        assert len(o.requests_of("/a.ts")) == 3


def test_what_is_asked_for_first_or_guessed_gets_no_late_attempt() -> None:
    async def guess(fetcher: Fetcher) -> None:
        await fetcher.playlist(o.url("/main.m3u8"))
        await fetcher.first_bytes(o.url("/a.ts"), size=16, guessed=True)

    with origin(FILES) as o:
        o.rules["/a.ts"] = o.rules["/none.m3u8"] = Rule(status=404)
        for use in (lambda fetcher: fetcher.playlist(o.url("/none.m3u8")), guess):
            with pytest.raises(UpstreamError, match="404"):
                asyncio.run(_with_open_fetcher(use))
        assert len(o.requests_of("/none.m3u8")) == len(o.requests_of("/a.ts")) == 1


async def _with_open_fetcher(use: Any) -> None:
    async with Fetcher.open(SETTINGS) as fetcher:
        await use(fetcher)


def test_the_end_of_a_segment_that_is_missing_once_gets_a_late_attempt() -> None:
    async def use(fetcher: Fetcher) -> bytes | None:
        await fetcher.playlist(o.url("/main.m3u8"))
        return await fetcher.last_bytes(o.url("/a.ts"), size=100)

    with origin(FILES) as o:
        o.rules["/a.ts"] = Rule(status=404, times=1)
        assert with_fetcher(use) == CONTENT[-100:]


def _pieces(content: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(cuts), len(content)]
    return [content[start:stop] for start, stop in pairwise(edges)]


CUTS = st.lists(st.integers(0, 5000), max_size=8)


@settings(max_examples=examples(200))
@given(delivered=st.integers(0, 5000), there=CUTS, again=CUTS, changed=st.none() | st.integers(0, 4999))
def test_a_repeated_body_goes_on_exactly_if_it_begins_with_the_same_bytes(
    delivered: int, there: list[int], again: list[int], changed: int | None
) -> None:
    content, known = CONTENT[:5000], DeliveredBytes()
    for piece in _pieces(content[:delivered], [min(cut, delivered) for cut in there]):
        known.add(piece)
    body = content if changed is None else content[:changed] + bytes([content[changed] ^ 1]) + content[changed + 1 :]
    repeated, new = known.repeated(), []
    for piece in _pieces(body, again):
        new.append(repeated.remove_from(piece))
        if new[-1] is None:
            break
    if changed is not None and changed < delivered:
        assert not any(new)
    else:
        assert b"".join(piece or b"" for piece in new) == body[delivered:]


@pytest.mark.parametrize(("chunks", "chunk_bytes"), [(3, 1000), (300, 1000), (9, 1_000_000)], ids=["few", "many", "long"])
def test_a_repeated_body_is_compared_however_it_was_delivered(chunks: int, chunk_bytes: int) -> None:
    known, part = DeliveredBytes(), CONTENT[:1000] * (chunk_bytes // 1000)
    for _ in range(chunks):
        known.add(part)
    for _ in range(2):  # interrupted, continued, and interrupted again
        body = part * (known.count // chunk_bytes)
        assert known.repeated().remove_from(body + b"new") == b"new"
        assert known.repeated().remove_from(body[:-1] + bytes([body[-1] ^ 1]) + b"new") is None
        known.add(part)


@pytest.mark.parametrize("delivered", [1001, 1100, 2030, 5000])
@pytest.mark.parametrize("cut_after", [None, 500], ids=["compared", "cut before the bytes were compared"])
def test_a_version_is_not_continued_by_the_validators_of_another(delivered: int, cut_after: int | None) -> None:
    """The first response names no version, the second one does; only that it repeats the same bytes would tie them to each other."""
    with origin(FILES) as o:
        o.rules["/a.ts"] = [
            Rule(times=1, body=OTHER, cut_after=delivered, etag=""),
            Rule(times=1, cut_after=cut_after),
            Rule(),
        ]
        with pytest.raises(UpstreamError, match="may have changed"):
            fetch_segment(o.url("/a.ts"))


BODIES = st.sampled_from([None, None, None, OTHER, b"", CONTENT[:9000], html(2000), CONTENT + b"more"])
BAD_RULES = st.builds(
    Rule,
    times=st.just(1),
    body=BODIES,
    cut_after=st.none() | st.sampled_from([0, 1, 63, 64, 900, 1000, 1001, 20_000, 299_999, 300_000]),
    ignore_range=st.booleans(),
    chunked=st.booleans(),
    gzip=st.booleans(),
    etag=st.sampled_from(["", None]),
    status=st.sampled_from([None, None, None, 503, 416]),
    content_range=st.sampled_from([None, None, "bytes 0-9/300000", "bytes 1000-50999/*"]),
)


@settings(max_examples=examples(150))
@given(bad=st.lists(BAD_RULES, max_size=3), good=BAD_RULES, byte_range=st.sampled_from([None, BYTE_RANGE]))
def test_one_version_arrives_whole_or_nothing_does(bad: list[Rule], good: Rule, byte_range: ByteRange | None) -> None:
    """Whatever an origin does: the bytes of two versions are never mixed, and nothing that it says is short looks whole."""
    rules = [*bad, replace(good, times=None, body=None, cut_after=None, status=None, content_range=None)]
    wholes = [CONTENT, OTHER, CONTENT[:9000], html(2000), CONTENT + b"more"]  # what a correct response can bring
    often = [each for each in wholes if [rule.body for rule in bad].count(each) >= 3]  # three responses may say that it ends early
    allowed = wholes if byte_range is None else [each[1000:51_000] for each in wholes if len(each) >= 51_000 or each in often]
    patient = SETTINGS._replace(attempts=5, retry_seconds=0.0)
    with origin(FILES) as o:
        o.rules["/a.ts"] = rules
        try:
            found = fetch_segment(o.url("/a.ts"), byte_range, patient)[0]
        except UpstreamError:
            assert o.requests
            return
    assert found in allowed
