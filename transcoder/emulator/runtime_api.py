"""The Runtime API as a runtime sees it: which call may follow which, and what is answered.

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
from transcoder.emulator.invocation import CallerGoneError, Invocation, Outcome
from transcoder.emulator.options import Options
from transcoder.emulator.runtime_process import RuntimeProcess, State
from transcoder.emulator.throttle import TokenBucket

MAX_ERROR_BYTES = 6 * 1024 * 1024
TAKING_SECONDS = 5.0
"""How long the emulator looks whether an event was taken, at a runtime that keeps its connection."""
MAX_DISCARDED_BYTES = 8 * 1024 * 1024
PREFIX = "/2018-06-01/runtime/"
_ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][a-zA-Z]+")

_log = logging.getLogger(__name__)


class RuntimeApiServer:
    """Answers the calls of one process."""

    def __init__(self, options: Options, process: RuntimeProcess) -> None:
        """Speak with `process`."""
        self._options = options
        self._process = process

    async def serve(self, connection: HttpConnection) -> None:
        """Answer one request of the runtime."""
        request = await connection.event()
        if not isinstance(request, h11.Request):
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
                await self._init_error(connection, headers)
            case _:
                await _refuse(connection, HTTPStatus.NOT_FOUND, "NotFound")

    async def _next(self, connection: HttpConnection) -> None:
        process = self._process
        if process.state not in {State.STARTING, State.RESPONDED}:
            await _refuse(connection, HTTPStatus.FORBIDDEN, "InvalidStateTransition")
            return
        await process.move(State.READY)
        await process.reaches(State.RUNNING)
        call = process.call
        if call is None:
            return
        try:
            connection.check()
            await connection.respond(HTTPStatus.OK, self._next_headers(call), call.event)
            await connection.left(seconds=TAKING_SECONDS)
        except OSError:
            # It died while it waited: what it never read can be given to another.
            await process.give_back(call)

    def _next_headers(self, call: Invocation) -> list[tuple[str, str]]:
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", call.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(int((time.time() + self._options.timeout_seconds) * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", self._options.arn),
            ("Lambda-Runtime-Invocation-Id", call.attempt_id),
        ]
        return [*headers, ("Lambda-Runtime-Trace-Id", call.trace_id)] if call.trace_id else headers

    async def _response(self, connection: HttpConnection, request_id: str, headers: Mapping[str, str]) -> None:
        call = self._process.call
        if call is None or self._process.state is not State.RUNNING or not _is_for(call, request_id, headers):
            await _refuse(connection, HTTPStatus.BAD_REQUEST, "InvalidRequestID")
            return
        if headers.get("lambda-runtime-function-response-mode", "streaming") != "streaming":
            call.settle(Outcome("Runtime.InvalidResponseModeHeader"))
            await self._process.move(State.RESPONDED)
            await _refuse(connection, HTTPStatus.BAD_REQUEST, "InvalidFunctionResponseMode")
            return
        await self._process.move(State.RESPONDING)
        call.response.begin(headers.get("content-type", "application/octet-stream"))
        try:
            outcome = await self._pass_on(connection, call)
        except BodyTooLongError:
            call.settle(Outcome("Function.ResponseSizeTooLarge"))
            await self._process.move(State.RESPONDED)
            await _refuse(connection, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge")
            return
        except (OSError, h11.RemoteProtocolError, CallerGoneError):
            call.settle(Outcome("Runtime.TruncatedResponse"))
            await self._process.move(State.BROKEN)
            await _refuse(connection, HTTPStatus.BAD_REQUEST, "TruncatedHTTPRequest")
            return
        call.settle(outcome)
        await self._process.move(State.RESPONDED)
        await _accept(connection)

    async def _pass_on(self, connection: HttpConnection, call: Invocation) -> Outcome:
        """Send the answer's bytes on as they come, no faster than they are taken."""
        bucket = TokenBucket() if self._options.throttle else None
        total = 0
        while isinstance(event := await connection.event(), h11.Data):
            total += len(event.data)
            if total > self._options.response_limit:
                raise BodyTooLongError
            if bucket is not None:
                await bucket.take(len(event.data))
            await call.response.write(bytes(event.data))
        trailers = dict(event.headers) if isinstance(event, h11.EndOfMessage) else {}
        error_type = trailers.get(b"lambda-runtime-function-error-type", b"").decode("latin-1")
        return Outcome(error_type, _decoded(trailers.get(b"lambda-runtime-function-error-body", b"")))

    async def _error(self, connection: HttpConnection, request_id: str, headers: Mapping[str, str]) -> None:
        call = self._process.call
        if call is None or not _is_for(call, request_id, headers):
            await _refuse(connection, HTTPStatus.BAD_REQUEST, "InvalidRequestID")
        elif self._process.state is not State.RUNNING:
            await _refuse(connection, HTTPStatus.FORBIDDEN, "InvalidStateTransition")
        else:
            call.settle(await _told(connection, headers))
            await self._process.move(State.RESPONDED)
            await _accept(connection)

    async def _init_error(self, connection: HttpConnection, headers: Mapping[str, str]) -> None:
        if self._process.state is not State.STARTING:
            await _refuse(connection, HTTPStatus.FORBIDDEN, "InvalidStateTransition")
            return
        self._process.init_error = await _told(connection, headers)
        await self._process.move(State.BROKEN)
        await _accept(connection)


def _is_for(call: Invocation, request_id: str, headers: Mapping[str, str]) -> bool:
    return request_id == call.request_id and headers.get("lambda-runtime-invocation-id", call.attempt_id) == call.attempt_id


async def _told(connection: HttpConnection, headers: Mapping[str, str]) -> Outcome:
    """Read what the runtime tells of a failure."""
    body = await connection.body(limit=MAX_ERROR_BYTES)
    named = headers.get("lambda-runtime-function-error-type", "")
    if not _ERROR_TYPE.fullmatch(named):
        named = "Runtime.Unknown" if named.startswith("Runtime.") else "Function.Unknown"  # as AWS's server does
    return Outcome(named, body)


def _decoded(body: bytes) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        return body


async def _accept(connection: HttpConnection) -> None:
    await connection.respond(HTTPStatus.ACCEPTED, [("Content-Type", "application/json")], b'{"status":"OK"}\n')


async def _refuse(connection: HttpConnection, status: HTTPStatus, error_type: str) -> None:
    _log.warning("the Runtime API answers %d %s", status, error_type)
    body = json.dumps({"errorMessage": status.phrase, "errorType": error_type}).encode()
    await connection.respond(status, [("Content-Type", "application/json")], body)
    await connection.discard(limit=MAX_DISCARDED_BYTES, seconds=1.0)
