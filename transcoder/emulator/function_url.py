"""The Function URL, or the REST API: it turns an HTTP request into an invocation, and the result into a chunked HTTP response."""

import json
import logging
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

from transcoder.core.answer.cors import Cors, cors_headers
from transcoder.emulator.function_url_event import HttpRequest, make_event, new_trace_id
from transcoder.emulator.function_url_response import FunctionUrlResponse
from transcoder.emulator.http_connection import HttpConnection
from transcoder.emulator.invocation import Invocation
from transcoder.emulator.invocation_queue import InvocationQueue, QueueFullError
from transcoder.emulator.options import Front, Options
from transcoder.emulator.rest_api_event import METHODS, is_in_stage, make_rest_event

_log = logging.getLogger(__name__)


class FunctionUrlEndpoint:
    """Serves the clients of the Function URL, or of the REST API in its place."""

    def __init__(self, options: Options, queue: InvocationQueue) -> None:
        """Send invocations to `queue`."""
        self._options = options
        self._queue = queue

    async def serve(self, connection: HttpConnection, request: HttpRequest) -> None:
        """Respond to one request, whose body has been read."""
        is_rest_api = self._options.front is Front.API_GATEWAY
        if await (self._answer_as_rest_api(connection, request) if is_rest_api else self._answer_preflight(connection, request)):
            return
        request_id, trace_id = str(uuid.uuid4()), new_trace_id()
        # A REST API adds no headers of CORS to what the function sends.
        options = replace(self._options, cors=None) if is_rest_api else self._options
        response = FunctionUrlResponse(connection, options, request, request_id)
        make = make_rest_event if is_rest_api else make_event
        event = make(request, request_id=request_id, trace_id=trace_id, now=datetime.now(UTC))
        try:
            outcome = await self._queue.invoke(Invocation(request_id, event, response, trace_id), connection)
        except QueueFullError:
            await connection.respond(HTTPStatus.TOO_MANY_REQUESTS, body=b"Rate Exceeded.\n")
            return
        if outcome.error_type:
            _log.error("%s %s: %s", request_id, outcome.error_type, outcome.error_body.decode(errors="replace"))
            await response.fail()
        else:
            await response.finish()

    async def _answer_preflight(self, connection: HttpConnection, request: HttpRequest) -> bool:
        """Answer a preflight request as a Function URL does, and return whether it was one."""
        origin, cors = request.header("origin"), self._options.cors
        if cors is None or not origin or request.method != "OPTIONS" or not request.header("access-control-request-method"):
            return False
        await connection.respond(HTTPStatus.OK, cors_headers(cors, origin=origin, preflight=True))
        return True

    async def _answer_as_rest_api(self, connection: HttpConnection, request: HttpRequest) -> bool:
        """Answer what a REST API does not hand to the function, and return whether it was that.

        Sources: the stack's template for OPTIONS; API Gateway developer guide, "Gateway response types", MISSING_AUTHENTICATION_TOKEN.
        """
        if not is_in_stage(request.path):
            await _forbid(connection, "ForbiddenException", "Forbidden")
        elif request.method == "OPTIONS":
            # A mock integration: it answers each OPTIONS alike, whether or not a browser has sent it.
            await connection.respond(HTTPStatus.NO_CONTENT, cors_headers(self._options.cors or Cors(), origin="*", preflight=True))
        elif request.method not in METHODS:
            await _forbid(connection, "MissingAuthenticationTokenException", "Missing Authentication Token")
        else:
            return False
        return True


async def _forbid(connection: HttpConnection, error_type: str, message: str) -> None:
    """Respond with 403, as a REST API does without asking the function."""
    headers = [("content-type", "application/json"), ("x-amzn-errortype", error_type)]
    await connection.respond(HTTPStatus.FORBIDDEN, headers, json.dumps({"message": message}, separators=(",", ":")).encode())
