"""Which addresses a job may fetch from, and redirects, cookies, headers and local files."""

import asyncio
import base64
import os
from functools import partial
from pathlib import Path

import httpx
import pytest
from peers.fetch_calls import BYTE_RANGE, CONTENT, FILES, SETTINGS, discard, with_fetcher
from peers.origin import Rule, garbage, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.core.request.user_origins import UserOrigins
from transcoder.edge.fetch import ApiRequest, Fetcher, NotAPlaylistError
from transcoder.edge.fetch.cookies import MAX_COOKIES
from transcoder.edge.fetch.session import FROM_PUBLIC, HttpSession, resolve_url
from transcoder.errors import (
    ForbiddenSourceError,
    NotFoundError,
    TranscoderError,
    UnsupportedSourceError,
    UpstreamError,
)
from transcoder.settings import Settings


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/other/b.m3u8", "other/b.m3u8", "{base}/other/b.m3u8", "//{host}/other/b.m3u8?x=1"])
def test_redirects_are_followed_and_remembered(status: int, location: str) -> None:
    with origin(FILES) as o:
        where = location.format(base=o.base, host=o.base.removeprefix("http://"))
        o.rules["/main.m3u8"] = Rule(redirect=where, status=status, headers={"Set-Cookie": "pass=1; Path=/"})
        found = with_fetcher(lambda fetcher: fetcher.playlist(o.url("/main.m3u8")))
        assert found.url.partition("?")[0] == o.url("/other/b.m3u8")
        assert found.text == "#EXTM3U\n#other\n"
        assert o.requests[1].headers["cookie"] == "pass=1"
        assert o.used_connections == 1


@pytest.mark.parametrize(
    ("url", "error"),
    [
        pytest.param("file:///etc/passwd", ForbiddenSourceError, id="file"),
        pytest.param("ftp://127.0.0.1/", ForbiddenSourceError, id="ftp"),
        pytest.param("skd://key", ForbiddenSourceError, id="a FairPlay key"),
        pytest.param("http://169.254.169.254/latest", ForbiddenSourceError, id="metadata"),
        pytest.param("http://", UnsupportedSourceError, id="no host"),
        pytest.param("http://[::1/", UnsupportedSourceError, id="an invalid URL"),
        pytest.param("http://127.0.0.1:99999/", UnsupportedSourceError, id="an invalid port"),
        pytest.param("http://xn--a/", UnsupportedSourceError, id="a label that is no international one"),
        pytest.param("http://xn--.example/", UnsupportedSourceError, id="a label that lacks its letters"),
        pytest.param("http://" + "xn--a." * 50 + "example/", UnsupportedSourceError, id="many such labels"),
        pytest.param("http:127.0.0.1/", ForbiddenSourceError, id="no slashes"),
        pytest.param("http:///127.0.0.1/", UnsupportedSourceError, id="three slashes"),
        pytest.param("concat:http://127.0.0.1/a|b", ForbiddenSourceError, id="concat"),
        pytest.param("javascript:1", ForbiddenSourceError, id="a script"),
        pytest.param("http://name:secret@127.0.0.1/", ForbiddenSourceError, id="a password"),
        pytest.param("http://127.0.0.1:22/", ForbiddenSourceError, id="SSH"),
        pytest.param("http://127.0.0.1:6379/", ForbiddenSourceError, id="a database"),
        pytest.param("/etc/passwd", ForbiddenSourceError, id="a path"),
        pytest.param("data:nothing", UnsupportedSourceError, id="data without content"),
        pytest.param("data:;base64,?", UnsupportedSourceError, id="data that is not base64"),
    ],
)
def test_refuses_an_address(url: str, error: type[TranscoderError]) -> None:
    with pytest.raises(error):
        with_fetcher(lambda fetcher: fetcher.playlist(url))
    if not url.startswith("/"):
        with origin(FILES) as o:
            o.rules["*"] = Rule(redirect=url)
            with pytest.raises((UnsupportedSourceError, ForbiddenSourceError)):
                with_fetcher(lambda fetcher: fetcher.playlist(o.url("/main.m3u8")))
            assert len(o.requests) == 1


@pytest.mark.parametrize("cookie", ["a=\xe9", "\xe9=b", "a=b; Expires=Sat, 01-Jaj-2028 00:00:00 GMT", "a=b; Max-Age", "a"])
def test_a_cookie_that_cannot_be_sent_back_is_ignored(cookie: str) -> None:
    with origin(FILES) as o:
        o.rules["/main.m3u8"] = Rule(redirect="/other/b.m3u8", headers={"Set-Cookie": cookie})
        assert with_fetcher(lambda fetcher: fetcher.playlist(o.url("/main.m3u8"))).text == "#EXTM3U\n#other\n"
        assert o.requests[1].headers.get("cookie", "").isascii()


def test_only_so_many_cookies_are_kept() -> None:
    with origin({f"/a{number}": b"a" for number in range(MAX_COOKIES + 20)}) as o:
        o.rules |= {f"/a{number}": Rule(headers={"Set-Cookie": f"name{number}=b"}) for number in range(MAX_COOKIES + 20)}

        async def all_of_them(fetcher: Fetcher) -> None:
            for number in range(MAX_COOKIES + 20):
                await fetcher.small_resource(o.url(f"/a{number}"), limit=1000)

        with_fetcher(all_of_them)
        assert o.requests[-1].headers["cookie"].count("name") == MAX_COOKIES


def test_private_addresses_are_forbidden_by_default() -> None:
    with origin(FILES) as o:
        with pytest.raises(ForbiddenSourceError, match="public internet"):
            with_fetcher(lambda fetcher: fetcher.playlist(o.url("/main.m3u8")), Settings())
        assert o.connections == 0


def test_a_key_may_be_a_data_url() -> None:
    key = garbage(16)
    url = "data:text/plain;base64," + base64.b64encode(key).decode()
    assert with_fetcher(lambda fetcher: fetcher.small_resource(url, limit=16)) == key
    assert with_fetcher(lambda fetcher: fetcher.small_resource("data:,0123%34", limit=16)) == b"01234"
    with pytest.raises(UnsupportedSourceError):
        with_fetcher(lambda fetcher: fetcher.small_resource(url, limit=15))


def test_local_files(tmp_path: Path) -> None:
    (tmp_path / "a b.ts").write_bytes(CONTENT)
    playlist = tmp_path / "a b.m3u8"
    playlist.write_text("#EXTM3U\n", encoding="utf-8")
    path = str(tmp_path / "a b.ts")
    url = (tmp_path / "a b.ts").as_uri()

    async def use(fetcher: Fetcher) -> list[bytes | None]:
        chunks: list[bytes] = []

        async def append(chunk: bytes) -> None:
            chunks.append(chunk)

        await fetcher.segment(url, BYTE_RANGE, append)
        assert (await fetcher.playlist(str(playlist))).url == playlist.as_uri()
        with pytest.raises(NotAPlaylistError, match=r"is not a playlist but a file"):
            await fetcher.playlist(path)
        return [
            b"".join(chunks),
            await fetcher.small_resource(url, limit=300_000),
            await fetcher.first_bytes(path, size=10),
            await fetcher.first_bytes(path, size=10**6),
            await fetcher.last_bytes(path, size=10),
            await fetcher.last_bytes(path, BYTE_RANGE, size=10),
        ]

    expected = [CONTENT[1000:51_000], CONTENT, CONTENT[:10], CONTENT, CONTENT[-10:], CONTENT[50_990:51_000]]
    assert with_fetcher(use, local_files=True) == expected


async def playlist_of(path: str, fetcher: Fetcher) -> object:
    return await fetcher.playlist(path)


async def resource_of(path: str, fetcher: Fetcher) -> object:
    return await fetcher.small_resource(path, None, limit=10)


def test_local_files_that_cannot_be_fetched(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(CONTENT)
    url = (tmp_path / "a.ts").as_uri()
    with pytest.raises(UpstreamError, match="has only 1 of 2 bytes"):
        with_fetcher(lambda fetcher: fetcher.small_resource(url, ByteRange(299_999, 2), limit=10), local_files=True)
    with pytest.raises(NotFoundError):
        with_fetcher(lambda fetcher: fetcher.playlist(str(tmp_path / "none.ts")), local_files=True)
    os.mkfifo(tmp_path / "pipe.ts")
    for other in (tmp_path, tmp_path / "pipe.ts"):
        for read in (partial(playlist_of, str(other)), partial(resource_of, str(other))):
            with pytest.raises(UpstreamError, match="is not a file"):
                with_fetcher(read, local_files=True)
    with pytest.raises(UpstreamError, match="cannot be read"):
        with_fetcher(lambda fetcher: fetcher.playlist(f"{tmp_path}/{'x' * 300}"), local_files=True)


def test_a_byte_range_may_end_after_a_local_file(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(CONTENT)
    url, beyond = (tmp_path / "a.ts").as_uri(), ByteRange(299_000, 2000)

    async def use(fetcher: Fetcher) -> list[bytes]:
        segment = bytearray()

        async def append(chunk: bytes) -> None:
            segment.extend(chunk)

        await fetcher.segment(url, beyond, append)
        return [bytes(segment), await fetcher.first_bytes(url, beyond, size=5000), await fetcher.last_bytes(url, beyond, size=500) or b""]

    assert with_fetcher(use, local_files=True) == [CONTENT[-1000:], CONTENT[-1000:], CONTENT[-500:]]


def test_a_playlist_from_the_network_does_not_lead_to_local_files(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(CONTENT)

    async def use(fetcher: Fetcher) -> None:
        await fetcher.playlist(o.url("/main.m3u8"))
        await fetcher.segment((tmp_path / "a.ts").as_uri(), None, discard)

    with origin(FILES) as o, pytest.raises(ForbiddenSourceError, match="local file"):
        with_fetcher(use, local_files=True)


def test_headers_go_with_every_request_but_credentials_only_to_the_first_host() -> None:
    given = {"User-Agent": "Mine/1", "referer": "https://example.com/", "Authorization": "Basic x", "Cookie": "a=b"}
    with origin(FILES) as home, origin(FILES, host="127.0.0.2") as away:
        home.rules["*"] = Rule(redirect=away.url("/main.m3u8"))
        user = UserOrigins.of(home.url("/main.m3u8"), given)
        with_fetcher(lambda fetcher: fetcher.playlist(home.url("/main.m3u8")), user=user)
        for request in (home.requests[0], away.requests[0]):
            assert request.headers["user-agent"] == "Mine/1"
            assert request.headers["referer"] == "https://example.com/"
        assert home.requests[0].headers["authorization"] == "Basic x"
        assert home.requests[0].headers["cookie"] == "a=b"
        assert "authorization" not in away.requests[0].headers
        assert "cookie" not in away.requests[0].headers


def test_what_goes_with_one_request_follows_its_redirects_but_for_credentials() -> None:
    headers = {"Authorization": "Bearer x", "accept-language": "pt"}
    with origin(FILES) as home, origin(FILES, host="127.0.0.2") as away:
        home.rules["/a.ts"] = Rule(redirect="/other/b.m3u8")
        home.rules["/other/b.m3u8"] = Rule(redirect=away.url("/main.m3u8"))
        reply = with_fetcher(lambda fetcher: fetcher.api_reply(ApiRequest(home.url("/a.ts"), headers), limit=100))
        assert reply.url == away.url("/main.m3u8")
        sent = [request.headers for request in (*home.requests, *away.requests)]
        assert [each.get("authorization") for each in sent] == ["Bearer x", "Bearer x", None]
        assert [each["accept-language"] for each in sent] == ["pt", "pt", "pt"]


@pytest.mark.parametrize(
    ("url", "base", "found"),
    [
        ("http://a.example:65535/b", None, "http://a.example:65535/b"),
        ("https://a.example", None, "https://a.example"),
        ("b?c", "https://a.example/d/e?f", "https://a.example/d/b?c"),
        ("//b.example/", "https://a.example/d", "https://b.example/"),
        ("?c", "https://a.example/d/e?f", "https://a.example/d/e?c"),
        ("http://b.example/c", "https://a.example/d", "http://b.example/c"),
    ],
)
def test_an_address_is_relative_to_where_it_stands(url: str, base: str | None, found: str) -> None:
    assert str(resolve_url(url, httpx.URL(base) if base else None)) == found


@pytest.mark.parametrize("url", ["https:b", "https:/b", "http://a.example:65536/", "http://:80/", "/b"])
def test_an_address_without_a_host_or_a_port_that_there_is_is_refused(url: str) -> None:
    with pytest.raises((ForbiddenSourceError, UnsupportedSourceError)):
        resolve_url(url)
    if url != "/b":
        with pytest.raises(UnsupportedSourceError):
            resolve_url(url, httpx.URL("https://a.example/c"))


@pytest.mark.parametrize("forbidden", [False, True], ids=["without a query", "with one that is refused"])
@pytest.mark.parametrize(("redirects", "is_followed"), [(0, True), (1, True), (3, True), (4, False), (5, False)])
def test_so_many_redirects_are_followed(redirects: int, *, is_followed: bool, forbidden: bool) -> None:
    """The attempt without a refused query is none of them."""
    with origin({f"/{number}": b"#EXTM3U\n" for number in range(9)}) as o:
        o.rules |= {f"/{number}": Rule(redirect=f"/{number + 1}") for number in range(redirects)}
        o.rules["/0"] = [Rule(status=403, when=lambda request: forbidden and bool(request.query)), o.rules.get("/0") or Rule()]  # type: ignore[list-item]
        url, settings = o.url("/0?token=1"), SETTINGS._replace(max_redirects=3, attempts=1)
        if is_followed:
            found = with_fetcher(lambda fetcher: fetcher.playlist(url), settings)
            assert found.url.partition("?")[0] == o.url(f"/{redirects}")
        else:
            with pytest.raises(UpstreamError, match=r"^0 at 127\.0\.0\.1: the origin redirects more than 3 times\.$"):
                with_fetcher(lambda fetcher: fetcher.playlist(url), settings)
        assert len(o.requests) == min(redirects, 3) + 1 + forbidden


def test_a_public_playlist_forbids_private_addresses() -> None:
    async def use() -> tuple[bool, bool]:
        async with HttpSession.open(SETTINGS) as session:
            before = session.private_allowed
            session.restrict_after(httpx.Response(200, extensions={FROM_PUBLIC: True}))
            with pytest.raises(ForbiddenSourceError):
                async with session.stream(o.url("/a.ts"), {}):
                    pass
            return before, session.private_allowed

    with origin(FILES) as o:
        assert asyncio.run(use()) == (True, False)
        assert o.connections == 0


def test_a_private_playlist_does_not_forbid_private_addresses() -> None:
    async def use(fetcher: Fetcher) -> bytes:
        await fetcher.playlist(o.url("/main.m3u8"))
        return await fetcher.small_resource(o.url("/a.ts"), limit=10**6)

    with origin(FILES) as o:
        assert with_fetcher(use) == CONTENT
