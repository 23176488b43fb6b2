"""Where a job may go, and what goes with its requests: redirects, cookies, headers, local files."""

import asyncio
import base64
from pathlib import Path

import httpx
import pytest
from peers.fetch_calls import DATA, FILES, PART, SETTINGS, nowhere, run
from peers.origin import Rule, garbage, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher, FileFoundError
from transcoder.edge.fetch.session import PUBLIC, HttpSession
from transcoder.errors import (
    BadRequestError,
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
        found = run(lambda fetcher: fetcher.text(o.url("/main.m3u8")))
        assert found.url.partition("?")[0] == o.url("/other/b.m3u8")
        assert found.text == "#EXTM3U\n#other\n"
        assert o.requests[1].headers["cookie"] == "pass=1"
        assert o.connections == 1


@pytest.mark.parametrize(
    ("url", "error"),
    [
        pytest.param("file:///etc/passwd", ForbiddenSourceError, id="file"),
        pytest.param("ftp://127.0.0.1/", ForbiddenSourceError, id="ftp"),
        pytest.param("skd://key", ForbiddenSourceError, id="a key of another system"),
        pytest.param("http://169.254.169.254/latest", ForbiddenSourceError, id="metadata"),
        pytest.param("http://", UnsupportedSourceError, id="no host"),
        pytest.param("http://[::1/", UnsupportedSourceError, id="no address"),
        pytest.param("http://127.0.0.1:99999/", UnsupportedSourceError, id="no port"),
        pytest.param("/etc/passwd", ForbiddenSourceError, id="a path"),
        pytest.param("data:nothing", UnsupportedSourceError, id="data without content"),
        pytest.param("data:;base64,?", UnsupportedSourceError, id="data that is not base64"),
    ],
)
def test_where_nothing_may_be_fetched(url: str, error: type[TranscoderError]) -> None:
    with pytest.raises(error):
        run(lambda fetcher: fetcher.text(url))
    if not url.startswith(("/", "data:")):
        with origin(FILES) as o:
            o.rules["*"] = Rule(redirect=url)
            with pytest.raises((error, UpstreamError)):
                run(lambda fetcher: fetcher.text(o.url("/main.m3u8")))


def test_private_addresses_are_closed_by_default() -> None:
    with origin(FILES) as o:
        with pytest.raises(ForbiddenSourceError, match="public internet"):
            run(lambda fetcher: fetcher.text(o.url("/main.m3u8")), Settings())
        assert o.connections == 0


def test_keys_may_stand_in_the_playlist() -> None:
    key = garbage(16)
    url = "data:text/plain;base64," + base64.b64encode(key).decode()
    assert run(lambda fetcher: fetcher.whole(url, limit=16)) == key
    assert run(lambda fetcher: fetcher.whole("data:,0123%34", limit=16)) == b"01234"
    with pytest.raises(UnsupportedSourceError):
        run(lambda fetcher: fetcher.whole(url, limit=15))


def test_local_files(tmp_path: Path) -> None:
    (tmp_path / "a b.ts").write_bytes(DATA)
    playlist = tmp_path / "a b.m3u8"
    playlist.write_text("#EXTM3U\n", encoding="utf-8")
    path = str(tmp_path / "a b.ts")
    url = (tmp_path / "a b.ts").as_uri()

    async def use(fetcher: Fetcher) -> list[bytes | None]:
        pieces: list[bytes] = []

        async def into(piece: bytes) -> None:
            pieces.append(piece)

        await fetcher.segment(url, PART, into)
        assert (await fetcher.text(str(playlist))).url == playlist.as_uri()
        with pytest.raises(FileFoundError, match=r"is not a playlist but a file"):
            await fetcher.text(path)
        return [
            b"".join(pieces),
            await fetcher.whole(url, limit=300_000),
            await fetcher.head(path, size=10),
            await fetcher.head(path, size=10**6),
            await fetcher.tail(path, size=10),
            await fetcher.tail(path, PART, size=10),
        ]

    expected = [DATA[1000:51_000], DATA, DATA[:10], DATA, DATA[-10:], DATA[50_990:51_000]]
    assert run(use, local_files=True) == expected
    with pytest.raises(UpstreamError, match="shorter"):
        run(lambda fetcher: fetcher.segment(url, ByteRange(299_999, 2), nowhere), local_files=True)
    with pytest.raises(NotFoundError):
        run(lambda fetcher: fetcher.text(path + "x"), local_files=True)
    with pytest.raises(UpstreamError, match="cannot be read"):
        run(lambda fetcher: fetcher.text(str(tmp_path)), local_files=True)


def test_a_playlist_from_the_network_does_not_lead_to_local_files(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(DATA)

    async def use(fetcher: Fetcher) -> None:
        await fetcher.text(o.url("/main.m3u8"))
        await fetcher.segment((tmp_path / "a.ts").as_uri(), None, nowhere)

    with origin(FILES) as o, pytest.raises(ForbiddenSourceError, match="local file"):
        run(use, local_files=True)


def test_headers_go_with_every_request_but_secrets_stay_at_home() -> None:
    given = {"User-Agent": "Mine/1", "referer": "https://example.com/", "Authorization": "Basic x", "Cookie": "a=b"}
    with origin(FILES) as home, origin(FILES, host="127.0.0.2") as away:
        home.rules["*"] = Rule(redirect=away.url("/main.m3u8"))
        run(lambda fetcher: fetcher.text(home.url("/main.m3u8")), headers=given)
        for request in (home.requests[0], away.requests[0]):
            assert request.headers["user-agent"] == "Mine/1"
            assert request.headers["referer"] == "https://example.com/"
        assert home.requests[0].headers["authorization"] == "Basic x"
        assert home.requests[0].headers["cookie"] == "a=b"
        assert "authorization" not in away.requests[0].headers
        assert "cookie" not in away.requests[0].headers


@pytest.mark.parametrize("header", [{"A\nB": "c"}, {"A": "b\r\nC: d"}, {"": "x"}])
def test_a_header_that_is_none_is_refused(header: dict[str, str]) -> None:
    async def use(fetcher: Fetcher) -> None:
        await fetcher.text("http://127.0.0.1:9/")

    with pytest.raises(BadRequestError):
        run(use, headers=header)


def test_a_public_playlist_closes_private_addresses() -> None:
    async def use() -> tuple[bool, bool]:
        async with HttpSession.open(SETTINGS, {}) as exchange:
            before = exchange.private
            exchange.distrust(httpx.Response(200, extensions={PUBLIC: True}))
            with pytest.raises(ForbiddenSourceError):
                async with exchange.get(o.url("/a.ts"), {}):
                    pass
            return before, exchange.private

    with origin(FILES) as o:
        assert asyncio.run(use()) == (True, False)
        assert o.connections == 0


def test_a_private_playlist_does_not() -> None:
    async def use(fetcher: Fetcher) -> bytes:
        await fetcher.text(o.url("/main.m3u8"))
        return await fetcher.whole(o.url("/a.ts"), limit=10**6)

    with origin(FILES) as o:
        assert run(use) == DATA
