"""With the token bucket of Lambda a film comes at its pace, and the origin is asked no further ahead than the window allows."""

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
AHEAD = 16 * MIB + 8 * MIB
"""What is fetched before it is wanted, and what lies in pipes, sockets and fragments."""
LATE_SECONDS = 3.0
"""By how much a loaded machine may be behind the pace."""
WHOLE = os.environ.get("CI") == "true"
"""All of the film takes half a minute; its first part shows the pace as well."""
PART = 14 * MIB


def test_a_film_comes_at_the_pace_of_the_bucket(media: Callable[[str], Path], serve: Serve) -> None:
    origin = serve(media("ts-large"))
    environ = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1"}
    verifier, got, seconds = Verifier(), 0, 0.0
    with emulated(Options(environ=environ, throttle=True)) as running:
        assert http.get(running.url + "/health").status_code == 200
        with httpx.stream("GET", f"{running.url}/download?url={origin.url('/main.m3u8')}", timeout=60) as response:
            assert response.status_code == 200
            for got, seconds, piece in _measured(response.iter_raw(), until=None if WHOLE else PART):
                verifier.feed(piece)
                assert got <= CAPACITY + RATE * (seconds + 1.0)
                assert origin.sent <= got + AHEAD
    assert seconds - (got - CAPACITY) / RATE < LATE_SECONDS
    if WHOLE:
        assert verifier.end().length == got > 60_000_000


def _measured(pieces: Iterator[bytes], *, until: int | None) -> Iterator[tuple[int, float, bytes]]:
    """Yield how many bytes have come, how long after the first piece, and the piece; stop after `until` bytes."""
    got, began = 0, 0.0
    for piece in pieces:
        began = began or time.monotonic()
        got += len(piece)
        yield got, time.monotonic() - began, piece
        if until is not None and got > until:
            return
