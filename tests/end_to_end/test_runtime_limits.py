"""The runtime with the real pipeline: its limits on response size and time, HEAD, and the log."""

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

from transcoder.core.hls.playlist.lines import MAX_URIS
from transcoder.emulator import Options, Running

MIB = 1024 * 1024


@contextmanager
def function(*, timeout: float = 900.0, throttle: bool = False, **environ: str) -> Iterator[Running]:
    merged = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", **environ}
    with emulated(Options(environ=merged, timeout_seconds=timeout, throttle=throttle)) as running:
        assert http.get(running.url + "/health").status_code == 200
        yield running


def query_for(url: str) -> str:
    return f"url={quote(url, safe='')}"


def ffmpeg_has_exited(running: Running) -> bool:
    assert running.pid is not None
    return not children(running.pid)


def test_a_response_over_the_size_limit_fails_and_the_next_one_is_whole(media: Callable[[str], Path], serve: Serve) -> None:
    large, small = serve(media("ts-large")), serve(media("ts-muxed"))
    with function(TRANSCODER_RESPONSE_LIMIT=str(3 * MIB)) as running:
        pid = running.pid
        payload, (end,) = invoke(running.url, "/download", query_for(large.url("/main.m3u8")))
        assert end["ErrorCode"] == "Function.ResponseTooLarge"
        assert MIB < len(payload) <= 3 * MIB
        assert ffmpeg_has_exited(running)
        assert invoke(running.url, "/download", query_for(small.url("/main.m3u8")))[1] == [{}]
        assert running.pid == pid


def test_a_response_over_the_time_limit_fails_before_lambda_kills_the_function(media: Callable[[str], Path], serve: Serve) -> None:
    large, small = serve(media("ts-large")), serve(media("ts-muxed"))
    with function(timeout=8.0, throttle=True) as running:
        pid, started = running.pid, time.monotonic()
        payload, (end,) = invoke(running.url, "/download", query_for(large.url("/main.m3u8")))
        assert end["ErrorCode"] == "Function.DeadlineExceeded"
        assert 4.0 < time.monotonic() - started < 7.5
        assert len(payload) > 6 * MIB
        assert ffmpeg_has_exited(running)
        assert invoke(running.url, "/download", query_for(small.url("/main.m3u8")))[1] == [{}]
        assert running.pid == pid


def test_a_source_that_keeps_the_processor_busy_is_ended_in_time(media: Callable[[str], Path], serve: Serve) -> None:
    # As many segments as a source may have, twice: reading the playlists takes longer than the function has for all.
    segments = b"".join(b"#EXTINF:6,\nsegment-%d.ts\n" % number for number in range(MAX_URIS))
    audio = b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="audio.m3u8"\n'
    files = {
        "/main.m3u8": b"#EXTM3U\n" + audio + b'#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO="a"\nvideo.m3u8\n',
        **dict.fromkeys(("/video.m3u8", "/audio.m3u8"), b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n" + segments + b"#EXT-X-ENDLIST\n"),
    }
    hostile, small = serve(files), serve(media("ts-muxed"))
    with function(timeout=4.0) as running:
        pid, started = running.pid, time.monotonic()
        response = http.get(f"{running.url}/download?{query_for(hostile.url('/main.m3u8'))}")
        assert response.status_code in {502, 504}  # whichever comes first: what is wrong with the source, or the deadline
        assert time.monotonic() - started < 4.0
        assert invoke(running.url, "/download", query_for(small.url("/main.m3u8")))[1] == [{}]
        assert running.pid == pid
        assert ffmpeg_has_exited(running)  # only now: an application that is opened again asks ffmpeg for its version first


def test_head_gives_the_status_without_fetching_a_segment(media: Callable[[str], Path], serve: Serve) -> None:
    origin = serve(media("ts-muxed"))
    with function() as running:
        head = http.head(f"{running.url}/download?{query_for(origin.url('/main.m3u8'))}")
        missing = http.head(f"{running.url}/download?{query_for(origin.url('/none.m3u8'))}")
        assert {request.path for request in origin.requests} == {"/main.m3u8", "/none.m3u8"}
        response = http.get(f"{running.url}/download?{query_for(origin.url('/main.m3u8'))}")
    assert (head.status_code, missing.status_code, response.status_code) == (200, 502, 200)
    varying = {"x-amzn-requestid", "date", "server-timing", "x-content-duration", "x-content-length-estimate"}
    assert {name: value for name, value in head.headers.items() if name not in varying} == {
        name: value for name, value in response.headers.items() if name not in varying
    }


def test_the_metrics_line_has_the_fields_that_operators_need(
    media: Callable[[str], Path], serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    origin = serve(media("ts-muxed"))
    with function() as running:
        response = http.get(f"{running.url}/download?{query_for(origin.url('/main.m3u8'))}")
        http.get(f"{running.url}/download?{query_for(origin.url('/none.m3u8'))}")
        http.get(running.url + "/health")
    lines = [json.loads(text) for text in capfd.readouterr().err.splitlines() if '"source_host"' in text]
    succeeded, failed = lines
    assert (succeeded["source_host"], failed["source_host"]) == ("127.0.0.1", "127.0.0.1")
    assert (failed["outcome"], failed["status"], failed["segments"]) == ("upstream-failed", 502, 0)
    assert succeeded["request_id"] == response.headers["x-amzn-requestid"]
    assert (succeeded["outcome"], succeeded["status"], succeeded["bytes"]) == ("ok", 200, len(response.content))
    assert (succeeded["segments"], succeeded["retries"], succeeded["cold_start"]) == (3, 0, 0)
    assert succeeded["total_ms"] >= succeeded["first_byte_ms"] > 0
    assert {metric["Name"] for metric in succeeded["_aws"]["CloudWatchMetrics"][0]["Metrics"]} >= {"first_byte_ms", "total_ms", "bytes"}
