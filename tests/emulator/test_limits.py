"""The limits of the emulator and the runtime: back pressure, disconnects, deadlines, response sizes and rates."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from peers import small_application
from peers.running_emulator import SECONDS, curl, emulated, exits, http, small_application_options
from peers.serve_command import serving

from transcoder.emulator import Running
from transcoder.emulator.http_connection import MAX_CONNECTIONS
from transcoder.emulator.throttle import CAPACITY, TokenBucket

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="/proc is needed to see whether a process runs")


@pytest.fixture(scope="module")
def function() -> Iterator[Running]:
    with emulated(small_application_options()) as running:
        yield running


def test_a_client_that_reads_nothing_makes_the_runtime_wait(function: Running, tmp_path: Path) -> None:
    count = tmp_path / "count"
    host, port = function.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), SECONDS) as client:
        client.sendall(f"GET /counted?{count} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        sent = 0
        while not count.exists() or sent != int(count.read_text(encoding="ascii")):
            sent = int(count.read_text(encoding="ascii")) if count.exists() else 0
            time.sleep(0.4)
        assert 0 < sent < 4 * 1024 * 1024
    # The client has disconnected, but the function runs on, as on Lambda: kill the process to free the environment.
    assert function.pid is not None
    os.kill(function.pid, signal.SIGKILL)


def test_a_function_runs_on_after_its_client_disconnected(function: Running, tmp_path: Path) -> None:
    count = tmp_path / "count"
    with http.stream("GET", f"{function.url}/counted?{count}") as response:
        next(response.iter_raw())
    time.sleep(0.3)
    before = int(count.read_text(encoding="ascii"))
    time.sleep(0.3)
    assert int(count.read_text(encoding="ascii")) > before
    assert function.pid is not None
    os.kill(function.pid, signal.SIGKILL)


def test_stop_on_disconnect_ends_the_invocation(tmp_path: Path) -> None:
    with emulated(small_application_options(stop_on_disconnect=True)) as running:
        with http.stream("GET", f"{running.url}/counted?{tmp_path / 'count'}") as response:
            next(response.iter_raw())
            before = running.pid
        assert http.get(running.url + "/hello").text.split()[1] == "1"
        assert running.pid != before


@needs_proc
def test_the_timeout_kills_the_process_group(tmp_path: Path) -> None:
    with emulated(small_application_options(timeout_seconds=3.0)) as running:
        http.get(running.url + "/hello")
        with pytest.raises(httpx.RemoteProtocolError), http.stream("GET", running.url + "/stubborn") as response:
            body = b"".join(_copied(response.iter_raw(), path=tmp_path / "body"))
        body = (tmp_path / "body").read_bytes()
        assert exits(int(body))
        assert http.get(running.url + "/hello").text.startswith("hello 1 ")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to another process than 1")
def test_what_a_killed_runtime_leaves_is_waited_for_where_the_server_inherits_it() -> None:
    command = ["--", *small_application.COMMAND]
    with serving(*command, environ=dict(os.environ), inherits_orphans=True) as (url, server):
        with http.stream("GET", url + "/stubborn") as response:
            chunks = response.iter_raw()
            child = int(next(chunks))
            runtime = _parent(child)
            assert _parent(runtime) == server
            os.kill(runtime, signal.SIGKILL)
            with pytest.raises(httpx.RemoteProtocolError):
                next(chunks)
        # The process is gone, which a zombie is not.
        for _ in range(200):
            if not Path(f"/proc/{child}").exists():
                break
            time.sleep(0.02)
        assert not Path(f"/proc/{child}").exists()
        assert http.get(url + "/hello").text.startswith("hello 1 ")


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


def _copied(chunks: Iterator[bytes], *, path: Path) -> Iterator[bytes]:
    with path.open("ab", buffering=0) as file:
        for chunk in chunks:
            file.write(chunk)
            yield chunk


def test_the_runtime_ends_a_stream_with_an_error_before_its_deadline(caplog: pytest.LogCaptureFixture) -> None:
    with emulated(small_application_options(timeout_seconds=3.0)) as running:
        http.get(running.url + "/hello")
        pid = running.pid
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(running.url + "/slow?5")
        assert "Function.DeadlineExceeded" in caplog.text
        assert http.get(running.url + "/hello").text.startswith("hello 3 ")
        assert running.pid == pid


def test_the_deadline_ends_a_response_that_nobody_reads(caplog: pytest.LogCaptureFixture) -> None:
    with emulated(small_application_options(timeout_seconds=3.0)) as running:
        pid = int(http.get(running.url + "/hello").text.split()[2])
        with http.stream("GET", running.url + "/blocked") as response:
            time.sleep(2.0)  # the deadline guard has raised, and the rest of the response cannot be sent
            with pytest.raises(httpx.RemoteProtocolError):
                response.read()
        assert "Function.DeadlineExceeded" in caplog.text
        assert int(http.get(running.url + "/hello").text.split()[2]) == pid


def test_the_deadline_before_the_first_byte_is_a_504() -> None:
    with emulated(small_application_options(timeout_seconds=3.0)) as running:
        response = http.get(running.url + "/sleep?5")
    assert response.status_code == 504
    assert response.json()["type"].endswith(":deadline")


def test_the_runtime_ends_a_response_at_its_own_limit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with emulated(small_application_options(environ={**os.environ, "TRANSCODER_RESPONSE_LIMIT": "1000000"})) as running:
        result = curl(tmp_path, running.url + "/stream?2")
        assert result.exit_code == 18
        assert 0 < len(result.body) <= 1_000_000
        assert http.get(running.url + "/hello").text.startswith("hello 2 ")
    assert "Function.ResponseTooLarge" in caplog.text


def test_a_response_longer_than_lambda_allows_is_cut(tmp_path: Path) -> None:
    with emulated(small_application_options(response_limit=1_000_000)) as running:
        result = curl(tmp_path, running.url + "/stream?2")
        assert result.exit_code == 18
        assert len(result.body) <= 1_000_000
        assert http.get(running.url + "/hello").text.startswith("hello 2 ")


def test_the_token_bucket_allows_six_mebibytes_and_then_two_a_second() -> None:
    async def timed(count: int) -> float:
        bucket = TokenBucket()
        began = time.monotonic()
        await bucket.take(count)
        return time.monotonic() - began

    assert asyncio.run(timed(CAPACITY)) < 0.4
    assert 0.4 < asyncio.run(timed(CAPACITY + 1024 * 1024)) < 2.0


def test_a_throttled_response_has_that_rate() -> None:
    with emulated(small_application_options(throttle=True)) as running:
        http.get(running.url + "/hello")
        began = time.monotonic()
        assert len(http.get(running.url + "/stream?8").content) == 8 * 1024 * 1024
        assert 0.8 < time.monotonic() - began < 5.0


def trickled(function: Running, head: bytes, trickle: bytes, *, every: float = 0.1) -> bytes:
    """Send `head`, then endlessly one byte of `trickle` after another; return the response, which must end the connection."""
    host, port = function.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), SECONDS) as client:
        client.sendall(head)
        for byte in itertools.cycle(trickle):
            client.settimeout(every)
            with contextlib.suppress(TimeoutError):
                return client.recv(4096)
            client.sendall(bytes([byte]))
    raise AssertionError


@pytest.mark.parametrize(
    ("head", "trickle"),
    [
        pytest.param(b"", b"G", id="the request line"),
        pytest.param(b"GET /hello HTTP/1.1\r\nhost: a\r\nx: ", b"y", id="a header"),
        pytest.param(b"GET /hello HTTP/1.1\r\nhost: a\r\n", b"a: b\r\n", id="ever more headers"),
        pytest.param(b"POST /hello HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n", b"z", id="a body"),
        pytest.param(b"POST /hello HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nz\r\n", id="a chunked body"),
    ],
)
def test_a_request_that_trickles_in_is_ended(head: bytes, trickle: bytes) -> None:
    with emulated(small_application_options(header_seconds=1.0, body_seconds=1.0)) as running:
        began = time.monotonic()
        assert trickled(running, head, trickle).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 10.0


def test_connections_that_send_nothing_do_not_keep_others_out() -> None:
    with emulated(small_application_options(header_seconds=1.0)) as running, contextlib.ExitStack() as clients:
        host, port = running.url.removeprefix("http://").split(":")
        for _ in range(MAX_CONNECTIONS):
            clients.enter_context(socket.create_connection((host, int(port)), SECONDS))
        assert http.get(running.url + "/hello").status_code == 200


def test_a_request_that_takes_long_but_not_too_long_is_served() -> None:
    with emulated(small_application_options(header_seconds=5.0, body_seconds=5.0)) as running:
        host, port = running.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), SECONDS) as client:
            for piece in (b"POST /echo HTTP/1.1\r\nho", b"st: a\r\ncontent-length: 4\r\n\r\n", b"ab", b"cd"):
                client.sendall(piece)
                time.sleep(0.1)
            assert client.recv(4096).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("request_", [b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n", b"GET /hello HTTP/1.0\r\n\r\n", b"nonsense\r\n\r\n"])
def test_a_client_that_aborts_after_the_server_closed_leaves_no_message(request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with emulated(small_application_options()) as running:
        host, port = running.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), SECONDS) as client:
            client.sendall(request_)
            while client.recv(4096):
                pass
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert http.get(running.url + "/hello").status_code == 200
    assert not [record for record in caplog.records if record.name == "asyncio"]
