"""What runs while a request waits for its origin: which limit begins when."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.fetch_calls import with_fetcher
from peers.reddit import PUBLIC_ADDRESS, certificates, loopback_network

from transcoder.core.request.proxies import read_proxies
from transcoder.edge.address_guard import Network
from transcoder.edge.fetch import Fetcher
from transcoder.edge.fetch.pace import OriginClock, RateWindow
from transcoder.settings import Settings

HOST = "slow.example"


@given(st.integers(1, 10**6), st.floats(0.5, 60.0))
def test_a_body_is_awaited_as_long_as_the_settings_say(least_rate: int, seconds: float) -> None:
    window = OriginClock(Settings(least_rate=least_rate, rate_seconds=seconds)).new_window()
    assert window.patience == seconds
    window.add(int(least_rate * seconds) - 1, 0.0)
    assert window.patience == seconds
    window.add(2, 0.0)
    assert window.patience == 2 * seconds


@pytest.mark.parametrize(("count", "is_enough"), [(199, False), (200, True)])
@pytest.mark.parametrize("windows", [0, 1, 3])
def test_exactly_the_least_rate_is_enough_in_each_window(windows: int, count: int, *, is_enough: bool) -> None:
    window = RateWindow(100, 2.0)
    for _ in range(windows):
        window.add(5000, 2.0)
    window.add(count, 0.5)
    assert window.patience == (3.5 if is_enough else 1.5)


@given(st.integers(1, 1000), st.lists(st.tuples(st.integers(0, 5000), st.floats(0.0, 3.0)), max_size=8))
def test_what_came_in_a_window_counts_for_this_one_alone(least_rate: int, pieces: list[tuple[int, float]]) -> None:
    window, waited, received = RateWindow(least_rate, 2.0), 0.0, 0
    for count, seconds in pieces:
        window.add(count, seconds)
        waited, received = waited + seconds, received + count
        if waited >= 2.0:
            waited, received = 0.0, 0
        assert window.patience == 2.0 - waited + (2.0 if received >= 2.0 * least_rate else 0.0)


@contextmanager
def slow_handshake(context: ssl.SSLContext, seconds: float) -> Iterator[int]:
    """Serve one response over TLS, whose handshake begins so many seconds after the connection was accepted; return the port."""

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.settimeout(5.0)
        threading.Event().wait(seconds)
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:  # the client may have left
            while (piece := secure.recv(4096)) and not piece.endswith(b"\r\n\r\n"):
                pass
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join()


@pytest.mark.parametrize("through_proxy", [False, True], ids=["to the origin", "to a proxy"])
def test_connecting_has_a_limit_of_its_own(*, through_proxy: bool) -> None:
    """The time for the head of a response begins when the request has been sent."""
    server, authority = certificates((HOST, "localhost"))
    with slow_handshake(server, 1.3) as port:
        direct = loopback_network({HOST: PUBLIC_ADDRESS}, port, authority)
        proxied = Network(tls=lambda: authority, proxies=read_proxies(f"https://localhost:{port}", {}))
        url = f"{'http' if through_proxy else 'https'}://{HOST}/a"

        async def use(fetcher: Fetcher) -> bytes:
            async with asyncio.timeout(20):
                return await fetcher.small_resource(url, None, limit=100)

        settings = Settings(read_seconds=0.9, connect_seconds=20.0, attempts=1)
        assert with_fetcher(use, settings, network=proxied if through_proxy else direct) == b"abc"


@pytest.mark.parametrize("seconds", [0.25, 7.0])
def test_the_head_of_a_response_may_take_as_long_as_a_read(seconds: float) -> None:
    assert OriginClock(Settings(read_seconds=seconds)).head_seconds == seconds
