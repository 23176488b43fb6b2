"""What a cache between the function and its callers keeps: nothing, unless the owner says so, and then whole films alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from conftest import Serve
from peers import media_reader
from peers.origin import Origin, Rule
from peers.running_emulator import emulated
from peers.varnish import PROGRAM, varnish

from transcoder.emulator import Options

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Varnish is not installed (Debian: varnish)")
KEPT = {"TRANSCODER_CACHE_SECONDS": "3600"}


@pytest.fixture
def origin(media: Callable[[str], Path], serve: Serve) -> Origin:
    return serve(media("ts-muxed"))


@contextmanager
def cache(folder: Path, environ: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of a cache before an emulated function."""
    with emulated(Options(environ={"TRANSCODER_ALLOW_PRIVATE": "1", **environ})) as running, varnish(running.url, folder) as client:
        yield client


def get(client: httpx.Client, origin: Origin, **headers: str) -> httpx.Response:
    return client.get("/download", params={"url": origin.url("/main.m3u8")}, headers=headers)


def times_asked(origin: Origin) -> int:
    """How often a film was begun."""
    return sum(request.path == "/main.m3u8" for request in origin.requests)


def test_nothing_is_kept_unless_the_owner_says_so(origin: Origin, tmp_path: Path) -> None:
    with cache(tmp_path, {}) as client:
        answers = [get(client, origin), get(client, origin)]
    assert [(answer.status_code, answer.headers["cache-control"], answer.headers["age"]) for answer in answers] == [
        (200, "no-store", "0")
    ] * 2
    assert times_asked(origin) == 2


def test_a_whole_film_is_kept_where_the_owner_says_so(origin: Origin, tmp_path: Path) -> None:
    with cache(tmp_path, KEPT) as client:
        first, second = get(client, origin), get(client, origin)
    assert [answer.status_code for answer in (first, second)] == [200, 200]
    assert second.content == first.content
    (tmp_path / "film.mp4").write_bytes(second.content)
    assert media_reader.is_whole(tmp_path / "film.mp4")
    assert times_asked(origin) == 1


def test_a_film_that_is_kept_is_served_by_range(origin: Origin, tmp_path: Path) -> None:
    with cache(tmp_path, KEPT) as client:
        whole = get(client, origin).content
        part = get(client, origin, range="bytes=1000-1999")
        tail = get(client, origin, range="bytes=-4")
    assert (part.status_code, part.headers["content-range"], part.content) == (206, f"bytes 1000-1999/{len(whole)}", whole[1000:2000])
    assert (tail.status_code, tail.content) == (206, whole[-4:])
    assert part.headers["accept-ranges"] == "bytes"
    assert times_asked(origin) == 1


def test_a_broken_film_is_never_kept(origin: Origin, tmp_path: Path) -> None:
    # Found missing only when the film has begun: not by the look at its end, and late.
    origin.rules["/film-2.ts"] = [
        Rule(when=lambda asked: asked.headers.get("range", "").startswith("bytes=-")),
        Rule(delay=1.0, status=404),
    ]
    with cache(tmp_path, KEPT) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            get(client, origin)
        origin.rules.clear()
        (tmp_path / "film.mp4").write_bytes(get(client, origin).content)
    assert media_reader.is_whole(tmp_path / "film.mp4")
    assert times_asked(origin) == 2


def test_a_refusal_is_never_kept(origin: Origin, tmp_path: Path) -> None:
    origin.rules["/main.m3u8"] = Rule(status=404)
    with cache(tmp_path, KEPT) as client:
        refused = get(client, origin)
        origin.rules.clear()
        made = get(client, origin)
    assert (refused.status_code, refused.headers["cache-control"]) == (502, "no-store")
    assert made.status_code == 200
