"""The canary against the emulated function: it returns only if the film is whole."""

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Serve
from peers import small_application
from peers.aws_services import CREDENTIALS
from peers.nginx import free_port
from peers.running_emulator import emulated

from infra.packages import film
from transcoder import canary
from transcoder.cli import main
from transcoder.core.output.verifier import Verifier
from transcoder.emulator import Front, Options, Running, StreamErrors
from transcoder.errors import BrokenOffError, InvocationError
from transcoder.pipeline.mp4_receiver import ReceivedMp4

KEY = "a key of sixteen or more"


@pytest.fixture(scope="module")
def film_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "film.ts"
    film.make(path)
    return path.read_bytes()


def fetch(running: Running, source: str, *, seconds: float = canary.SECONDS, **environ: str) -> ReceivedMp4:
    return asyncio.run(canary.fetch({canary.ADDRESS: running.url, canary.SOURCE: source, **environ}, seconds=seconds))


def options(**environ: str) -> Options:
    return Options(environ={**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", **environ})


def test_the_film_is_small_and_always_the_same(film_bytes: bytes, tmp_path: Path) -> None:
    film.make(tmp_path / "film.ts")
    assert (tmp_path / "film.ts").read_bytes() == film_bytes
    assert 50_000 < len(film_bytes) < 500_000


@pytest.mark.parametrize("front", list(Front))
def test_a_whole_film_is_reported(front: Front, film_bytes: bytes, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler reads from the environment what to fetch."""
    url = serve({"/film.ts": film_bytes}).url("/film.ts")
    with emulated(replace(options(), front=front)) as running:
        received = fetch(running, url)
        monkeypatch.setenv(canary.ADDRESS, running.url)
        monkeypatch.setenv(canary.SOURCE, url)
        assert canary.handler({}, None)["film"].startswith("whole: ")
    assert received.whole.announced == pytest.approx(4.0, abs=0.2)
    assert str(received).startswith("whole: ")


def test_the_film_may_be_the_one_object_of_a_bucket(film_bytes: bytes, serve: Serve) -> None:
    assets = serve({"/assets/film.ts": film_bytes})
    environ = {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": assets.url(""), "TRANSCODER_ALLOWED_BUCKETS": "assets"}
    # As on Lambda, where other sources must be on a few hosts.
    with emulated(options(**environ, TRANSCODER_ALLOWED_HOSTS="reddit.com")) as running:
        assert fetch(running, "s3://assets/film.ts").whole.fragments > 0
        with pytest.raises(InvocationError, match="403"):
            fetch(running, "s3://others/film.ts")


def test_links_are_signed_where_they_must_be(film_bytes: bytes, serve: Serve) -> None:
    url = serve({"/film.ts": film_bytes}).url("/film.ts")
    with emulated(options(TRANSCODER_SIGNING_KEYS=KEY)) as running:
        assert fetch(running, url, TRANSCODER_SIGNING_KEYS=KEY).whole.fragments > 0
        with pytest.raises(InvocationError, match=r"403.*bad-signature"):
            fetch(running, url)


@pytest.fixture(scope="module")
def made(media: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("mp4") / "made.mp4"
    assert main(["get", str(media("ts-muxed") / "main.m3u8"), "-o", str(path), "--layout", "fragmented"]) == 0
    verifier = Verifier()
    verifier.feed(path.read_bytes())
    return {**os.environ, "MP4": str(path), "SECONDS": f"{verifier.end().announced:.3f}"}


@pytest.fixture(scope="module", params=list(StreamErrors))
def function(request: pytest.FixtureRequest, made: dict[str, str]) -> Iterator[Running]:
    """A function whose film arrives in the way that the last part of its address names; failed streams end in one way or the other."""
    with emulated(Options(command=small_application.COMMAND, environ=made, stream_errors=request.param)) as running:
        yield running


@pytest.mark.parametrize("way", ["failing", "cut", "dying", "longer", "silent"])
def test_a_failure_behind_a_status_of_200_is_a_failure(way: str, function: Running) -> None:
    assert fetch(function, "http://a.example/whole").whole.fragments > 0
    with pytest.raises((InvocationError, BrokenOffError)):
        fetch(function, f"http://a.example/{way}")


def test_a_film_that_does_not_end_is_a_failure(made: dict[str, str]) -> None:
    options = Options(command=small_application.COMMAND, environ=made, timeout_seconds=5.0)
    with emulated(options) as running, pytest.raises(InvocationError, match="not there after 2 s"):
        fetch(running, "http://a.example/endless", seconds=2.0)


def test_a_service_that_is_not_there_is_a_failure() -> None:
    environ = {canary.ADDRESS: f"http://127.0.0.1:{free_port()}", canary.SOURCE: "http://a.example/whole"}
    with pytest.raises(BrokenOffError):
        asyncio.run(canary.fetch(environ))
