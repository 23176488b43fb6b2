"""The answer to one invocation, on its way."""

import asyncio
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
"""The outcome of an answer that has not ended: the process is about to."""
REFUSED = "refused"
"""The outcome of an answer that Lambda did not want, because it came too late or was too long."""


class Answer:
    """The answer to one invocation, on its way."""

    def __init__(self, address: str, invocation: Invocation, *, limit: int | None) -> None:
        """Begin with nothing sent and nothing connected; `limit` bounds the answer, in bytes with its prelude."""
        self._address = address
        self._invocation = invocation
        self._limit = limit
        self._prelude: bytes | None = None
        self.status: HTTPStatus | None = None
        """What `start` was given last."""
        self.first_byte_at: float | None = None
        """When the first byte was sent, by the clock of the event loop."""
        self.outcome = CUT_OFF
        """`ok` when it is whole and was taken, the slug of its failure, or what else has become of it."""
        self.notes: dict[str, Value] = {}
        self._connection: Connection | None = None
        self.bytes_sent = 0
        """How many bytes of the body were written."""

    @property
    def started(self) -> bool:
        """Whether anything has been sent, so that the status stands."""
        return self._connection is not None

    def note(self, **fields: Value) -> None:
        """Add to what is logged of this invocation: `source_host`, `segments`, `retries`, `outcome`, …."""
        self.notes.update(fields)

    async def start(self, head: ResponseHead) -> None:
        """Set status and headers; they go out together with the first byte of the body, and until then may be set anew.

        Raises:
            ValueError: `head` cannot be sent (see `prelude`).
        """
        if self.started:
            raise RuntimeError("The answer has begun; its head cannot be changed.")
        self._prelude = encode_prelude(head)
        self.status = head.status

    async def write(self, chunk: bytes | memoryview) -> None:
        """Send a piece of the body; returns when the next may be sent.

        Raises:
            TooLargeError: the piece would pass the limit; it is not sent.
            ResponseLostError: nobody takes the answer.
        """
        if not chunk:
            return  # an empty chunk would be the end
        if self._prelude is None:
            raise RuntimeError("The answer has no head yet.")
        if self._limit is not None and len(self._prelude) + self.bytes_sent + len(chunk) > self._limit:
            raise TooLargeError(f"The answer is longer than the {self._limit} bytes that can be sent.")
        if self._connection is None:
            connection = await Connection.open(self._address)
            self._connection = connection
            self.first_byte_at = asyncio.get_running_loop().time()
            self.bytes_sent = len(chunk)
            await connection.send(self._request(connection), h11.Data(data=b"".join((self._prelude, chunk))))
        else:
            self.bytes_sent += len(chunk)
            await self._connection.send(h11.Data(data=cast("bytes", chunk)))  # h11 takes anything with a length that bytes.join takes

    async def finish(self) -> None:
        """Complete the answer. A body gets at least one byte: a Function URL leaves the caller of an empty one waiting."""
        if self._connection is None:
            await self.write(b"\n")
        await self._end(h11.EndOfMessage())

    async def fail(self, error: BaseException) -> None:
        """End the answer in failure, in the way that is left."""
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
        """Close the connection; an answer that has not ended is cut off by it."""
        if self._connection is not None:
            await self._connection.close()

    def _request(self, connection: Connection) -> h11.Request:
        headers = [
            ("Content-Type", PRELUDE_TYPE),
            ("Lambda-Runtime-Function-Response-Mode", "streaming"),
            ("Transfer-Encoding", "chunked"),
            ("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"),
            *self._invocation.echo,
        ]
        return connection.request("POST", self._invocation.path + "/response", headers)

    async def _end(self, end: h11.EndOfMessage) -> None:
        assert self._connection is not None  # noqa: S101  # both callers have just looked
        await self._connection.send(end)
        accepted = (await self._connection.reply()).settle()
        if self.outcome == CUT_OFF:
            self.outcome = self._whole if accepted else REFUSED

    @property
    def _whole(self) -> str:
        """What a whole answer is called: one that tells of a failure is none of the good ones."""
        return OK if self.status is None or self.status < HTTPStatus.BAD_REQUEST else f"http-{self.status}"

    async def _report(self, error: BaseException) -> None:
        headers = [("Lambda-Runtime-Function-Error-Type", error_type(error)), *self._invocation.echo]
        path = self._invocation.path + "/error"
        (await exchange(self._address, "POST", path, headers, error_document(error, trace=True))).settle()
