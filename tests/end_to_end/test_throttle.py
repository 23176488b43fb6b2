"""Under Lambda's token bucket a video arrives at the bucket's rate, and the origin is at most one prefetch window ahead of it."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from conftest import Serve
from peers.running_emulator import emulated, http

from transcoder.core.output.verifier import Verifier
from transcoder.emulator import Options
from transcoder.emulator.throttle import CAPACITY, REFILL, REFILL_SECONDS

MIB = 1024 * 1024
RATE = REFILL / REFILL_SECONDS
MAX_AHEAD = 16 * MIB + 8 * MIB
"""The prefetched bytes, and those in pipes, sockets and fragments."""
MAX_DELAY_SECONDS = 3.0
"""How far a loaded machine may be behind the rate."""
WHOLE = os.environ.get("CI") == "true"
"""The whole video takes half a minute; its first bytes show the rate as well."""
FIRST_BYTES = 14 * MIB


def test_a_video_arrives_at_the_rate_of_the_token_bucket(media: Callable[[str], Path], serve: Serve) -> None:
    origin = serve(media("ts-large"))
    environ = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1"}
    verifier, received, seconds = Verifier(), 0, 0.0
    with emulated(Options(environ=environ, throttle=True)) as running:
        assert http.get(running.url + "/health").status_code == 200
        with httpx.stream("GET", f"{running.url}/download?url={origin.url('/main.m3u8')}", timeout=60) as response:
            assert response.status_code == 200
            for received, seconds, chunk in _measured(response.iter_raw(), until=None if WHOLE else FIRST_BYTES):
                verifier.feed(chunk)
                assert received <= CAPACITY + RATE * (seconds + 1.0)
                assert origin.sent <= received + MAX_AHEAD
    assert seconds - (received - CAPACITY) / RATE < MAX_DELAY_SECONDS
    if WHOLE:
        assert verifier.end().length == received > 60_000_000


def _measured(chunks: Iterator[bytes], *, until: int | None) -> Iterator[tuple[int, float, bytes]]:
    """Yield the number of bytes received so far, the seconds since the first chunk, and the chunk; stop after `until` bytes."""
    received, started = 0, 0.0
    for chunk in chunks:
        started = started or time.monotonic()
        received += len(chunk)
        yield received, time.monotonic() - started, chunk
        if until is not None and received > until:
            return
