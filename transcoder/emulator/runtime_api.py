"""The server side of the Runtime API: which call may follow which, and how each one is answered.

Source: AWS Lambda developer guide, "Using the Lambda runtime API"; where that is silent, AWS's own server code in the repository
aws-lambda-runtime-interface-emulator.
"""

import base64
import binascii
import json
import logging
import re
import time
from collections.abc import Mapping
from http import HTTPStatus

import h11

from transcoder.emulator.http_connection import BodyTooLongError, HttpConnection
from transcoder.emulator.invocation import Invocation, Outcome, ResponseEndedError
from transcoder.emulator.options import Options
from transcoder.emulator.runtime_process import RuntimeProcess, State
from transcoder.emulator.throttle import TokenBucket

MAX_ERROR_BYTES = 6 * 1024 * 1024
DELIVERY_CHECK_SECONDS = 5.0
"""How long to watch for an event that was not read, if the runtime keeps its connection open."""
MAX_DISCARDED_BYTES = 8 * 1024 * 1024
PREFIX = "/2018-06-01/runtime/"
_ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][a-zA-Z]+")

_log = logging.getLogger(__name__)


class RuntimeApiServer:
    """Answers the calls of one runtime process."""

    def __init__(self, options: Options, process: RuntimeProcess) -> None:
        """Serve `process`."""
        self._options = options
        self._process = process

    async def serve(self, connection: HttpConnection) -> None:
        """Answer one call of the runtime."""
        request = await connection.read_head(seconds=self._options.header_seconds)
        if request is None:
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        match (request.method, request.target.decode("latin-1").removeprefix(PREFIX).split("/")):
            case (b"GET", ["invocation", "next"]):
                await self._next(connection)
            case (b"POST", ["invocation", request_id, "response"]):
                await self._response(connection, request_id, headers)
            case (b"POST", ["invocation", request_id, "error"]):
                await self._error(connection, request_id, headers)
            case (b"POST", ["init", "error"]):
                await self._start_error(connection, headers, during=State.STARTING)
            case (b"GET", ["restore", "next"]) if self._options.snap_start:
                await self._restore(connection)
            case (b"POST", ["restore", "error"]) if self._options.snap_start:
                await self._start_error(connection, headers, during=State.RESTORED)
            case _:
                await _respond_error(connection, HTTPStatus.NOT_FOUND, "NotFound")

    async def _next(self, connection: HttpConnection) -> None:
        process = self._process
        if process.state not in {State.RESTORED if self._options.snap_start else State.STARTING, State.RESPONDED}:
            await _respond_error(connection, HTTPStatus.FORBIDDEN, "InvalidStateTransition")
            return
        await process.set_state(State.READY)
        await process.wait_for(State.RUNNING)
        invocation = process.invocation
        if invocation is None:
            return
        try:
            connection.raise_if_closed()
            await connection.respond(HTTPStatus.OK, self._next_headers(invocation), invocation.event)
            await connection.wait_for_close(seconds=DELIVERY_CHECK_SECONDS)
        except OSError:
            # The process died while it waited: it never read the event, so another process can run the invocation.
            await process.return_undelivered(invocation)

    def _next_headers(self, invocation: Invocation) -> list[tuple[str, str]]:
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(int((time.time() + self._options.timeout_seconds) * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", self._options.arn),
            ("Lambda-Runtime-Invocation-Id", invocation.attempt_id),
        ]
        return [*headers, ("Lambda-Runtime-Trace-Id", invocation.trace_id)] if invocation.trace_id else headers

    async def _response(self, connection: HttpConnection, request_id: str, headers: Mapping[str, str]) -> None:
        invocation = self._process.invocation
        if invocation is None or self._process.state is not State.RUNNING or not _is_current(invocation, request_id, headers):
            await _respond_error(connection, HTTPStatus.BAD_REQUEST, "InvalidRequestID")
            return
        if headers.get("lambda-runtime-function-response-mode", "streaming") != "streaming":
            invocation.set_outcome(Outcome("Runtime.InvalidResponseModeHeader"))
            await self._process.set_state(State.RESPONDED)
            await _respond_error(connection, HTTPStatus.BAD_REQUEST, "InvalidFunctionResponseMode")
            return
        await self._process.set_state(State.RESPONDING)
        invocation.response.start(headers.get("content-type", "application/octet-stream"))
        try:
            outcome = await self._stream_response(connection, invocation)
        except BodyTooLongError:
            invocation.set_outcome(Outcome("Function.ResponseSizeTooLarge"))
            await self._process.set_state(State.RESPONDED)
            await _respond_error(connection, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge")
            return
        except (OSError, h11.RemoteProtocolError, ResponseEndedError):
            invocation.set_outcome(Outcome("Runtime.TruncatedResponse"))
            await self._process.set_state(State.BROKEN)
            await _respond_error(connection, HTTPStatus.BAD_REQUEST, "TruncatedHTTPRequest")
            return
        invocation.set_outcome(outcome)
        await self._process.set_state(State.RESPONDED)
        await _respond_accepted(connection)

    async def _stream_response(self, connection: HttpConnection, invocation: Invocation) -> Outcome:
        """Pass the response on as it arrives, no faster than the client reads it, and return the outcome that its trailers report."""
        bucket = TokenBucket() if self._options.throttle else None
        total = 0
        while isinstance(event := await connection.next_event(), h11.Data):
            total += len(event.data)
            if total > self._options.response_limit:
                raise BodyTooLongError
            if bucket is not None:
                await bucket.take(len(event.data))
            await invocation.response.write(bytes(event.data))
        trailers = dict(event.headers) if isinstance(event, h11.EndOfMessage) else {}
        error_type = trailers.get(b"lambda-runtime-function-error-type", b"").decode("latin-1")
        return Outcome(error_type, _decode_error_body(trailers.get(b"lambda-runtime-function-error-body", b"")))

    async def _error(self, connection: HttpConnection, request_id: str, headers: Mapping[str, str]) -> None:
        invocation = self._process.invocation
        if invocation is None or not _is_current(invocation, request_id, headers):
            await _respond_error(connection, HTTPStatus.BAD_REQUEST, "InvalidRequestID")
        elif self._process.state is not State.RUNNING:
            await _respond_error(connection, HTTPStatus.FORBIDDEN, "InvalidStateTransition")
        else:
            invocation.set_outcome(await _read_error(connection, headers))
            await self._process.set_state(State.RESPONDED)
            await _respond_accepted(connection)

    async def _restore(self, connection: HttpConnection) -> None:
        """Answer the runtime that is ready for its snapshot; it goes on at once, in the same process."""
        if self._process.state is not State.STARTING:
            await _respond_error(connection, HTTPStatus.FORBIDDEN, "InvalidStateTransition")
            return
        await self._process.set_state(State.RESTORED)
        await connection.respond(HTTPStatus.OK)

    async def _start_error(self, connection: HttpConnection, headers: Mapping[str, str], *, during: State) -> None:
        if self._process.state is not during:
            await _respond_error(connection, HTTPStatus.FORBIDDEN, "InvalidStateTransition")
            return
        self._process.start_error = await _read_error(connection, headers)
        await self._process.set_state(State.BROKEN)
        await _respond_accepted(connection)


def _is_current(invocation: Invocation, request_id: str, headers: Mapping[str, str]) -> bool:
    """Return whether a call refers to `invocation`, and to this attempt at it."""
    attempt_id = headers.get("lambda-runtime-invocation-id", invocation.attempt_id)
    return request_id == invocation.request_id and attempt_id == invocation.attempt_id


async def _read_error(connection: HttpConnection, headers: Mapping[str, str]) -> Outcome:
    """Read the runtime's report of a failure."""
    body = await connection.read_body(limit=MAX_ERROR_BYTES)
    error_type = headers.get("lambda-runtime-function-error-type", "")
    if not _ERROR_TYPE.fullmatch(error_type):
        error_type = "Runtime.Unknown" if error_type.startswith("Runtime.") else "Function.Unknown"  # as AWS's server does
    return Outcome(error_type, body)


def _decode_error_body(body: bytes) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        return body


async def _respond_accepted(connection: HttpConnection) -> None:
    await connection.respond(HTTPStatus.ACCEPTED, [("Content-Type", "application/json")], b'{"status":"OK"}\n')


async def _respond_error(connection: HttpConnection, status: HTTPStatus, error_type: str) -> None:
    _log.warning("the Runtime API responds %d %s", status, error_type)
    body = json.dumps({"errorMessage": status.phrase, "errorType": error_type}).encode()
    await connection.respond(status, [("Content-Type", "application/json")], body)
    await connection.discard_body(limit=MAX_DISCARDED_BYTES, seconds=1.0)
