"""The Function URL: an HTTP request in, an invocation, a chunked HTTP response out."""

import json
import logging
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import cast

import h11

from transcoder.core.function_url import MAX_PRELUDE_BYTES, PRELUDE_END, PRELUDE_TYPE, RENAMED_HEADERS, STRIPPED_HEADERS
from transcoder.emulator.call import Call, CallerGoneError
from transcoder.emulator.calls import Calls, TooManyCallsError
from transcoder.emulator.connection import BodyTooLongError, Connection
from transcoder.emulator.event import HttpRequest, make_event
from transcoder.emulator.options import Options, StreamErrors

MAX_REQUEST_BYTES = 6 * 1024 * 1024

_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_log = logging.getLogger(__name__)


class UrlDoor:
    """Answers the Function URL's clients."""

    def __init__(self, options: Options, calls: Calls) -> None:
        """Have `calls` answer them."""
        self._options = options
        self._calls = calls

    async def serve(self, connection: Connection) -> None:
        """Answer one request."""
        head = await connection.event()
        if not isinstance(head, h11.Request):
            return
        if head.http_version == b"1.0":
            # A body of unknown length ends an HTTP/1.0 connection either way: its client cannot tell whole from cut.
            await connection.respond(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, body=b"A stream needs HTTP/1.1.\n")
            return
        try:
            body = await connection.body(limit=MAX_REQUEST_BYTES)
        except BodyTooLongError:
            await connection.respond(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body=b"Request Too Long\n")
            await connection.discard(limit=MAX_REQUEST_BYTES, seconds=1.0)
            return
        headers = tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers)
        await self._invoke(connection, HttpRequest(head.method.decode(), head.target.decode("latin-1"), headers, body, connection.peer))

    async def _invoke(self, connection: Connection, request: HttpRequest) -> None:
        request_id, trace_id = str(uuid.uuid4()), f"Root=1-{int(datetime.now(UTC).timestamp()):08x}-{uuid.uuid4().hex[:24]}"
        response = UrlResponse(connection, self._options, request, request_id)
        event = make_event(request, request_id=request_id, trace_id=trace_id, now=datetime.now(UTC))
        call = Call(request_id, event, response, trace_id)
        try:
            outcome = await self._calls.perform(call)
        except TooManyCallsError:
            await connection.respond(HTTPStatus.TOO_MANY_REQUESTS, body=b"Rate Exceeded.\n")
            return
        if outcome.error_type:
            _log.error("%s %s: %s", request_id, outcome.error_type, outcome.error_body.decode(errors="replace"))
            await response.fail()
        else:
            await response.finish()


class UrlResponse:
    """What a Function URL's client gets of a runtime's answer: the prelude as status and headers, the body in chunks."""

    def __init__(self, connection: Connection, options: Options, request: HttpRequest, request_id: str) -> None:
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
        if self._prelude is not None and self._head is None:
            chunk = self._take_prelude(chunk)
        if not chunk or self._caller_left:
            return
        try:
            await self._start()
            if self._sends_body:
                await self._connection.send(h11.Data(data=chunk))
        except OSError as error:
            self._caller_left = True  # and the runtime is left to run on, as Lambda does
            _log.info("%s the caller has left", self._request_id)
            if self._options.stop_on_disconnect:
                raise CallerGoneError from error

    async def finish(self) -> None:
        """Complete the response."""
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
        if end < 0:
            if len(self._prelude) > MAX_PRELUDE_BYTES:
                self._head = self._make_head({"statusCode": 502})
            return b""
        body = bytes(self._prelude[end + len(PRELUDE_END) :])
        try:
            self._head = self._make_head(json.loads(self._prelude[:end]))
        except (ValueError, TypeError, AttributeError, h11.LocalProtocolError):
            _log.exception("%s the prelude makes no sense: %s", self._request_id, bytes(self._prelude[:end]))
            self._head = self._make_head({"statusCode": 502})
        self._prelude = bytearray()
        return body

    def _make_head(self, fields: Mapping[str, object]) -> h11.Response:
        status = int(cast("int", fields.get("statusCode", 200)))
        self._sends_body = self._sends_body and status not in _BODILESS
        headers = [("x-amzn-requestid", self._request_id), ("connection", "close")]
        for name, value in cast("dict[str, str]", fields.get("headers") or {}).items():
            key = name.lower()
            if key in RENAMED_HEADERS:
                headers.append((f"x-amzn-remapped-{key}", value))
            elif key not in STRIPPED_HEADERS:
                headers.append((key, value))
        headers += [("set-cookie", cookie) for cookie in cast("list[str]", fields.get("cookies") or [])]
        headers.append(("date", datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")))
        if status not in _BODILESS:
            headers.append(("transfer-encoding", "chunked"))
        return h11.Response(status_code=status, headers=headers)
