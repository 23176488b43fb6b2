"""What a Function URL makes of a runtime's answer."""

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
from transcoder.emulator.invocation import CallerGoneError
from transcoder.emulator.options import Options, StreamErrors

_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_log = logging.getLogger(__name__)


class FunctionUrlResponse:
    """What a Function URL's client gets of a runtime's answer: the prelude as status and headers, the body in chunks."""

    def __init__(self, connection: HttpConnection, options: Options, request: HttpRequest, request_id: str) -> None:
        """Answer on `connection`."""
        self._connection = connection
        self._options = options
        self._request = request
        self._request_id = request_id
        self._prelude: bytearray | None = None
        self._head: h11.Response | None = None
        self._started = False
        self._sends_body = request.method != "HEAD"
        self._caller_left = False
        self._ended = False
        self._nonsense = False
        self._gzip: zlib._Decompress | None = None

    def begin(self, content_type: str) -> None:
        """Look for a prelude if the runtime's content type promises one."""
        if content_type.lower() == PRELUDE_TYPE:
            self._prelude = bytearray()
        else:
            self._head = self._make_head({"statusCode": 200, "headers": {"content-type": content_type}})

    async def write(self, chunk: bytes, /) -> None:
        """Pass on a piece of the answer, once its head is complete.

        Raises:
            CallerGoneError: the client has left, and that is to stop the runtime.
        """
        if self._ended:
            raise CallerGoneError
        if self._prelude is not None and not self._nonsense:
            chunk = self._take_prelude(chunk)
        if not chunk or self._caller_left or self._nonsense:
            return
        try:
            await self._start()
            for piece in self._decoded(chunk) if self._sends_body else ():
                await self._connection.send(h11.Data(data=piece))
        except OSError as error:
            self._caller_left = True  # and the runtime is left to run on, as Lambda does
            _log.info("%s the caller has left", self._request_id)
            if self._options.stop_on_disconnect:
                raise CallerGoneError from error

    def _decoded(self, chunk: bytes) -> Iterator[bytes]:
        """Undo gzip, as a Function URL does, a little at a time."""
        if self._gzip is None:
            yield chunk
            return
        try:
            while chunk:
                if piece := self._gzip.decompress(chunk, BUFFER_BYTES):
                    yield piece
                chunk = self._gzip.unconsumed_tail
        except zlib.error:
            _log.exception("%s the body is not the gzip that its header says", self._request_id)
            self._nonsense = True

    async def finish(self) -> None:
        """Complete the response."""
        if self._nonsense or (self._gzip is not None and self._sends_body and not self._gzip.eof):
            await self.fail()
            return
        self._ended = True
        if self._caller_left:
            return
        if self._started:
            await self._connection.send(h11.EndOfMessage())
        elif self._head is not None:
            _log.error("%s the answer has an empty body: a Function URL would leave its client waiting", self._request_id)
            await self._connection.respond(HTTPStatus.GATEWAY_TIMEOUT, body=b"The answer has an empty body.\n")
        else:
            await self._bad_gateway()

    async def fail(self) -> None:
        """End the response in failure: by a status while there is time, else as the options say."""
        self._ended = True
        if self._caller_left:
            return
        if not self._started:
            await self._bad_gateway()
        elif self._options.stream_errors is StreamErrors.CLEAN:
            await self._connection.send(h11.EndOfMessage())
        # Otherwise nothing: the connection is closed by its owner, and the last chunk never came.

    async def _bad_gateway(self) -> None:
        await self._connection.respond(HTTPStatus.BAD_GATEWAY, [("content-type", "text/plain")], b"Internal Server Error\n")

    async def _start(self) -> None:
        if not self._started and self._head is not None:
            await self._connection.send(self._head)
            self._started = True

    def _take_prelude(self, chunk: bytes) -> bytes:
        """Take the prelude off the front of the answer; gives what is body."""
        assert self._prelude is not None  # noqa: S101  # its caller has looked
        self._prelude += chunk
        end = self._prelude.find(PRELUDE_END)
        if end < 0 and len(self._prelude) <= MAX_PRELUDE_BYTES:
            return b""
        try:
            self._head = self._make_head(json.loads(self._prelude[: max(end, 0)]))
        except (ValueError, TypeError, AttributeError, RecursionError, h11.LocalProtocolError):
            _log.exception("%s the prelude makes no sense: %s", self._request_id, bytes(self._prelude[:200]))
            self._nonsense = True
            return b""
        body = bytes(self._prelude[end + len(PRELUDE_END) :])
        self._prelude = None
        return body

    def _make_head(self, fields: Mapping[str, object]) -> h11.Response:
        status = int(cast("int", fields.get("statusCode", 200)))
        self._sends_body = self._sends_body and status not in _BODILESS
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
        if status not in _BODILESS:
            headers.append(("transfer-encoding", "chunked"))
        return h11.Response(status_code=status, headers=headers)

    def _cors_headers(self) -> list[tuple[str, str]]:
        origin = self._request.header("origin")
        return cors_headers(self._options.cors, origin=origin, preflight=False) if self._options.cors is not None and origin else []
