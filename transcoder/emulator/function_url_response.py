"""The HTTP response that a Function URL makes of the runtime's response."""

import json
import logging
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import cast

import h11

from transcoder.core.answer.cors import cors_headers
from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES, PRELUDE_END, PRELUDE_TYPE, RENAMED_HEADERS
from transcoder.emulator.function_url_event import HttpRequest
from transcoder.emulator.http_connection import BUFFER_BYTES, HttpConnection
from transcoder.emulator.invocation import ResponseEndedError
from transcoder.emulator.options import Options, StreamErrors

_STATUSES_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_log = logging.getLogger(__name__)


class FunctionUrlResponse:
    """Sends a runtime's response to an HTTP client: the prelude as status and headers, the body in chunks."""

    def __init__(self, connection: HttpConnection, options: Options, request: HttpRequest, request_id: str) -> None:
        """Respond to `request` on `connection`."""
        self._connection = connection
        self._options = options
        self._request = request
        self._request_id = request_id
        self._prelude: bytearray | None = None
        self._head: h11.Response | None = None
        self._head_sent = False
        self._begun = False
        self._sends_body = request.method != "HEAD"
        self._client_disconnected = False
        self._ended = False
        self._invalid = False
        self._gzip: zlib._Decompress | None = None

    def start(self, content_type: str) -> None:
        """Expect a prelude if the runtime's content type announces one."""
        if content_type.lower() == PRELUDE_TYPE:
            self._prelude = bytearray()
        else:
            self._head = self._make_head({"statusCode": 200, "headers": {"content-type": content_type}})

    async def write(self, chunk: bytes, /) -> None:
        """Send a piece of the runtime's response, once its head is complete.

        Raises:
            ResponseEndedError: the response has ended already.
        """
        if self._ended:
            raise ResponseEndedError
        if self._prelude is not None and not self._invalid:
            chunk = self._read_prelude(chunk)
        if not chunk or self._client_disconnected or self._invalid:
            return
        self._begun = True
        if not self._sends_body:
            return  # the head is all, and a client that has it may leave: it gets it when the invocation has ended
        try:
            await self._send_head()
            for piece in self._decompress(chunk):
                await self._connection.send(h11.Data(data=piece))
        except OSError:
            self._client_disconnected = True  # and the runtime runs on, as on Lambda
            _log.info("%s the client disconnected", self._request_id)

    def _decompress(self, chunk: bytes) -> Iterator[bytes]:
        """Undo gzip in small pieces, as a Function URL does; without gzip, yield `chunk` as it is."""
        if self._gzip is None:
            yield chunk
            return
        try:
            while chunk:
                if piece := self._gzip.decompress(chunk, BUFFER_BYTES):
                    yield piece
                chunk = self._gzip.unconsumed_tail
        except zlib.error:
            _log.exception("%s the body is not gzip, although Content-Encoding says so", self._request_id)
            self._invalid = True

    async def finish(self) -> None:
        """Complete the response; an invalid or truncated one fails instead."""
        if self._invalid or (self._gzip is not None and self._sends_body and not self._gzip.eof):
            await self.fail()
            return
        self._ended = True
        if self._client_disconnected:
            return
        if self._begun:
            await self._send_head()
            await self._connection.send(h11.EndOfMessage())
        elif self._head is not None:
            _log.error("%s the response has an empty body: a Function URL would leave its client waiting", self._request_id)
            await self._connection.respond(HTTPStatus.GATEWAY_TIMEOUT, body=b"The response has an empty body.\n")
        else:
            await self._send_bad_gateway()

    async def fail(self) -> None:
        """End the response in failure: with a status if none was sent yet, else as the options say."""
        self._ended = True
        if self._client_disconnected:
            return
        if not self._head_sent:
            await self._send_bad_gateway()
        elif self._options.stream_errors is StreamErrors.CLEAN:
            await self._connection.send(h11.EndOfMessage())
        # Otherwise send nothing: the connection's owner closes it, and the client never receives the last chunk.

    async def _send_bad_gateway(self) -> None:
        await self._connection.respond(HTTPStatus.BAD_GATEWAY, [("content-type", "text/plain")], b"Internal Server Error\n")

    async def _send_head(self) -> None:
        if not self._head_sent and self._head is not None:
            await self._connection.send(self._head)
            self._head_sent = True

    def _read_prelude(self, chunk: bytes) -> bytes:
        """Add `chunk` to the prelude, and return the part of it that belongs to the body."""
        assert self._prelude is not None  # noqa: S101  # the caller has checked
        self._prelude += chunk
        end = self._prelude.find(PRELUDE_END)
        if end < 0 and len(self._prelude) <= MAX_PRELUDE_BYTES:
            return b""
        try:
            self._head = self._make_head(json.loads(self._prelude[: max(end, 0)]))
        except (ValueError, TypeError, AttributeError, RecursionError, h11.LocalProtocolError):
            _log.exception("%s the prelude is invalid: %s", self._request_id, bytes(self._prelude[:200]))
            self._invalid = True
            return b""
        body = bytes(self._prelude[end + len(PRELUDE_END) :])
        self._prelude = None
        return body

    def _make_head(self, fields: Mapping[str, object]) -> h11.Response:
        status = int(cast("int", fields.get("statusCode", 200)))
        self._sends_body = self._sends_body and status not in _STATUSES_WITHOUT_BODY
        headers = [("x-amzn-requestid", self._request_id), ("connection", "close"), *self._cors_headers()]
        for name, value in cast("dict[str, str]", fields.get("headers") or {}).items():
            key = name.lower()
            if key in RENAMED_HEADERS:
                headers.append((f"x-amzn-remapped-{key}", value))
            elif key == "content-encoding" and value.lower() == "gzip":
                self._gzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            elif self._options.cors is None or not key.startswith("access-control-"):
                headers.append((key, value))
        headers += [("set-cookie", cookie) for cookie in cast("list[str]", fields.get("cookies") or [])]
        headers.append(("date", datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")))
        if status not in _STATUSES_WITHOUT_BODY:
            headers.append(("transfer-encoding", "chunked"))
        return h11.Response(status_code=status, headers=headers)

    def _cors_headers(self) -> list[tuple[str, str]]:
        origin = self._request.header("origin")
        return cors_headers(self._options.cors, origin=origin, preflight=False) if self._options.cors is not None and origin else []
