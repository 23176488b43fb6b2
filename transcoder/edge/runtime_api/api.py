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
        """Use the API at `address`, `host:port` as in `AWS_LAMBDA_RUNTIME_API`; `response_limit` is in bytes and includes the prelude."""
        self._address = address
        self._response_limit = response_limit

    async def next(self) -> Invocation:
        """Wait for the next invocation, without a time limit: Lambda may freeze the process meanwhile.

        Raises:
            RuntimeApiError: the Runtime API did not give one.
        """
        reply = await exchange(self._address, "GET", "/invocation/next", [])
        if reply.status != HTTPStatus.OK:
            raise RuntimeApiError(f"/invocation/next answered {reply.status} {reply.error_type}.")
        try:
            return Invocation.from_reply(reply.headers, reply.body)
        except ValueError as error:
            raise RuntimeApiError(f"/invocation/next answered with invalid headers: {error}.") from error

    @contextlib.asynccontextmanager
    async def answer(self, invocation: Invocation) -> AsyncIterator[Answer]:
        """Open the response to `invocation`; it is completed only if the block ends without an exception.

        An exception from the block is reported to Lambda and not raised again: before the first byte as a problem document
        (a `TranscoderError`) or by `/error` (a bug), after it in error trailers.

        Raises:
            RuntimeApiError: Lambda did not accept the response or the report, and the process has to exit.
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
            except Exception as error:  # noqa: BLE001  # the last place that can keep a response with a bug from looking complete
                _log.exception("internal error in invocation %s", invocation.request_id)
                await answer.fail(error)
        finally:
            await answer.close()

    async def restore_next(self) -> None:
        """Say that the environment is ready for its snapshot; returns in each copy of it that is restored, perhaps days later.

        Source: AWS Lambda developer guide, "Runtime hooks for Lambda SnapStart", custom runtimes.

        Raises:
            RuntimeApiError: the environment was not restored.
        """
        reply = await exchange(self._address, "GET", "/restore/next", [])
        if reply.status != HTTPStatus.OK:
            raise RuntimeApiError(f"/restore/next answered {reply.status} {reply.error_type}.")

    async def fail_init(self, error: BaseException) -> None:
        """Report that initialization failed; call it before the first `restore_next` or `next`, and exit afterwards.

        Raises:
            RuntimeApiError: Lambda did not accept the report.
        """
        await self._fail_phase("/init/error", "Runtime.InitError", error)

    async def fail_restore(self, error: BaseException) -> None:
        """Report that the environment cannot go on from its snapshot; call it after `restore_next`, before the first `next`, and exit.

        Raises:
            RuntimeApiError: Lambda did not accept the report.
        """
        await self._fail_phase("/restore/error", "Runtime.AfterRestoreError", error)

    async def _fail_phase(self, path: str, name: str, error: BaseException) -> None:
        headers = [("Lambda-Runtime-Function-Error-Type", name)]
        (await exchange(self._address, "POST", path, headers, error_document(error, trace=True))).check_accepted()
