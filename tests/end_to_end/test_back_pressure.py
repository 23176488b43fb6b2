"""A client that reads nothing holds the whole chain: emulator, runtime, ffmpeg, fetcher, origin."""

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
MOST = 16 * MIB + 8 * MIB
SETTLE_SECONDS = 30.0
STILL_SECONDS = 3.0


@contextmanager
def asking(running: Running, path: str) -> Iterator[socket.socket]:
    """Send a request, and leave its answer unread."""
    parts = urlsplit(running.url)
    with socket.create_connection((parts.hostname, parts.port)) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        yield client


def settled(origin: Origin) -> int:
    """Wait until the origin sends nothing more, and return what it has sent by then."""
    deadline = time.monotonic() + SETTLE_SECONDS
    sent, since = origin.sent, time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.1)
        if origin.sent != sent:
            sent, since = origin.sent, time.monotonic()
        elif sent and time.monotonic() - since >= STILL_SECONDS:
            return sent
    pytest.fail(f"the origin never stopped: {sent} bytes sent")


def test_origin_stops_where_the_window_ends(media: Callable[[str], Path], serve: Serve) -> None:
    origin = serve(media("ts-large"))
    size = sum(path.stat().st_size for path in media("ts-large").glob("*.ts"))
    assert size > 2 * MOST
    with (
        emulated(Options(environ={"TRANSCODER_ALLOW_PRIVATE": "1"})) as running,
        asking(running, f"/download?url={origin.url('/main.m3u8')}") as client,
    ):
        stopped_at = settled(origin)
        assert 1 * MIB < stopped_at < MOST
        # The client begins to read: the rest comes.
        got = 0
        while chunk := client.recv(MIB):
            got += len(chunk)
            if got > 30 * MIB:
                break
        assert origin.sent > stopped_at
