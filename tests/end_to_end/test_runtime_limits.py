"""The runtime around the real pipeline: its guards against too long a film and too long a time, HEAD, and what is logged."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import Serve
from peers.leaks import children
from peers.running_emulator import emulated, http
from peers.sdk_invocation import invoke

from transcoder.emulator import Options, Running

MIB = 1024 * 1024


@contextmanager
def function(*, timeout: float = 900.0, throttle: bool = False, **environ: str) -> Iterator[Running]:
    own = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", **environ}
    with emulated(Options(environ=own, timeout_seconds=timeout, throttle=throttle)) as running:
        assert http.get(running.url + "/health").status_code == 200
        yield running


def asked(address: str) -> str:
    return f"url={quote(address, safe='')}"


def ffmpeg_is_gone(running: Running) -> bool:
    assert running.pid is not None
    return not children(running.pid)


def test_a_film_that_is_too_long_is_told_and_the_next_is_whole(media: Callable[[str], Path], serve: Serve) -> None:
    large, small = serve(media("ts-large")), serve(media("ts-muxed"))
    with function(TRANSCODER_RESPONSE_LIMIT=str(3 * MIB)) as running:
        pid = running.pid
        payload, (end,) = invoke(running.url, "/download", asked(large.url("/main.m3u8")))
        assert end["ErrorCode"] == "Function.ResponseTooLarge"
        assert MIB < len(payload) <= 3 * MIB
        assert ffmpeg_is_gone(running)
        assert invoke(running.url, "/download", asked(small.url("/main.m3u8")))[1] == [{}]
        assert running.pid == pid


def test_a_film_that_takes_too_long_is_told_before_lambda_kills_it(media: Callable[[str], Path], serve: Serve) -> None:
    large, small = serve(media("ts-large")), serve(media("ts-muxed"))
    with function(timeout=8.0, throttle=True) as running:
        pid, began = running.pid, time.monotonic()
        payload, (end,) = invoke(running.url, "/download", asked(large.url("/main.m3u8")))
        assert end["ErrorCode"] == "Function.DeadlineExceeded"
        assert 4.0 < time.monotonic() - began < 7.5
        assert len(payload) > 6 * MIB
        assert ffmpeg_is_gone(running)
        assert invoke(running.url, "/download", asked(small.url("/main.m3u8")))[1] == [{}]
        assert running.pid == pid


def test_head_gives_the_status_and_touches_no_segment(media: Callable[[str], Path], serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    with function() as running:
        head = http.head(f"{running.url}/download?{asked(origin.url('/main.m3u8'))}")
        missing = http.head(f"{running.url}/download?{asked(origin.url('/none.m3u8'))}")
        assert {request.path for request in origin.requests} == {"/main.m3u8", "/none.m3u8"}
        got = http.get(f"{running.url}/download?{asked(origin.url('/main.m3u8'))}")
    assert (head.status_code, missing.status_code, got.status_code) == (200, 502, 200)
    own = {"x-amzn-requestid", "date", "server-timing", "x-content-duration", "x-content-length-estimate"}
    assert {name: value for name, value in head.headers.items() if name not in own} == {
        name: value for name, value in got.headers.items() if name not in own
    }


def test_the_line_of_metrics_tells_what_operators_ask_for(
    media: Callable[[str], Path], serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    origin = serve(media("ts-muxed"))
    with function() as running:
        got = http.get(f"{running.url}/download?{asked(origin.url('/main.m3u8'))}")
        http.get(f"{running.url}/download?{asked(origin.url('/none.m3u8'))}")
        http.get(running.url + "/health")
    lines = [json.loads(text) for text in capfd.readouterr().err.splitlines() if '"source_host"' in text]
    line, failed = lines
    assert (line["source_host"], failed["source_host"]) == ("127.0.0.1", "127.0.0.1")
    assert (failed["outcome"], failed["status"], failed["segments"]) == ("upstream-failed", 502, 0)
    assert line["request_id"] == got.headers["x-amzn-requestid"]
    assert (line["outcome"], line["status"], line["bytes"]) == ("ok", 200, len(got.content))
    assert (line["segments"], line["retries"], line["cold_start"]) == (3, 0, 0)
    assert line["total_ms"] >= line["first_byte_ms"] > 0
    assert {metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]} >= {"first_byte_ms", "total_ms", "bytes"}
