"""One request and its response on a connection (RFC 9112): h11 reads the head, and the body goes to its reader as the socket gives it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import h11
import httpx

from transcoder.edge.address_guard.socket_stream import SocketStream

READ_BYTES = 96 * 1024
"""How much of a body is read at once: each read is followed by many steps. Pieces of 256 KiB made an upload take 20 MB more memory."""
PARSED_BYTES = 64 * 1024
"""How much is read at once of what h11 parses, which is a head or a body in chunks."""
MAX_HEAD_BYTES = 100 * 1024
"""A longer head of one response is refused."""
MAX_RESPONSE_HEAD_BYTES = 384 * 1024
"""So much may be read until the head is complete, interim responses (RFC 9110, 15.2) and what is read of the body with its end included."""
MAX_INTERIM_RESPONSES = 100
"""They are short, and each is parsed."""
Trace = Callable[[str, dict[str, Any]], Awaitable[None]]
_WITHOUT_BODY = frozenset({204, 304})


class LongHeadError(Exception):
    """An origin sends too much before the head of a response is complete; the message says more than what."""


class Exchange:
    """One request and its response. The connection is good for another one only if `ended_well` says so."""

    def __init__(self, stream: SocketStream, request: httpx.Request) -> None:
        """Use `stream` for `request` alone, until its response has been read or closed."""
        self._stream = stream
        self._request = request
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._body: _Body | None = None

    @property
    def ended_well(self) -> bool:
        """Whether all of the response has been read, and its origin has neither announced the end of the connection nor sent more."""
        return self._body is not None and self._body.has_ended and self._body.may_go_on

    async def respond(self, on_close: Callable[[], None]) -> httpx.Response:
        """Send the request, and return the response when its head is there; `on_close` is called when it is closed.

        Raises:
            httpx.TransportError: the connection broke, the origin was too slow, or did not send valid HTTP.
            LongHeadError: the origin sent too much before the head was complete.
        """
        timeouts, trace = self._request.extensions.get("timeout", {}), trace_of(self._request)
        try:
            await trace("http11.send_request_headers.started", {})
            await self._send(timeouts.get("write"))
            await trace("http11.receive_response_headers.started", {})
            head = await self._receive_head(timeouts.get("read"))
        except h11.ProtocolError as error:
            raise _as_httpx(error) from error
        self._body = _body_of(head, self._stream, self._http, self._request)
        self._body.on_close = on_close
        extensions = {"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason, "network_stream": self._stream}
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=self._body, extensions=extensions)

    async def _send(self, seconds: float | None) -> None:
        request = self._request
        parts = [self._http.send(h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw))]
        if isinstance(request.stream, httpx.AsyncByteStream):
            parts += [self._http.send(h11.Data(data=part)) async for part in request.stream]
        parts.append(self._http.send(h11.EndOfMessage()))
        try:
            await self._stream.write(b"".join(part for part in parts if part), seconds)
        except httpx.WriteError:
            return  # an origin may answer, and close the connection, before it has read the request

    async def _receive_head(self, seconds: float | None) -> h11.Response:
        """Read the head of the final response, and the interim responses before it."""
        room, interim_responses = MAX_RESPONSE_HEAD_BYTES, 0
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.InformationalResponse):
                interim_responses += 1
                if interim_responses > MAX_INTERIM_RESPONSES:
                    raise LongHeadError(f"{MAX_INTERIM_RESPONSES} interim responses")
            elif event is h11.NEED_DATA:
                received = await self._stream.read(PARSED_BYTES, seconds)
                room -= len(received)
                if room < 0:
                    raise LongHeadError(f"{MAX_RESPONSE_HEAD_BYTES} bytes")
                if not received and self._http.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
                self._http.receive_data(received)


class _Body(httpx.AsyncByteStream):
    """A body: an iterator that reads from the connection whatever it is asked for."""

    def __init__(self, stream: SocketStream, http: h11.Connection, request: httpx.Request) -> None:
        self._stream = stream
        self._read_seconds: float | None = request.extensions.get("timeout", {}).get("read")
        self._http = http
        self.on_close: Callable[[], None] | None = None
        self.has_ended = False
        """All of it has been read."""

    @property
    def may_go_on(self) -> bool:
        """Whether the origin lets the connection go on after this body, and has sent nothing that is not of it."""
        raise NotImplementedError

    async def _next(self) -> bytes:
        """Return the next bytes; b"" at the end."""
        raise NotImplementedError

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.has_ended:
            raise StopAsyncIteration
        try:
            chunk = await self._next()
        except h11.ProtocolError as error:
            raise _as_httpx(error) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def _read(self, count: int = READ_BYTES) -> bytes:
        return await self._stream.read(count, self._read_seconds)

    async def aclose(self) -> None:
        """End the exchange; what has not been read is lost, and the connection with it."""
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close()


class _SizedBody(_Body):
    """A body of a known length: that of its Content-Length, or 0 where the response can have no body."""

    def __init__(self, stream: SocketStream, http: h11.Connection, request: httpx.Request, length: int) -> None:
        super().__init__(stream, http, request)
        self._length = self._remaining = length
        first = http.trailing_data[0]
        self._first = first[:length]
        self._has_more = len(first) > length
        self.has_ended = not length

    @property
    def may_go_on(self) -> bool:
        return self._http.our_state is h11.DONE and not self._has_more

    async def _next(self) -> bytes:
        chunk, self._first = self._first or await self._read(min(READ_BYTES, self._remaining)), b""
        if not chunk:
            received = self._length - self._remaining
            raise httpx.RemoteProtocolError(f"the body has {received} bytes, and a Content-Length of {self._length}")
        self._remaining -= len(chunk)
        self.has_ended = not self._remaining
        return chunk


class _ChunkedBody(_Body):
    """A body in chunks, which h11 reads."""

    @property
    def may_go_on(self) -> bool:
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE and not self._http.trailing_data[0]

    async def _next(self) -> bytes:
        while not isinstance(event := self._http.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                return bytes(event.data)
            self._http.receive_data(await self._read(PARSED_BYTES))
        self.has_ended = True
        return b""


class _UnsizedBody(_Body):
    """A body that ends with its connection."""

    may_go_on = False

    def __init__(self, stream: SocketStream, http: h11.Connection, request: httpx.Request) -> None:
        super().__init__(stream, http, request)
        self._first = http.trailing_data[0]

    async def _next(self) -> bytes:
        chunk, self._first = self._first or await self._read(), b""
        self.has_ended = not chunk
        return chunk


def _body_of(head: h11.Response, stream: SocketStream, http: h11.Connection, request: httpx.Request) -> _Body:
    """Return the body of a response by its framing (RFC 9112, 6.3); h11 has checked that its fields are valid."""
    fields = dict(head.headers)
    if request.method == "HEAD" or head.status_code in _WITHOUT_BODY:
        return _SizedBody(stream, http, request, 0)
    if b"transfer-encoding" in fields:
        return _ChunkedBody(stream, http, request)
    if b"content-length" in fields:
        return _SizedBody(stream, http, request, int(fields[b"content-length"]))
    return _UnsizedBody(stream, http, request)


def _as_httpx(error: h11.ProtocolError) -> httpx.ProtocolError:
    return (httpx.LocalProtocolError if isinstance(error, h11.LocalProtocolError) else httpx.RemoteProtocolError)(str(error))


def trace_of(request: httpx.Request) -> Trace:
    """Return the function that a request wants to be called at each of its steps (https://www.encode.io/httpcore/extensions/#trace)."""
    return cast("Trace", request.extensions.get("trace", _no_trace))


async def _no_trace(_event: str, _info: dict[str, Any]) -> None:
    """Trace nothing."""
