"""An HTTP/1.1 proxy on loopback that records what it was asked for, and misbehaves on command.

    with proxy() as p:
        p.hosts["video.example"] = o.port                       # where this name leads to; other hosts are asked as they are called
        p.connect_status = 502                                  # answers every CONNECT like this
        ... get(url, "--proxy", p.url) ...
        assert [request.target for request in p.requests] == ["video.example:443"]

It forwards requests in absolute form, and tunnels what follows a CONNECT. Proxy-Authorization is checked against `credentials`, and
never passed on. Leaving the block closes every connection.
"""

import asyncio
import base64
import contextlib
import http.client
import ssl
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

SECONDS = 20.0
"""The time limit for starting and for stopping."""
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """What the proxy was asked for."""

    method: str
    target: str
    """`host:port` of a CONNECT, otherwise a URL."""
    headers: Mapping[str, str]
    """By lower-case name."""


@dataclass(slots=True)
class Proxy:
    """The proxy's state. Made by `proxy`."""

    scheme: str
    port: int = 0
    hosts: dict[str, int] = field(default_factory=dict)
    """Host name → port on loopback."""
    credentials: str | None = None
    """`user:password`; without it, the answer is 407."""
    connect_status: int | None = None
    """Answer CONNECT with this status."""
    forward_status: int | None = None
    """Answer everything else with this status."""
    refusals: int | None = None
    """How many requests are refused with these statuses; None means all."""
    closes: bool = False
    """Close every connection once a request has been read."""
    stalls: bool = False
    """Never answer."""
    requests: list[ProxyRequest] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return its address."""
        return f"{self.scheme}://{'127.0.0.1' if self.scheme == 'http' else 'localhost'}:{self.port}"

    @property
    def targets(self) -> set[str]:
        """Return the hosts, with their ports, that it was asked for."""
        return {request.target if request.method == "CONNECT" else urlsplit(request.target).netloc for request in self.requests}

    def refusal(self, request: ProxyRequest) -> int | None:
        """Return the status that a request is refused with; None if it is carried out."""
        if self.credentials is not None:
            expected = "Basic " + base64.b64encode(self.credentials.encode()).decode()
            if request.headers.get("proxy-authorization") != expected:
                return 407
        status = self.connect_status if request.method == "CONNECT" else self.forward_status
        if status is not None and self.refusals is not None:
            self.refusals -= 1
            return status if self.refusals >= 0 else None
        return status


@contextmanager
def proxy(*, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Run a proxy on a free port for the length of a block; clients reach it by TLS if `tls` is given, then as `localhost`."""
    state = Proxy("http" if tls is None else "https")
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        connections: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            connections.add(task)
            try:
                await _serve_connection(state, reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass  # the client left, or the block is over
            finally:
                writer.transport.abort()
                connections.discard(task)

        server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
        state.port = server.sockets[0].getsockname()[1]
        stop = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections)

    with ThreadPoolExecutor(1) as threads:
        finished = threads.submit(asyncio.run, serve())
        loop, stop = started.result(SECONDS)
        try:
            yield state
        finally:
            loop.call_soon_threadsafe(stop.set)
            finished.result(SECONDS)


async def _serve_connection(state: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one request after another of a client; all requests of a connection are for the same origin."""
    async with contextlib.AsyncExitStack() as stack:
        origin: asyncio.StreamWriter | None = None
        while True:
            request = await _read_request(reader)
            state.requests.append(request)
            if state.stalls:
                await asyncio.Event().wait()
            if state.closes:
                return
            status = state.refusal(request)
            if status is not None:
                writer.write(_answer(status))
                await writer.drain()
                return
            if request.method == "CONNECT":
                await _tunnel(state, request, reader, writer)
                return
            parts = urlsplit(request.target)
            if origin is None:
                back, origin = await _connect(state, parts.hostname or "", parts.port or 80)
                stack.callback(origin.transport.abort)
                copying = asyncio.create_task(_copy(back, writer))
                stack.push_async_callback(_cancel, copying)
            origin.write(_origin_form(request))
            origin.write(await reader.readexactly(int(request.headers.get("content-length", 0))))
            await origin.drain()


async def _read_request(reader: asyncio.StreamReader) -> ProxyRequest:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return ProxyRequest(method, target, headers)


def _origin_form(request: ProxyRequest) -> bytes:
    """Return the head of a request as the proxy sends it on (RFC 9112, 3.2.1)."""
    parts = urlsplit(request.target)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {"proxy-authorization", "proxy-connection"}
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items() if name not in own)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _tunnel(state: Proxy, request: ProxyRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    host, _, port = request.target.rpartition(":")
    back, origin = await _connect(state, host, int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    copies = [asyncio.create_task(_copy(back, writer)), asyncio.create_task(_copy(reader, origin))]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        origin.transport.abort()
        for copying in copies:
            await _cancel(copying)


async def _connect(state: Proxy, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1" if host in state.hosts else host, state.hosts.get(host, port))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until either side closes its connection, and pass a close on."""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        writer.close()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _answer(status: int) -> bytes:
    """Return a response of the proxy's own."""
    body = f"The proxy says {status}.\n".encode()
    extra = 'Proxy-Authenticate: Basic realm="proxy"\r\n' if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED else ""
    head = f"HTTP/1.1 {status} {http.client.responses.get(status, '')}\r\n{extra}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
