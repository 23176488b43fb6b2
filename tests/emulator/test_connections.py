"""The connections that the emulator accepts."""

import asyncio
import gc
import socket
from contextlib import closing

import pytest

from transcoder.emulator.http_connection import HttpConnection, listen, serve_connections


@pytest.mark.parametrize("steps", range(6))
def test_a_connection_that_comes_as_the_server_stops_is_closed(steps: int) -> None:
    """A socket that nobody has closed is reported when it is collected, and a warning fails the test."""

    async def serve(_connection: HttpConnection) -> None:
        await asyncio.Event().wait()

    async def run(listener: socket.socket, client: socket.socket) -> None:
        server = asyncio.ensure_future(serve_connections(listener, serve))
        await asyncio.sleep(0.01)
        client.connect(listener.getsockname())
        for _ in range(steps):
            await asyncio.sleep(0)
        server.cancel()
        await asyncio.wait([server])
        assert server.cancelled()

    with socket.socket() as client:
        with closing(listen("127.0.0.1", 0)) as listener:
            asyncio.run(run(listener, client))
        gc.collect()
        client.settimeout(10)
        try:
            received = client.recv(1)
        except ConnectionResetError:
            received = b""
        assert received == b""
