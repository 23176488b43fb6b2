"""The server on the emulator's port: the Function URL, and the SDK's endpoint under its own paths."""

import asyncio
from http import HTTPStatus

import h11

from transcoder.emulator.function_url import FunctionUrlEndpoint
from transcoder.emulator.function_url_event import HttpRequest
from transcoder.emulator.http_connection import BodyTooLongError, HttpConnection
from transcoder.emulator.invocation_queue import InvocationQueue
from transcoder.emulator.invoke_endpoint import InvokeEndpoint, is_invoke_path
from transcoder.emulator.options import Options

MAX_REQUEST_BYTES = 6 * 1024 * 1024
"""Lambda's limit for the body of a request."""


class Server:
    """Reads a request and passes it to the endpoint that serves its path."""

    def __init__(self, options: Options, queue: InvocationQueue) -> None:
        """Create both endpoints; they send invocations to `queue`."""
        self._options = options
        self._function_url = FunctionUrlEndpoint(options, queue)
        self._invoke = InvokeEndpoint(options, queue)

    async def serve(self, connection: HttpConnection) -> None:
        """Respond to one request."""
        try:
            head = await connection.read_head(seconds=self._options.header_seconds)
            body = None if head is None else await self._read_body(connection, head)
        except TimeoutError:
            await connection.respond(HTTPStatus.REQUEST_TIMEOUT, body=b"Request Timeout\n")
            await connection.discard_body(limit=MAX_REQUEST_BYTES, seconds=1.0)
            return
        if head is not None and body is not None:
            headers = tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers)
            request = HttpRequest(head.method.decode(), head.target.decode("latin-1"), headers, body, connection.client_address)
            endpoint = self._invoke if request.method == "POST" and is_invoke_path(request.path) else self._function_url
            await endpoint.serve(connection, request)

    async def _read_body(self, connection: HttpConnection, head: h11.Request) -> bytes | None:
        """Return the body of a request; None if the request is refused, and has been answered.

        Raises:
            TimeoutError: not all of it has arrived in time.
        """
        if head.http_version == b"1.0":
            # In HTTP/1.0 a body of unknown length ends when the connection closes: the client cannot tell a whole body from a cut one.
            await connection.respond(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, body=b"A streamed response needs HTTP/1.1.\n")
            return None
        try:
            async with asyncio.timeout(self._options.body_seconds):
                return await connection.read_body(limit=MAX_REQUEST_BYTES)
        except BodyTooLongError:
            await connection.respond(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body=b"Request Too Long\n")
            await connection.discard_body(limit=MAX_REQUEST_BYTES, seconds=1.0)
            return None
