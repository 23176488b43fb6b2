"""The emulator around the real bootstrap in its own process, used by real HTTP clients."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from peers.running_emulator import SECONDS, curl, emulated, exits, http, small_application_options

from transcoder.emulator import Options, Running, StreamErrors, emulator

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="/proc is needed to count descriptors")


@pytest.fixture(scope="module")
def function() -> Iterator[Running]:
    with emulated(small_application_options()) as running:
        yield running


def descriptors(process: int | str) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def test_status_headers_and_body_arrive_as_they_were_sent(function: Running) -> None:
    response = http.get(function.url + "/stream?2")
    assert response.status_code == 200
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["x-content-duration"] == "1.5"
    assert response.headers["transfer-encoding"] == "chunked"
    assert response.content == bytes(range(256)) * 8192


def test_the_application_gets_the_query_undecoded(function: Running) -> None:
    response = http.get(function.url + "/echo?url=http%3A%2F%2Fa%2Fb%3Fc,d+e&x=1", headers={"User-Agent": "test"})
    request = response.json()
    assert request["query"] == "url=http%3A%2F%2Fa%2Fb%3Fc,d+e&x=1"
    assert request["method"] == "GET"
    assert request["headers"]["user-agent"] == "test"
    assert request["trace"] == request["headers"]["x-amzn-trace-id"]


def test_one_process_serves_one_request_after_another(function: Running) -> None:
    first, second = (http.get(function.url + "/hello").text.split()[2] for _ in range(2))
    assert first == second == str(function.pid)


def test_the_runtime_adds_a_byte_to_an_empty_body(function: Running) -> None:
    response = http.get(function.url + "/empty")
    assert (response.status_code, response.content) == (200, b"\n")


def test_head_omits_that_byte(function: Running) -> None:
    response = http.head(function.url + "/empty")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize("path", ["/fail-before", "/late"])
def test_an_error_before_the_first_byte_is_a_problem_document(function: Running, path: str) -> None:
    response = http.get(function.url + path)
    assert response.status_code == 502
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"].endswith(":upstream-failed")


@pytest.mark.parametrize("path", ["/bug-before", "/nothing"])
def test_a_bug_before_the_first_byte_is_a_502_without_details(function: Running, path: str) -> None:
    response = http.get(function.url + path)
    assert (response.status_code, response.text) == (502, "Internal Server Error\n")


@pytest.mark.parametrize("path", ["/fail-after", "/bug-after", "/die"])
def test_a_failure_after_the_first_byte_cuts_the_body(function: Running, path: str, tmp_path: Path) -> None:
    result = curl(tmp_path, function.url + path)
    assert (result.exit_code, result.status, result.body) == (18, 200, b"a part")
    assert http.get(function.url + "/hello").status_code == 200


@pytest.mark.parametrize("path", ["/fail-after", "/bug-after", "/die"])
def test_with_clean_stream_errors_the_body_ends_as_if_it_were_whole(path: str, tmp_path: Path) -> None:
    with emulated(small_application_options(stream_errors=StreamErrors.CLEAN)) as running:
        result = curl(tmp_path, running.url + path)
    assert (result.exit_code, result.status, result.body) == (0, 200, b"a part")


def test_a_killed_process_is_replaced_for_the_next_request(function: Running) -> None:
    before = http.get(function.url + "/hello").text.split()[2]
    os.kill(int(before), signal.SIGKILL)
    after = http.get(function.url + "/hello").text.split()
    assert after[2] != before
    assert after[1] == "1"


def test_a_process_killed_during_a_request_cuts_the_response_and_is_replaced(function: Running) -> None:
    with http.stream("GET", function.url + "/slow?10") as response:
        chunks = response.iter_raw()
        assert next(chunks)
        assert function.pid is not None
        os.kill(function.pid, signal.SIGKILL)
        with pytest.raises(httpx.RemoteProtocolError):
            list(chunks)
    assert http.get(function.url + "/hello").status_code == 200


def test_a_process_that_cannot_start_is_a_502_and_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with emulated(small_application_options(environ={**os.environ, "FAIL_TO_START": "1"})) as running:
        assert http.get(running.url + "/hello").status_code == 502
        assert http.get(running.url + "/hello").status_code == 502
    assert "no luck today" in caplog.text


def test_a_folder_named_like_the_package_does_not_hide_it(tmp_path: Path) -> None:
    """As where it is started in the folder that contains the clone."""
    (tmp_path / "transcoder").mkdir()
    environ = {name: value for name, value in os.environ.items() if name != "AWS_LAMBDA_RUNTIME_API"}
    completed = subprocess.run(Options().command, cwd=tmp_path, env=environ, capture_output=True, timeout=SECONDS, check=False)
    assert (completed.returncode, b"AWS_LAMBDA_RUNTIME_API is not set" in completed.stderr) == (2, True), completed.stderr.decode()


@pytest.mark.parametrize(
    "command", [("/no/such/program",), (sys.executable, "-c", "print()")], ids=["does not exist", "exits without a call"]
)
def test_a_command_that_is_not_a_runtime_is_a_502(command: tuple[str, ...]) -> None:
    with emulated(small_application_options(command=command)) as running:
        assert http.get(running.url + "/").status_code == 502


def test_an_http_1_0_client_is_refused(function: Running) -> None:
    host, port = function.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), SECONDS) as client:
        client.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
        assert client.makefile("rb").readline().split()[1] == b"505"


@pytest.mark.parametrize("sent", [b"", b"\0\0\0\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab"])
def test_a_client_that_does_not_speak_http_affects_no_other(function: Running, sent: bytes) -> None:
    host, port = function.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), SECONDS) as client:
        client.sendall(sent)
    assert http.get(function.url + "/hello").status_code == 200


def test_requests_wait_for_a_free_environment(function: Running) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(3) as threads:
        responses = list(threads.map(http.get, [function.url + "/slow?0.3"] * 3))
    assert [response.text for response in responses] == ["......"] * 3
    assert time.monotonic() - began > 0.9


def test_more_requests_than_may_wait_are_refused() -> None:
    with emulated(small_application_options(max_waiting=1)) as running, ThreadPoolExecutor(4) as threads:
        http.get(running.url + "/hello")
        statuses = [response.status_code for response in threads.map(http.get, [running.url + "/slow?0.5"] * 4)]
    assert sorted(statuses) == [200, 200, 429, 429]


def test_environments_serve_in_parallel() -> None:
    with emulated(small_application_options(concurrency=2)) as running, ThreadPoolExecutor(2) as threads:
        while any(environment.pid is None for environment in running.environments):
            list(threads.map(http.get, [running.url + "/slow?0.2"] * 2))
        began = time.monotonic()
        responses = list(threads.map(http.get, [running.url + "/slow?2"] * 2))
        assert time.monotonic() - began < 3.9
        pids = {environment.pid for environment in running.environments}
    assert [response.status_code for response in responses] == [200, 200]
    assert len(pids) == 2


def test_every_invocation_writes_one_line_of_metrics(capfd: pytest.CaptureFixture[str]) -> None:
    with emulated(small_application_options()) as running:
        for path in ("/hello", "/fail-before", "/fail-after", "/noted"):
            with contextlib.suppress(httpx.RemoteProtocolError):
                http.get(running.url + path)
        http.get(running.url + "/hello")  # by then the line of the previous request is written, this one's perhaps not
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith('{"_aws"')][:4]
    assert [line["outcome"] for line in lines] == ["ok", "upstream-failed", "upstream-failed", "ok"]
    assert [line["cold_start"] for line in lines] == [1, 0, 0, 0]
    assert [line["status"] for line in lines] == [200, 502, 200, 200]
    assert lines[3]["source_host"] == "a.example"
    assert all(line["total_ms"] >= line["first_byte_ms"] > 0 for line in lines)
    assert all(line["peak_rss_mib"] > 5 for line in lines)


def idle_descriptors(process: int) -> int:
    """Count the descriptors of a process that waits for an invocation: the maximum of several samples, taken after it has come to rest."""
    counts = []
    for _ in range(10):
        counts.append(descriptors(process))
        time.sleep(0.02)
    return max(counts[5:])


@needs_proc
def test_no_process_and_no_descriptor_is_left() -> None:
    async def serve() -> int:
        async with emulator(small_application_options()) as running, httpx.AsyncClient() as client:
            assert (await client.get(running.url + "/hello")).status_code == 200
            assert running.pid is not None
            return running.pid

    before = descriptors("self")
    pid = asyncio.run(serve())
    assert exits(pid)
    assert descriptors("self") <= before


@needs_proc
def test_an_environment_closes_every_descriptor_of_a_request(function: Running) -> None:
    http.get(function.url + "/hello")
    assert function.pid is not None
    before = idle_descriptors(function.pid)
    for path in ("/hello", "/fail-before", "/fail-after", "/bug-after", "/stream?1") * 4:
        with http.stream("GET", function.url + path) as response:
            assert response.status_code
    http.get(function.url + "/hello")
    assert idle_descriptors(function.pid) == before


def test_the_emulator_logs_the_failure(function: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(httpx.RemoteProtocolError):
        http.get(function.url + "/fail-after")
    assert "Function.UpstreamFailed" in caplog.text
    assert json.loads(caplog.records[-1].getMessage().partition(": ")[2])["errorMessage"] == "The origin broke off."
