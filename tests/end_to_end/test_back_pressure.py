"""A client that stops reading stops the whole pipeline: emulator, runtime, ffmpeg, fetcher, origin."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Serve
from peers.origin import Origin
from peers.running_emulator import emulated

from transcoder.emulator import Options, Running

MIB = 1024 * 1024
MAX_AHEAD = 16 * MIB + 8 * MIB
SETTLE_SECONDS = 30.0
QUIET_SECONDS = 3.0


@contextmanager
def unread_response(running: Running, path: str) -> Iterator[socket.socket]:
    """Send a request without reading the response."""
    parts = urlsplit(running.url)
    with socket.create_connection((parts.hostname, parts.port)) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        yield client


def sent_when_stalled(origin: Origin) -> int:
    """Wait until the origin stops sending, and return how many bytes it has sent."""
    deadline = time.monotonic() + SETTLE_SECONDS
    sent, since = origin.sent, time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.1)
        if origin.sent != sent:
            sent, since = origin.sent, time.monotonic()
        elif sent and time.monotonic() - since >= QUIET_SECONDS:
            return sent
    pytest.fail(f"the origin did not stop sending: {sent} bytes sent")


def test_origin_stops_sending_when_the_prefetch_window_is_full(media: Callable[[str], Path], serve: Serve) -> None:
    origin = serve(media("ts-large"))
    size = sum(path.stat().st_size for path in media("ts-large").glob("*.ts"))
    assert size > 2 * MAX_AHEAD
    with (
        emulated(Options(environ={"TRANSCODER_ALLOW_PRIVATE": "1"})) as running,
        unread_response(running, f"/download?url={origin.url('/main.m3u8')}") as client,
    ):
        stopped_at = sent_when_stalled(origin)
        assert 1 * MIB < stopped_at < MAX_AHEAD
        # Once the client reads, the rest follows.
        received = 0
        while chunk := client.recv(MIB):
            received += len(chunk)
            if received > 30 * MIB:
                break
        assert origin.sent > stopped_at
