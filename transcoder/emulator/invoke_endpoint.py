"""The SDK's operation InvokeWithResponseStream: it takes an event and responds with an event stream that boto3 accepts.

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
from transcoder.emulator.invocation import Invocation, ResponseEndedError
from transcoder.emulator.invocation_queue import InvocationQueue, QueueFullError
from transcoder.emulator.options import Options

PREFIX = "/2021-11-15/functions/"
SUFFIX = "/response-streaming-invocations"

_log = logging.getLogger(__name__)


def is_invoke_path(path: str) -> bool:
    """Return whether `path` is that of InvokeWithResponseStream."""
    return path.startswith(PREFIX) and path.endswith(SUFFIX)


class InvokeEndpoint:
    """Serves SDK clients. Signatures are not checked."""

    def __init__(self, options: Options, queue: InvocationQueue) -> None:
        """Send invocations to `queue`."""
        self._options = options
        self._queue = queue

    async def serve(self, connection: HttpConnection, request: HttpRequest) -> None:
        """Respond to one request, whose body has been read."""
        request_id = str(uuid.uuid4())
        name = unquote(request.path.removeprefix(PREFIX).removesuffix(SUFFIX))
        if name not in {self._options.function_name, self._options.arn}:
            await _respond_error(connection, request_id, HTTPStatus.NOT_FOUND, "ResourceNotFoundException")
            return
        event = request.body or b"{}"
        try:
            json.loads(event)
        except (ValueError, RecursionError):
            await _respond_error(connection, request_id, HTTPStatus.BAD_REQUEST, "InvalidRequestContentException")
            return
        await self._invoke(connection, request_id, event)

    async def _invoke(self, connection: HttpConnection, request_id: str, event: bytes) -> None:
        response = EventStreamResponse(connection, self._options, request_id)
        try:
            outcome = await self._queue.invoke(Invocation(request_id, event, response, new_trace_id()), connection)
        except QueueFullError:
            await _respond_error(connection, request_id, HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequestsException")
            return
        if outcome.error_type:
            _log.error("%s %s: %s", request_id, outcome.error_type, outcome.error_body.decode(errors="replace"))
        await response.finish(invoke_complete(outcome.error_type, outcome.error_body.decode(errors="replace")))


class EventStreamResponse:
    """Sends a runtime's response to an SDK client: every byte including the prelude, then InvokeComplete with the outcome."""

    def __init__(self, connection: HttpConnection, options: Options, request_id: str) -> None:
        """Respond on `connection`."""
        self._connection = connection
        self._options = options
        self._request_id = request_id
        self._head_sent = False
        self._ended = False
        self._client_disconnected = False

    def start(self, content_type: str) -> None:
        """Ignore the content type: the SDK's response always has that of an event stream."""

    async def write(self, chunk: bytes, /) -> None:
        """Send a piece of the runtime's response.

        Raises:
            ResponseEndedError: the response has ended already.
        """
        if self._ended:
            raise ResponseEndedError
        if self._client_disconnected:
            return
        try:
            await self._send_head()
            await self._connection.send(h11.Data(data=payload_chunk(chunk)))
        except OSError:
            self._client_disconnected = True  # and the runtime runs on, as on Lambda
            _log.info("%s the client disconnected", self._request_id)

    async def finish(self, last_message: bytes) -> None:
        """Send the last message of the event stream, and end the response."""
        self._ended = True
        if not self._client_disconnected:
            await self._send_head()
            await self._connection.send(h11.Data(data=last_message), h11.EndOfMessage())

    async def _send_head(self) -> None:
        if not self._head_sent:
            self._head_sent = True
            headers = [
                ("content-type", CONTENT_TYPE),
                ("x-amzn-requestid", self._request_id),
                ("x-amz-executed-version", "$LATEST"),
                ("transfer-encoding", "chunked"),
                ("connection", "close"),
            ]
            await self._connection.send(h11.Response(status_code=HTTPStatus.OK, headers=headers))


async def _respond_error(connection: HttpConnection, request_id: str, status: HTTPStatus, error_type: str) -> None:
    headers = [("content-type", "application/json"), ("x-amzn-errortype", error_type), ("x-amzn-requestid", request_id)]
    await connection.respond(status, headers, json.dumps({"Type": "User", "Message": status.phrase}).encode())
