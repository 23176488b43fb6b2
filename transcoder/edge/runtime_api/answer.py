"""The response to one invocation, while it is streamed."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import cast

import h11

from transcoder.core.answer.function_url import PRELUDE_TYPE, ResponseHead, encode_prelude, problem_response
from transcoder.core.answer.metrics import OK, Value
from transcoder.core.answer.runtime_errors import error_document, error_trailers, error_type
from transcoder.edge.runtime_api.connection import Connection, exchange
from transcoder.edge.runtime_api.invocation import Invocation
from transcoder.errors import TooLargeError, TranscoderError

CUT_OFF = "cut-off"
"""The outcome of a response that has not ended: the process is about to exit."""
REFUSED = "refused"
"""The outcome of a response that Lambda refused because it came too late or was too long."""


class Answer:
    """The response to one invocation, while it is streamed."""

    def __init__(self, address: str, invocation: Invocation, *, limit: int | None) -> None:
        """Prepare a response of at most `limit` bytes with its prelude; nothing is connected or sent yet."""
        self._address = address
        self._invocation = invocation
        self._limit = limit
        self._prelude: bytes | None = None
        self._more_headers: tuple[tuple[str, str], ...] = ()
        self.status: HTTPStatus | None = None
        """Status of the last `start`."""
        self.first_byte_at: float | None = None
        """When the first byte was sent, by the event loop's clock."""
        self.outcome = CUT_OFF
        """`ok` if it is whole and was accepted, the slug of its failure, `http-` and the status, `refused`, or `cut-off`."""
        self.notes: dict[str, Value] = {}
        self._connection: Connection | None = None
        self.bytes_sent = 0
        """How many bytes of the body were written."""

    @property
    def started(self) -> bool:
        """Whether anything has been sent, so that the status can no longer change."""
        return self._connection is not None

    @property
    def deadline(self) -> float | None:
        """When Lambda ends the invocation, by the event loop's clock; None if it does not say."""
        return self._invocation.deadline

    def note(self, **fields: Value) -> None:
        """Add fields to the log line of this invocation: `source_host`, `segments`, `retries`, `outcome`, …."""
        self.notes.update(fields)

    def add_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Send `headers` with every head that is started from now on, also with that of a failure."""
        self._more_headers += tuple(headers)

    async def start(self, head: ResponseHead) -> None:
        """Set status and headers. They are sent together with the first byte of the body, and can be replaced until then.

        Raises:
            ValueError: `head` cannot be sent (see `encode_prelude`).
        """
        if self.started:
            raise RuntimeError("The response has started; its head cannot be changed.")
        self._prelude = encode_prelude(ResponseHead(head.status, head.headers + self._more_headers))
        self.status = head.status

    async def write(self, chunk: bytes | memoryview) -> None:
        """Send the next bytes of the body; returns when it may be called again.

        Raises:
            TooLargeError: `chunk` would exceed the limit; it is not sent.
            ResponseLostError: the connection to the Runtime API broke.
        """
        if not chunk:
            return  # an empty chunk would end a chunked body
        if self._prelude is None:
            raise RuntimeError("The response has no head yet.")
        if self._limit is not None and len(self._prelude) + self.bytes_sent + len(chunk) > self._limit:
            raise TooLargeError(f"The response is longer than the {self._limit} bytes that can be sent.")
        if self._connection is None:
            connection = await Connection.open(self._address)
            self._connection = connection
            self.first_byte_at = asyncio.get_running_loop().time()
            self.bytes_sent = len(chunk)
            await connection.send(self._request(connection), h11.Data(data=b"".join((self._prelude, chunk))))
        else:
            self.bytes_sent += len(chunk)
            await self._connection.send(h11.Data(data=cast("bytes", chunk)))  # h11 accepts any buffer with a length that bytes.join accepts

    async def finish(self) -> None:
        """Complete the response. An empty body gets one byte: with none, a Function URL leaves the caller waiting."""
        if self._connection is None:
            await self.write(b"\n")
        await self._end(h11.EndOfMessage())

    async def fail(self, error: BaseException) -> None:
        """End the response with `error`: as a problem document, by `/error`, or in trailers if it has started."""
        self.outcome = error.slug if isinstance(error, TranscoderError) else TranscoderError.slug
        if self._connection is not None:
            await self._end(h11.EndOfMessage(headers=[*error_trailers(error)]))
        elif isinstance(error, TranscoderError):
            head, body = problem_response(error)
            await self.start(head)
            await self.write(body)
            await self.finish()
        else:
            await self._report(error)

    async def close(self) -> None:
        """Close the connection; this cuts off a response that has not ended."""
        if self._connection is not None:
            await self._connection.close()

    def _request(self, connection: Connection) -> h11.Request:
        headers = [
            ("Content-Type", PRELUDE_TYPE),
            ("Lambda-Runtime-Function-Response-Mode", "streaming"),
            ("Transfer-Encoding", "chunked"),
            ("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"),
            *self._invocation.id_header,
        ]
        return connection.request("POST", self._invocation.path + "/response", headers)

    async def _end(self, end: h11.EndOfMessage) -> None:
        assert self._connection is not None  # noqa: S101  # both callers have checked
        await self._connection.send(end)
        accepted = (await self._connection.reply()).check_accepted()
        if self.outcome == CUT_OFF:
            self.outcome = self._success_outcome if accepted else REFUSED

    @property
    def _success_outcome(self) -> str:
        """The outcome of a complete response: `ok`, or the status if that is an error."""
        return OK if self.status is None or self.status < HTTPStatus.BAD_REQUEST else f"http-{self.status}"

    async def _report(self, error: BaseException) -> None:
        headers = [("Lambda-Runtime-Function-Error-Type", error_type(error)), *self._invocation.id_header]
        path = self._invocation.path + "/error"
        (await exchange(self._address, "POST", path, headers, error_document(error, trace=True))).check_accepted()
