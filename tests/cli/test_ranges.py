"""`transcoder invoke` and `get --via` fetch a plain MP4 by ranges: the first one alone, then several at once."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from peers import media_reader
from peers.large_source import write_large_source
from peers.origin import GOOD, Origin, Request, Rule
from peers.origin import origin as served
from peers.running_emulator import emulated, http

from transcoder.cli import main
from transcoder.cli.file_parts import PART_BYTES
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.emulator import Options, Running
from transcoder.errors import TranscodeError

SEGMENTS = 10


@pytest.fixture(scope="module")
def files(media: Callable[[str], Path]) -> dict[str, bytes]:
    return dict(write_large_source(media, segments=SEGMENTS, segment_bytes=2_500_000))


@pytest.fixture
def origin(files: dict[str, bytes], serve: Serve) -> Origin:
    return serve(dict(files))


@contextmanager
def function(*, concurrency: int = 4, max_waiting: int = 100, **environ: str) -> Iterator[Running]:
    merged = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_RETRY_SECONDS": "0.01", **environ}
    with emulated(Options(environ=merged, concurrency=concurrency, max_waiting=max_waiting)) as running:
        yield running


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with function() as running:
        yield running


def expected(running: Running, origin: Origin) -> bytes:
    query = {"layout": "plain", "url": origin.url("/main.m3u8")}
    return http.get(f"{running.url}/download", params=query).content


@pytest.fixture(scope="module")
def whole(service: Running, files: dict[str, bytes]) -> bytes:
    """The plain MP4 in one response."""
    with served(files) as origin:
        return expected(service, origin)


def by_sdk(running: Running, url: str) -> list[str]:
    return ["invoke", url, "--function", "transcoder", "--endpoint-url", running.url]


def by_http(running: Running, url: str) -> list[str]:
    return ["invoke", url, "--url", running.url]


def by_get(running: Running, url: str) -> list[str]:
    return ["get", url, "--via", running.url]


every_way = pytest.mark.parametrize(
    "way", [pytest.param(by_sdk, id="SDK"), pytest.param(by_http, id="HTTP"), pytest.param(by_get, id="get")]
)
Way = Callable[[Running, str], list[str]]


@every_way
def test_the_parts_make_the_file(way: Way, service: Running, whole: bytes, origin: Origin, tmp_path: Path) -> None:
    output = tmp_path / "output.mp4"
    assert main([*way(service, origin.url("/main.m3u8")), "--layout", "plain", "-o", str(output)]) == 0
    assert output.read_bytes() == whole
    assert output.stat().st_size > 3 * PART_BYTES


def test_the_summary_tells_length_and_times(service: Running, origin: Origin, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--layout", "plain", "-o", str(tmp_path / "output.mp4")]
    assert main([*by_http(service, origin.url("/main.m3u8")), *options]) == 0
    assert f"whole: 20.000 s in {(tmp_path / 'output.mp4').stat().st_size} bytes; first byte after " in capsys.readouterr().out


@pytest.mark.parametrize("connections", [1, 4])  # three ranges are left after the first one
def test_the_first_range_is_fetched_alone_and_then_several_at_once(connections: int, origin: Origin, tmp_path: Path) -> None:
    with function(concurrency=connections) as running:
        options = ["--layout", "plain", "--connections", str(connections), "-o", str(tmp_path / "output.mp4")]
        assert main([*by_http(running, origin.url("/main.m3u8")), *options]) == 0
    playlists = [number for number, request in enumerate(origin.requests) if request.path == "/main.m3u8"]
    assert len(playlists) == 4
    before_the_second = origin.requests[: playlists[1]]
    assert len({request.path for request in before_the_second if request.path.endswith(".m4s")}) == SEGMENTS
    # The first segment is asked for one byte more, and its media does not begin at 0.
    heads = [request.path for request in origin.requests if re.match(r"bytes=0-\d\d", request.headers.get("range", ""))]
    indexes = len(heads) / SEGMENTS
    assert indexes <= min(connections, 3) + 1, f"{indexes:g} indexes, {len(origin.requests)} requests at the origin"


def test_busy_environments_are_waited_for(whole: bytes, origin: Origin, tmp_path: Path) -> None:
    output = tmp_path / "output.mp4"
    with function(concurrency=1, max_waiting=0) as running:
        options = ["--layout", "plain", "--connections", "3", "-o", str(output)]
        assert main([*by_http(running, origin.url("/main.m3u8")), *options]) == 0
        assert main([*by_sdk(running, origin.url("/main.m3u8")), *options, "--force"]) == 0
        assert output.read_bytes() == whole


@pytest.fixture(scope="module")
def impatient() -> Iterator[Running]:
    """A function that asks an origin once."""
    with function(TRANSCODER_ATTEMPTS="1") as running:
        yield running


@every_way
def test_what_breaks_is_resumed(way: Way, impatient: Running, whole: bytes, origin: Origin, tmp_path: Path) -> None:
    output = tmp_path / "output.mp4"
    cut: Counter[str] = Counter()

    def decide(request: Request, earlier: int) -> Rule:
        del earlier
        first, _, last = request.headers.get("range", "=0-0").partition("=")[2].partition("-")
        if int(last) - int(first) < 1_000_000 or cut[request.path]:
            return GOOD
        cut[request.path] += 1
        return Rule(cut_after=500_000)

    origin.decide = decide
    assert main([*way(impatient, origin.url("/main.m3u8")), "--layout", "plain", "-o", str(output)]) == 0
    assert sum(cut.values()) >= 5
    assert output.read_bytes() == whole


def test_a_file_that_changes_meanwhile_is_not_kept(
    service: Running, origin: Origin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = origin.files
    assert isinstance(files, dict)

    def decide(request: Request, earlier: int) -> Rule:
        if request.path == "/main.m3u8" and earlier == 1:
            last = files["/segment9.m4s"]
            files["/segment9.m4s"] = last[:-1] + bytes([last[-1] ^ 1])
        return GOOD

    origin.decide = decide
    options = ["--layout", "plain", "--connections", "1", "-o", str(tmp_path / "output.mp4")]
    assert main([*by_http(service, origin.url("/main.m3u8")), *options]) == 7
    assert "has changed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.fixture
def cache(service: Running, media: Callable[[str], Path], serve: Serve) -> Origin:
    """Something in front of the function that has a plain MP4 of less than 200 kB, and serves it in its own way."""
    origin = serve({"/download": expected(service, serve(media("fmp4-audio-only")))})
    origin.rules["*"] = Rule(headers={"X-Content-Duration": "6.021"})
    return origin


def by_cache(cache: Origin, output: Path, **rule: Any) -> int:
    """Fetch through `cache`, which obeys a rule of these fields, too."""
    own = cache.rules["*"]
    assert isinstance(own, Rule)
    cache.rules["*"] = replace(own, **rule)
    return main(["get", "http://a.example/main.m3u8", "--via", cache.url("/"), "-o", str(output)])


def test_a_plain_mp4_that_a_cache_sends_whole_is_verified_as_one(cache: Origin, tmp_path: Path) -> None:
    output = tmp_path / "output.mp4"
    length = len(b"".join(cache.files.values())) if isinstance(cache.files, dict) else 0
    headers = {"X-Content-Duration": "6.021", "X-Content-Length": str(length)}
    assert by_cache(cache, output, ignore_range=True, headers=headers) == 0
    assert {"/download": output.read_bytes()} == cache.files
    assert by_cache(cache, tmp_path / "none.mp4", body=output.read_bytes()[:-1], status=200) == 7
    assert list(tmp_path.iterdir()) == [output]


def test_all_that_arrives_before_a_response_breaks_counts(cache: Origin, tmp_path: Path) -> None:
    output = tmp_path / "output.mp4"
    assert by_cache(cache, output, cut_after=20_000) == 0
    assert {"/download": output.read_bytes()} == cache.files
    assert len(cache.requests) == -(-output.stat().st_size // 20_000)


def test_a_length_that_cannot_be_takes_neither_memory_nor_time(cache: Origin, tmp_path: Path) -> None:
    assert (
        by_cache(cache, tmp_path / "none.mp4", content_range=f"bytes 0-{PART_BYTES - 1}/{10**16}", body=bytes(PART_BYTES), status=206) == 7
    )
    assert not list(tmp_path.iterdir())


def test_a_fragmented_output_is_streamed_as_before(service: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    assert main([*by_get(service, url), "--layout", "auto", "-o", str(tmp_path / "output.mp4")]) == 0
    assert media_reader.is_fragmented(tmp_path / "output.mp4")


@every_way
def test_a_plain_output_without_ranges_is_received_as_a_whole(
    way: Way, service: Running, media: Callable[[str], Path], serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    assert main([*way(service, url), "--layout", "plain", "-o", str(tmp_path / "output.mp4")]) == 0
    assert media_reader.is_whole(tmp_path / "output.mp4")
    assert not media_reader.is_fragmented(tmp_path / "output.mp4")
    assert "fragments" not in capsys.readouterr().out


def test_options_for_origins_do_not_reach_them_through_the_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--via", "http://127.0.0.1:1", "--referer", "http://a.example", "-o", str(tmp_path / "output.mp4")]
    assert main(["get", "http://a.example/main.m3u8", *options]) == 2
    assert "the function fetches from origins" in capsys.readouterr().err


def test_a_plain_mp4_is_verified(whole: bytes) -> None:
    def verify(body: bytes, length: int = len(whole)) -> None:
        verifier = PlainVerifier(length=length)
        verifier.feed(body)
        verifier.end()

    verify(whole)
    ftyp, moov = whole[: int.from_bytes(whole[:4], "big")], whole.index(b"moov") - 4
    mdat = whole.index(b"mdat", moov) - 4
    for broken in (whole[:-1], whole[:mdat], ftyp + whole[mdat:] + whole[moov:mdat], ftyp + whole[mdat:], whole[:mdat] + whole[mdat:-500]):
        with pytest.raises(TranscodeError):
            verify(broken)
    with pytest.raises(TranscodeError, match="instead of"):
        verify(whole, len(whole) + 1)
    shorter = whole[:mdat] + (len(whole) - mdat - 500).to_bytes(4, "big") + whole[mdat + 4 : -500]
    with pytest.raises(TranscodeError, match="not in its media"):
        verify(shorter, len(shorter))
