"""The SDK's door, InvokeWithResponseStream: an event in, an event stream out that boto3 accepts.

Source: the model of the operation in botocore.
"""

import json
import logging
import uuid
from http import HTTPStatus
from urllib.parse import unquote

import h11

from transcoder.emulator.event_stream import CONTENT_TYPE, invoke_complete, payload_chunk
from transcoder.emulator.function_url_event import HttpRequest, new_trace_id
from transcoder.emulator.http_connection import HttpConnection
from transcoder.emulator.invocation import CallerGoneError, Invocation
from transcoder.emulator.invocation_queue import InvocationQueue, QueueFullError
from transcoder.emulator.options import Options

PREFIX = "/2021-11-15/functions/"
SUFFIX = "/response-streaming-invocations"

_log = logging.getLogger(__name__)


def is_invocation(path: str) -> bool:
    """Whether a request is for this door."""
    return path.startswith(PREFIX) and path.endswith(SUFFIX)


class InvokeEndpoint:
    """Answers the SDK. Signatures are not checked."""

    def __init__(self, options: Options, calls: InvocationQueue) -> None:
        """Have `calls` answer what comes."""
        self._options = options
        self._calls = calls

    async def serve(self, connection: HttpConnection, request: HttpRequest) -> None:
        """Answer one request, read to its end."""
        request_id = str(uuid.uuid4())
        name = unquote(request.path.removeprefix(PREFIX).removesuffix(SUFFIX))
        if name not in {self._options.function_name, self._options.arn}:
            await _refuse(connection, request_id, HTTPStatus.NOT_FOUND, "ResourceNotFoundException")
            return
        event = request.body or b"{}"
        try:
            json.loads(event)
        except (ValueError, RecursionError):
            await _refuse(connection, request_id, HTTPStatus.BAD_REQUEST, "InvalidRequestContentException")
            return
        await self._invoke(connection, request_id, event)

    async def _invoke(self, connection: HttpConnection, request_id: str, event: bytes) -> None:
        response = EventStreamResponse(connection, self._options, request_id)
        try:
            outcome = await self._calls.perform(Invocation(request_id, event, response, new_trace_id()))
        except QueueFullError:
            await _refuse(connection, request_id, HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequestsException")
            return
        if outcome.error_type:
            _log.error("%s %s: %s", request_id, outcome.error_type, outcome.error_body.decode(errors="replace"))
        await response.complete(invoke_complete(outcome.error_type, outcome.error_body.decode(errors="replace")))


class EventStreamResponse:
    """What an SDK gets of a runtime's answer: all of its bytes, prelude included, and a word at the end on how it went."""

    def __init__(self, connection: HttpConnection, options: Options, request_id: str) -> None:
        """Answer on `connection`."""
        self._connection = connection
        self._options = options
        self._request_id = request_id
        self._started = False
        self._ended = False
        self._caller_left = False

    def begin(self, content_type: str) -> None:
        """Do nothing: the SDK is told of no content type but the event stream's."""

    async def write(self, chunk: bytes, /) -> None:
        """Pass on a piece of the answer.

        Raises:
            CallerGoneError: the client has left, and that is to stop the runtime.
        """
        if self._ended:
            raise CallerGoneError
        if self._caller_left:
            return
        try:
            await self._start()
            await self._connection.send(h11.Data(data=payload_chunk(chunk)))
        except OSError as error:
            self._caller_left = True  # and the runtime is left to run on, as Lambda does
            _log.info("%s the caller has left", self._request_id)
            if self._options.stop_on_disconnect:
                raise CallerGoneError from error

    async def complete(self, last: bytes) -> None:
        """Send the last frame, and end the response."""
        self._ended = True
        if not self._caller_left:
            await self._start()
            await self._connection.send(h11.Data(data=last), h11.EndOfMessage())

    async def _start(self) -> None:
        if not self._started:
            self._started = True
            headers = [
                ("content-type", CONTENT_TYPE),
                ("x-amzn-requestid", self._request_id),
                ("x-amz-executed-version", "$LATEST"),
                ("transfer-encoding", "chunked"),
                ("connection", "close"),
            ]
            await self._connection.send(h11.Response(status_code=HTTPStatus.OK, headers=headers))


async def _refuse(connection: HttpConnection, request_id: str, status: HTTPStatus, error: str) -> None:
    headers = [("content-type", "application/json"), ("x-amzn-errortype", error), ("x-amzn-requestid", request_id)]
    await connection.respond(status, headers, json.dumps({"Type": "User", "Message": status.phrase}).encode())
