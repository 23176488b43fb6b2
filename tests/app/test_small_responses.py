"""Heads of responses, texts that caches may keep, and links: what the routes are put together from."""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

import pytest
from peers.application import Answered

from transcoder.app.announced_media import AnnouncedMedia
from transcoder.app.response_head import OutputHead, ServerTiming
from transcoder.app.signed_links import SignedLinks
from transcoder.app.text_response import send_text, text_headers
from transcoder.core.answer.event import Request
from transcoder.core.output.announcement import Announcement
from transcoder.core.request.signing import check_signature
from transcoder.errors import BadRequestError, BadSignatureError
from transcoder.settings import Settings

KEY, OTHER_KEY = "a key with 16 bytes", "another key with 16 bytes"
TEXT = b"WEBVTT\n"
TAG = f'"{hashlib.sha256(TEXT).hexdigest()[:32]}"'


def test_each_phase_takes_as_long_as_since_the_one_before() -> None:
    times = iter([100.0, 100.25, 102.0, 102.0])
    timing = ServerTiming(lambda: next(times))
    assert str(timing) == ""
    assert [timing.mark("source"), timing.mark("index", "3 heads"), timing.mark("media")] == [250.0, 1750.0, 0.0]
    assert str(timing) == 'source;dur=250.0, index;dur=1750.0;desc="3 heads", media;dur=0.0'


@pytest.mark.parametrize(
    ("cache_seconds", "control"), [(0, "no-store"), (-1, "no-store"), (1, "public, max-age=1"), (3600, "public, max-age=3600")]
)
@pytest.mark.parametrize("seconds", [None, 0.0, 61.23456])
def test_the_head_of_an_output(cache_seconds: int, control: str, seconds: float | None) -> None:
    timing = ServerTiming(lambda: 0.0)
    timing.mark("media")
    head = OutputHead("video/mp4", "a.mp4", cache_seconds, timing).build(
        [("etag", '"a"')], status=HTTPStatus.PARTIAL_CONTENT, seconds=seconds
    )
    assert head.status == 206
    duration = {} if seconds is None else {"x-content-duration": f"{seconds:.3f}"}
    assert dict(head.headers) == duration | {
        "content-type": "video/mp4",
        "content-disposition": 'attachment; filename="a.mp4"',
        "cache-control": control,
        "x-content-type-options": "nosniff",
        "server-timing": "media;dur=0.0",
        "etag": '"a"',
    }
    assert len(head.headers) == len(dict(head.headers))
    assert OutputHead("video/mp4", "a.mp4", 0, timing).build([]).status == 200


def sent(method: str = "GET", **headers: str) -> Answered:
    answer = Answered()
    request = Request(method, "/subtitles", "", {name.replace("_", "-"): text for name, text in headers.items()})
    asyncio.run(send_text(request, answer, TEXT, text_headers("text/vtt")))
    return answer


@pytest.mark.parametrize("tags", [TAG, f"W/{TAG}", f'"a", {TAG}', f'"a",W/{TAG} ', "*"])
def test_a_client_that_has_a_text_is_told_so(tags: str) -> None:
    answer = sent(if_none_match=tags)
    assert (answer.status, bytes(answer.body), answer.headers["etag"]) == (304, b"", TAG)


@pytest.mark.parametrize("tags", ["", '"a"', TAG.strip('"'), TAG[:-2] + '"'])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_any_other_client_gets_the_text(method: str, tags: str) -> None:
    answer = sent(method, **({"if_none_match": tags} if tags else {}))
    assert (answer.status, bytes(answer.body)) == (200, TEXT if method == "GET" else b"")
    assert answer.headers == {
        "content-type": "text/vtt",
        "cache-control": "public, max-age=60",
        "x-content-type-options": "nosniff",
        "etag": TAG,
    }


def query_of(settings: Settings, values: Mapping[str, str], *, seconds: int | None = None) -> dict[str, str]:
    links = SignedLinks(settings)

    async def make() -> str:
        return await (links.link_query(values) if seconds is None else links.fresh_query(values, seconds=seconds))

    return dict(parse_qsl(asyncio.run(make()), strict_parsing=True))


def test_a_link_expires_with_the_request_that_it_copies() -> None:
    values = {"url": "https://a.example/ä b", "exp": "4000000000", "sig": "old"}
    found = query_of(Settings(signing_keys=(KEY, OTHER_KEY)), values)
    assert {**found, "sig": ""} == {"url": values["url"], "exp": "4000000000", "sig": ""}
    check_signature(found, keys=[KEY.encode()], now=3_999_999_999)
    with pytest.raises(BadSignatureError):
        check_signature(found, keys=[OTHER_KEY.encode()], now=0)  # the first key signs


def test_a_link_that_needs_no_signature_has_none() -> None:
    values = {"url": "https://a.example/", "exp": "1", "sig": "old"}
    assert query_of(Settings(), values) == query_of(Settings(), values, seconds=5) == {"url": "https://a.example/"}


def test_a_fresh_link_is_valid_for_as_long_as_it_says() -> None:
    before = int(time.time())
    found = query_of(Settings(signing_keys=(KEY,)), {"url": "https://a.example/", "exp": "1"}, seconds=900)
    assert before + 900 <= int(found["exp"]) <= int(time.time()) + 900
    check_signature(found, keys=[KEY.encode()], now=time.time())


@pytest.mark.parametrize(("keys", "arn", "are_required"), [((), "", False), ((KEY,), "", True), ((), "arn:aws:x", True)])
def test_where_there_are_keys_only_signed_links_are_served(keys: tuple[str, ...], arn: str, *, are_required: bool) -> None:
    links = SignedLinks(Settings(signing_keys=keys, signing_secret_arn=arn))
    assert links.are_required is are_required
    if not arn:
        asyncio.run(checked(links, is_served=not are_required))


async def checked(links: SignedLinks, *, is_served: bool) -> None:
    if is_served:
        await links.check({"url": "https://a.example/"})
        return
    with pytest.raises(BadSignatureError):
        await links.check({"url": "https://a.example/"})


def test_a_signed_link_is_served_until_it_expires() -> None:
    links = SignedLinks(Settings(signing_keys=(KEY,)))
    asyncio.run(links.check(query_of(Settings(signing_keys=(KEY,)), {}, seconds=60)))
    with pytest.raises(BadSignatureError, match="expired"):
        asyncio.run(links.check(query_of(Settings(signing_keys=(KEY,)), {}, seconds=-1)))
    with pytest.raises(BadRequestError):
        SignedLinks(Settings(signing_keys=("short",)))


@pytest.mark.parametrize(("encodes", "encoded"), [(False, 0.0), (True, 12.5)])
def test_what_is_announced_is_checked_before_media_is_taken(encodes: bool, encoded: float) -> None:  # noqa: FBT001 - a column
    class Place:
        taken = b""

        async def write(self, chunk: bytes) -> None:
            self.taken += chunk

    place, checks = Place(), list[tuple[int | None, float]]()
    media = AnnouncedMedia(place, 9.0, lambda size, seconds: checks.append((size, seconds)))
    assert (media.seconds, media.reencoded) == (9.0, ())

    async def run() -> None:
        await media.start(Announcement(12.5, {}, 700, reencoded=("ac3",), encodes_video=encodes))
        assert (checks, place.taken) == ([(700, encoded)], b"")
        await media.write(b"abc")

    asyncio.run(run())
    assert (media.seconds, media.reencoded, place.taken) == (12.5, ("ac3",), b"abc")
