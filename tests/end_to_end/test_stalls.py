"""Peers that stand still or trickle end the work in time; a client that stands still does not."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from conftest import Serve
from generated_video import ffmpeg_path
from peers import command_line
from peers.command_line import SECONDS
from peers.leaks import children
from peers.origin import Rule
from peers.running_emulator import emulated, http

from transcoder.core.output.verifier import Verifier
from transcoder.emulator import Options

CLOCKS = dict.fromkeys(("TRANSCODER_READ_SECONDS", "TRANSCODER_RATE_SECONDS", "TRANSCODER_STALL_SECONDS", "TRANSCODER_FFMPEG_SECONDS"), "3")
PAUSE_SECONDS = 7.0
"""More than each of the clocks."""
SHORT = {"TRANSCODER_ATTEMPTS": "2", "TRANSCODER_READ_SECONDS": "1", "TRANSCODER_RATE_SECONDS": "1", "TRANSCODER_FFMPEG_SECONDS": "1"}
MOST_SECONDS = 25.0


def failed_get(url: str, folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    """Return exit code and message of a `get` that leaves nothing."""
    began = time.monotonic()
    completed = command_line.run_text("get", url, "-o", str(folder / "video.mp4"), environ={**os.environ, **SHORT, **environ})
    assert time.monotonic() - began < MOST_SECONDS
    assert not list(folder.glob("*.mp4*"))
    return completed.returncode, completed.stderr


def stopped_once(folder: Path) -> str:
    """Return the path of an ffmpeg that stands still when it is run for the first time, except for its version."""
    program, flag = folder / "ffmpeg", folder / "has-run"
    program.write_text(f"""#!/bin/sh
        [ "$1" = -version ] || [ -e {flag} ] || {{ : > {flag}; kill -STOP $$; }}
        exec {shlex.quote(ffmpeg_path())} "$@"
        """)
    program.chmod(0o755)
    return str(program)


def test_get_ends_an_ffmpeg_that_stands_still(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    code, message = failed_get(url, tmp_path, {"TRANSCODER_FFMPEG": stopped_once(tmp_path)})
    assert (code, "ffmpeg has neither read nor written for 1 s, and was stopped." in message) == (5, True)


def test_the_function_ends_an_ffmpeg_that_stands_still_and_serves_the_next_request(
    media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    url = quote(serve(media("ts-muxed")).url("/main.m3u8"), safe="")
    environ = {**os.environ, **SHORT, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_FFMPEG": stopped_once(tmp_path)}
    with emulated(Options(environ=environ)) as running:
        failed = http.get(f"{running.url}/download?url={url}")
        assert (failed.status_code, failed.json()["type"].rpartition(":")[2]) == (500, "transcode-failed")
        assert "neither read nor written" in failed.json()["detail"]
        pid = running.pid
        assert pid is not None
        assert not children(pid)
        assert http.get(f"{running.url}/download?url={url}").status_code == 200
        assert running.pid == pid


@pytest.mark.skipif(sys.platform != "linux", reason="limits are set on Linux only")
def test_ffmpeg_gets_the_time_that_the_function_has(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f"""#!/bin/sh
        [ "$1" = -version ] || {{ /bin/sleep 2; ulimit -t > {tmp_path / "seconds"}; }}
        exec {shlex.quote(ffmpeg_path())} "$@"
        """)
    program.chmod(0o755)
    url = quote(serve(media("ts-muxed")).url("/main.m3u8"), safe="")
    environ = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_FFMPEG": str(program)}
    with emulated(Options(environ=environ, timeout_seconds=100.0)) as running:
        assert http.get(f"{running.url}/download?url={url}").status_code == 200
    assert 50 * (os.cpu_count() or 1) < int((tmp_path / "seconds").read_text()) <= 100 * (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("path", "rule", "words"),
    [
        pytest.param("/main.m3u8", Rule(trickle=(1, 0.1)), "main.m3u8 at 127.0.0.1: the origin sends too slowly", id="a playlist"),
        pytest.param("/main.m3u8", Rule(trickle_head=(1, 0.1)), "main.m3u8 at 127.0.0.1: the origin did not respond in time", id="a head"),
        pytest.param("/segment-2.ts", Rule(trickle=(1, 0.1)), "segment-2.ts at 127.0.0.1: the origin sends too slowly", id="a segment"),
    ],
)
def test_get_ends_what_trickles(path: str, rule: Rule, words: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    origin.rules[path] = rule
    code, message = failed_get(origin.url("/main.m3u8"), tmp_path, {})
    assert (code, words in message) == (4, True), message


def test_a_function_answers_a_trickling_playlist_with_a_timeout(media: Callable[[str], Path], serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    origin.rules["/main.m3u8"] = Rule(trickle=(1, 0.1))
    with emulated(Options(environ={**os.environ, **SHORT, "TRANSCODER_ALLOW_PRIVATE": "1"})) as running:
        response = http.get(f"{running.url}/download?url={quote(origin.url('/main.m3u8'), safe='')}")
    assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (504, "upstream-timeout")


def length_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.ts"))


@pytest.mark.long
def test_a_client_that_pauses_for_longer_than_every_clock_gets_the_whole_video(media: Callable[[str], Path], serve: Serve) -> None:
    origin, verifier, length = serve(media("ts-large")), Verifier(), length_of(media("ts-large"))
    environ = {**os.environ, **CLOCKS, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_AHEAD_BYTES": "1000000"}
    with emulated(Options(environ=environ)) as running:
        parts = urlsplit(running.url)
        with closing(HTTPConnection(parts.netloc, timeout=SECONDS)) as client:
            client.request("GET", f"/download?url={origin.url('/main.m3u8')}")
            time.sleep(PAUSE_SECONDS)
            assert origin.sent < length / 2
            response = client.getresponse()
            while chunk := response.read(1 << 20):  # raises an exception if the response is cut
                verifier.feed(chunk)
    assert verifier.end().fragments > 10


@pytest.mark.long
def test_a_reader_of_get_that_pauses_for_longer_than_every_clock_gets_the_whole_video(media: Callable[[str], Path], serve: Serve) -> None:
    origin, verifier, length = serve(media("ts-large")), Verifier(), length_of(media("ts-large"))
    environ = {**os.environ, **CLOCKS, "TRANSCODER_AHEAD_BYTES": "1000000"}
    with command_line.piped("get", origin.url("/main.m3u8"), "-o", "-", environ=environ) as (command, pipe):
        verifier.feed(pipe.read(1000))
        time.sleep(PAUSE_SECONDS)
        assert origin.sent < length / 2
        while chunk := pipe.read(1 << 20):
            verifier.feed(chunk)
        assert command.end().returncode == 0
    assert verifier.end().fragments > 10
