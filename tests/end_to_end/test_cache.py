"""A cache between function and callers stores nothing by default; with `TRANSCODER_CACHE_SECONDS` it stores whole videos only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from conftest import Serve
from peers import media_reader
from peers.origin import Origin, Rule
from peers.running_emulator import emulated
from peers.varnish import VARNISHD, varnish

from transcoder.emulator import Options, Running

pytestmark = pytest.mark.skipif(VARNISHD is None, reason="Varnish is not installed (Debian: varnish)")
CACHED = {"TRANSCODER_CACHE_SECONDS": "3600"}


@pytest.fixture
def origin(media: Callable[[str], Path], serve: Serve) -> Origin:
    return serve(media("ts-muxed"))


@contextmanager
def function(**environ: str) -> Iterator[Running]:
    with emulated(Options(environ={"TRANSCODER_ALLOW_PRIVATE": "1", **environ})) as running:
        yield running


@pytest.fixture(scope="module")
def caching() -> Iterator[Running]:
    with function(**CACHED) as running:
        yield running


@pytest.fixture
def client(caching: Running, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of an empty cache in front of a function that lets whole videos be cached."""
    with varnish(caching.url, tmp_path) as cached:
        yield cached


def get(client: httpx.Client, origin: Origin, **headers: str) -> httpx.Response:
    return client.get("/download", params={"url": origin.url("/main.m3u8")}, headers=headers)


def jobs_started(origin: Origin) -> int:
    """How often the function started to make the video."""
    return sum(request.path == "/main.m3u8" for request in origin.requests)


def test_nothing_is_cached_by_default(origin: Origin, tmp_path: Path) -> None:
    with function() as running, varnish(running.url, tmp_path) as client:
        responses = [get(client, origin), get(client, origin)]
    assert [(response.status_code, response.headers["cache-control"], response.headers["age"]) for response in responses] == [
        (200, "no-store", "0")
    ] * 2
    assert jobs_started(origin) == 2


def test_a_whole_video_is_cached_if_the_setting_allows_it(client: httpx.Client, origin: Origin, tmp_path: Path) -> None:
    first, second = get(client, origin), get(client, origin)
    assert [response.status_code for response in (first, second)] == [200, 200]
    assert second.content == first.content
    (tmp_path / "output.mp4").write_bytes(second.content)
    assert media_reader.is_whole(tmp_path / "output.mp4")
    assert jobs_started(origin) == 1


def test_byte_ranges_of_a_cached_video_are_served_from_the_cache(client: httpx.Client, origin: Origin) -> None:
    whole = get(client, origin).content
    part = get(client, origin, range="bytes=1000-1999")
    suffix = get(client, origin, range="bytes=-4")
    assert (part.status_code, part.headers["content-range"], part.content) == (206, f"bytes 1000-1999/{len(whole)}", whole[1000:2000])
    assert (suffix.status_code, suffix.content) == (206, whole[-4:])
    assert part.headers["accept-ranges"] == "bytes"
    assert jobs_started(origin) == 1


def test_a_truncated_video_is_never_cached(client: httpx.Client, origin: Origin, tmp_path: Path) -> None:
    # The segment is missing only after the response has started: the probe of its end succeeds, and the 404 comes late.
    origin.rules["/segment-2.ts"] = [
        Rule(when=lambda request: request.headers.get("range", "").startswith("bytes=-")),
        Rule(delay=1.0, status=404),
    ]
    with pytest.raises(httpx.RemoteProtocolError):
        get(client, origin)
    origin.rules.clear()
    (tmp_path / "output.mp4").write_bytes(get(client, origin).content)
    assert media_reader.is_whole(tmp_path / "output.mp4")
    assert jobs_started(origin) == 2


def test_an_error_is_never_cached(client: httpx.Client, origin: Origin) -> None:
    origin.rules["/main.m3u8"] = Rule(status=404)
    refused = get(client, origin)
    origin.rules.clear()
    succeeded = get(client, origin)
    assert (refused.status_code, refused.headers["cache-control"]) == (502, "no-store")
    assert succeeded.status_code == 200
