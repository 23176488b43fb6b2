"""What listens on the emulator's port: the Function URL, and the SDK's endpoint under its own paths."""

from http import HTTPStatus

import h11

from transcoder.emulator.function_url import FunctionUrlEndpoint
from transcoder.emulator.function_url_event import HttpRequest
from transcoder.emulator.http_connection import BodyTooLongError, HttpConnection
from transcoder.emulator.invocation_queue import InvocationQueue
from transcoder.emulator.invoke_endpoint import InvokeEndpoint, is_invocation
from transcoder.emulator.options import Options

MAX_REQUEST_BYTES = 6 * 1024 * 1024
"""Lambda's limit for a request's body."""


class Server:
    """Reads a request and leads it to its door."""

    def __init__(self, options: Options, calls: InvocationQueue) -> None:
        """Open both doors."""
        self._url_door = FunctionUrlEndpoint(options, calls)
        self._invoke_door = InvokeEndpoint(options, calls)

    async def serve(self, connection: HttpConnection) -> None:
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
        request = HttpRequest(head.method.decode(), head.target.decode("latin-1"), headers, body, connection.peer)
        door = self._invoke_door if request.method == "POST" and is_invocation(request.path) else self._url_door
        await door.serve(connection, request)
