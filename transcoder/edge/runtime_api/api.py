"""The Runtime API at one address."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus

from transcoder.core.answer.runtime_errors import error_document
from transcoder.edge.runtime_api.answer import Answer
from transcoder.edge.runtime_api.connection import RuntimeApiError, exchange
from transcoder.edge.runtime_api.invocation import Invocation
from transcoder.errors import TranscoderError

_log = logging.getLogger(__name__)


class RuntimeApi:
    """The Runtime API at one address."""

    def __init__(self, address: str, *, response_limit: int | None = None) -> None:
        """Keep the address, `host:port` as in `AWS_LAMBDA_RUNTIME_API`; `response_limit` bounds an answer, in bytes with its prelude."""
        self._address = address
        self._response_limit = response_limit

    async def next(self) -> Invocation:
        """Wait for the next invocation, for as long as it takes: the process may be frozen meanwhile.

        Raises:
            RuntimeApiError: there will be none.
        """
        reply = await exchange(self._address, "GET", "/invocation/next", [])
        if reply.status != HTTPStatus.OK:
            raise RuntimeApiError(f"/invocation/next answered {reply.status} {reply.reason}.")
        try:
            return Invocation.from_reply(reply.headers, reply.body)
        except ValueError as error:
            raise RuntimeApiError(f"/invocation/next answered with headers that make no sense: {error}.") from error

    @contextlib.asynccontextmanager
    async def answer(self, invocation: Invocation) -> AsyncIterator[Answer]:
        """Open the answer to `invocation`: leaving the block well completes it, and nothing else does.

        A failure that leaves the block is told to Lambda here and goes no further: before the first byte as a problem document
        (a `TranscoderError`) or by `/error` (a bug), after it by error trailers.

        Raises:
            RuntimeApiError: Lambda did not take what it was told, and the process has to exit.
        """
        answer = Answer(self._address, invocation, limit=self._response_limit)
        try:
            try:
                yield answer
                await answer.finish()
            except (RuntimeApiError, asyncio.CancelledError):
                raise
            except TranscoderError as error:
                await answer.fail(error)
            except Exception as error:  # noqa: BLE001  # the last place where a bug can still be kept from looking like an end
                _log.exception("internal error in invocation %s", invocation.request_id)
                await answer.fail(error)
        finally:
            await answer.close()

    async def fail_init(self, error: BaseException) -> None:
        """Report that no invocation can be served; to be called before the first `next`, and followed by the end of the process.

        Raises:
            RuntimeApiError: nobody took the report.
        """
        headers = [("Lambda-Runtime-Function-Error-Type", "Runtime.InitError")]
        (await exchange(self._address, "POST", "/init/error", headers, error_document(error, trace=True))).settle()
