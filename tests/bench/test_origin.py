"""The origin of `make bench`: it serves what is asked for, as late as it should, and so fast that it limits nobody."""

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LATENCY = 0.05
BYTES = bytes(range(256)) * 1024
LARGE_BYTES = 64 * 1024 * 1024
LEAST_BYTES_PER_SECOND = 300_000_000
"""No contestant takes more than 150 MB/s."""
LEAST_RESPONSES_PER_SECOND = 1500
"""No contestant sends more than 500 requests a second."""


@contextmanager
def running(folder: Path, *, latency: float = 0.0) -> Iterator[int]:
    command = [sys.executable, "-m", "bench.origin", str(folder), "--latency", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "media.mp4").write_bytes(BYTES)
    return tmp_path


@contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        yield connection
    finally:
        connection.close()


def get(connection: http.client.HTTPConnection, path: str, **headers: str) -> tuple[int, bytes]:
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read()


def seconds(connection: http.client.HTTPConnection, **headers: str) -> float:
    began = time.monotonic()
    get(connection, "/media.mp4", **headers)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        pytest.param("bytes=0-0", 206, BYTES[:1], id="the first byte"),
        pytest.param("bytes=100-299", 206, BYTES[100:300], id="in the middle"),
        pytest.param("bytes=262000-", 206, BYTES[262000:], id="without an end"),
        pytest.param("bytes=262000-999999", 206, BYTES[262000:], id="beyond the end"),
        pytest.param("bytes=999999-", 416, b"", id="outside"),
        pytest.param("lines=1-2", 200, BYTES, id="of another unit"),
    ],
)
def test_serves_ranges(folder: Path, asked: str, status: int, body: bytes) -> None:
    with running(folder) as port, connected(port) as connection:
        assert get(connection, "/media.mp4", Range=asked) == (status, body)


def test_a_connection_serves_one_request_after_another(folder: Path) -> None:
    with running(folder) as port, connected(port) as connection:
        first, missing, query = (get(connection, path) for path in ("/media.mp4", "/none", "/media.mp4?a=b"))
        connection.request("HEAD", "/media.mp4")
        head = connection.getresponse()
        assert (first, missing, query) == ((200, BYTES), (404, b""), (200, BYTES))
        assert (head.status, head.headers["Content-Length"], head.read()) == (200, str(len(BYTES)), b"")


def test_requests_sent_at_once_are_answered_in_order(folder: Path) -> None:
    with running(folder, latency=LATENCY) as port, connected(port) as connection:
        connection.connect()
        requests = (b"GET /media.mp4 HTTP/1.1\r\nRange: bytes=%d-%d\r\n\r\n" % (at, at) for at in range(5))
        connection.sock.sendall(b"".join(requests) + b"GET /none HTTP/1.1\r\nConnection: close\r\n\r\n")
        received = b""
        while piece := connection.sock.recv(65536):
            received += piece
    heads = received.split(b"HTTP/1.1 ")[1:]
    assert [head[:3] for head in heads] == [b"206"] * 5 + [b"404"]
    assert [head[-1] for head in heads[:5]] == list(range(5))


def test_a_new_connection_costs_one_round_trip_more_than_a_request(folder: Path) -> None:
    with running(folder, latency=LATENCY) as port, connected(port) as connection:
        first, later = seconds(connection), min(seconds(connection) for _ in range(5))
    assert first >= 2 * LATENCY
    assert LATENCY <= later < 2 * LATENCY


def test_a_connection_that_has_been_open_for_a_round_trip_costs_nothing_more(folder: Path) -> None:
    def after_a_while() -> float:
        with connected(port) as connection:
            connection.connect()
            time.sleep(2 * LATENCY)
            return seconds(connection)

    with running(folder, latency=LATENCY) as port:
        assert LATENCY <= min(after_a_while() for _ in range(5)) < 2 * LATENCY


def test_a_proxy_states_what_the_connection_of_its_client_costs(folder: Path) -> None:
    with running(folder, latency=LATENCY) as port, connected(port) as connection:
        new, old = (min(seconds(connection, **{"X-Handshake-Round-Trips": trips}) for _ in range(5)) for trips in ("2", "0"))
    assert new >= 3 * LATENCY
    assert LATENCY <= old < 2 * LATENCY


def test_late_responses_do_not_wait_for_each_other(folder: Path) -> None:
    with running(folder, latency=0.3) as port:
        began = time.monotonic()
        threads = [threading.Thread(target=_get_once, args=(port,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 16 * 0.3


def _get_once(port: int) -> None:
    with connected(port) as connection:
        get(connection, "/media.mp4")


def test_what_is_no_request_ends_the_connection_alone(folder: Path) -> None:
    with running(folder) as port:
        with connected(port) as connection:
            connection.connect()
            connection.sock.sendall(b"hello\r\n\r\n")
            assert connection.sock.recv(1) == b""
        with connected(port) as connection:
            assert get(connection, "/media.mp4") == (200, BYTES)


def test_it_sends_more_bytes_than_any_contestant_takes(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(LARGE_BYTES))
    buffer = memoryview(bytearray(1024 * 1024))
    with running(tmp_path) as port, connected(port) as connection:
        rates = []
        for _ in range(5):
            connection.request("GET", "/large")
            response, began, received = connection.getresponse(), time.monotonic(), 0
            while count := response.readinto(buffer):
                received += count
            rates.append(received / (time.monotonic() - began))
            assert received == LARGE_BYTES
    sys.stderr.write(f"{max(rates) / 1e6:.0f} MB/s\n")
    assert max(rates) > LEAST_BYTES_PER_SECOND


def test_it_answers_more_requests_than_any_contestant_sends(folder: Path) -> None:
    request = b"GET /media.mp4 HTTP/1.1\r\nRange: bytes=0-0\r\n\r\n"
    with running(folder) as port, connected(port) as connection:
        connection.connect()
        rates = []
        for _ in range(5):
            began, received, count = time.monotonic(), b"", 500
            connection.sock.sendall(request * count)
            while received.count(b"HTTP/1.1 206") < count or not received.endswith(BYTES[:1]):
                received += connection.sock.recv(1 << 20)
            rates.append(count / (time.monotonic() - began))
    sys.stderr.write(f"{max(rates):.0f} responses/s on {os.cpu_count()} processors\n")
    assert max(rates) > LEAST_RESPONSES_PER_SECOND
