"""TLS in front of the origin of `make bench`."""

import ssl
import time
from pathlib import Path

import httpx
import pytest
from peers.certificates import CA
from peers.nginx import NGINX

from bench.measure import origin
from bench.sources import MINUTE, PLAYLIST, Source, make
from bench.tls import tls

LATENCY = 0.05


@pytest.mark.long
@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_a_handshake_costs_two_round_trips_more_than_a_request(tmp_path: Path) -> None:
    source = Source(MINUTE, "ts")
    make(source)
    with origin(source, latency=LATENCY) as (port, _), tls(port, tmp_path) as address:
        context = ssl.create_default_context(cafile=str(tmp_path / CA))
        with httpx.Client(verify=context) as client:
            times = []
            for _ in range(6):
                began = time.monotonic()
                assert client.get(f"{address}/{PLAYLIST}").content == (source.folder / PLAYLIST).read_bytes()
                times.append(time.monotonic() - began)
    assert times[0] >= 3 * LATENCY
    assert LATENCY <= min(times[1:]) < 2 * LATENCY
