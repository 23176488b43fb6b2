"""Entry on Lambda: one invocation after another, until the environment is taken away.

Lambda starts it through `AWS_LAMBDA_EXEC_WRAPPER` on a managed Python, or as the executable `bootstrap` of a custom runtime.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from transcoder.core.answer.function_url import Request, parse_event
from transcoder.core.answer.metrics import Record, metric_line
from transcoder.edge.memory_usage import peak_rss_mib
from transcoder.edge.runtime_api import Answer, Invocation, RuntimeApi, RuntimeApiError
from transcoder.errors import DeadlineError
from transcoder.settings import PREFIX, Settings

Serve = Callable[[Request, Answer], Awaitable[None]]
"""Answers one request: starts the answer and writes its body, or raises."""
Application = Callable[[Settings], AbstractAsyncContextManager[Serve]]
"""Opens what is kept from one request to the next, and gives what answers them."""

DEFAULTS = {PREFIX + "ALLOWED_HOSTS": "reddit.com,redd.it"}
"""What holds on Lambda where nothing else is set: a function that anybody may call is not to fetch just anything for them."""
_TRACE_ID = "_X_AMZN_TRACE_ID"
_log = logging.getLogger(__name__)


def main(application: Application | None = None) -> int:
    """Serve invocations until Lambda ends the process, and give its exit code; `application` is the transcoder unless given."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every address in full, and addresses may be signed
    address = os.environ.get("AWS_LAMBDA_RUNTIME_API", "")
    if not address:
        _log.error("AWS_LAMBDA_RUNTIME_API is not set: this program is started by Lambda, or by `transcoder serve`")
        return 2
    try:
        asyncio.run(_main(address, application))
    except RuntimeApiError as error:
        _log.error("%s", error)  # its trace says nothing: the peer is at fault
        return 1
    except asyncio.CancelledError:
        return 0  # SIGTERM: Lambda takes the environment away
    return 1


async def run(api: RuntimeApi, serve: Serve, *, margin: float = 3.0) -> None:
    """Answer invocations one after another, for ever; each is ended `margin` seconds before Lambda would kill the process.

    Raises:
        RuntimeApiError: the environment is of no further use.
    """
    cold = True
    while True:
        invocation = await api.next()
        if invocation.trace_id:
            os.environ[_TRACE_ID] = invocation.trace_id  # where AWS's libraries look for it
        else:
            os.environ.pop(_TRACE_ID, None)
        began = asyncio.get_running_loop().time()
        answer: Answer | None = None
        try:
            async with api.answer(invocation) as answer, _until(invocation.deadline, margin=margin):
                await serve(parse_event(invocation.event), answer)
        finally:
            if answer is not None:
                _log_metrics(invocation, answer, began=began, cold=cold)
        cold = False


def _log_metrics(invocation: Invocation, answer: Answer, *, began: float, cold: bool) -> None:
    """Write the one line about an invocation; to stderr bare, since CloudWatch takes metrics only from a line that is all JSON."""
    record = Record(
        function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        request_id=invocation.request_id,
        outcome=answer.outcome,
        status=answer.status,
        first_byte_ms=None if answer.first_byte_at is None else round((answer.first_byte_at - began) * 1000, 1),
        total_ms=round((asyncio.get_running_loop().time() - began) * 1000, 1),
        bytes=answer.bytes_sent,
        peak_rss_mib=peak_rss_mib(),
        cold_start=int(cold),
        notes=answer.notes,
    )
    sys.stderr.write(metric_line(record, epoch_ms=int(time.time() * 1000)) + "\n")
    sys.stderr.flush()


@asynccontextmanager
async def _until(deadline: float | None, *, margin: float) -> AsyncIterator[None]:
    """End the block in failure `margin` seconds before `deadline`: Lambda's own end is SIGKILL, and no word to the caller.

    A function whose whole time is short keeps half of it.
    """
    left = None if deadline is None else deadline - asyncio.get_running_loop().time()
    limit = asyncio.timeout(None if left is None else max(left - margin, left / 2))
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineError("The answer takes longer than this function may run.") from error


async def _main(address: str, application: Application | None) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine always runs in one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with AsyncExitStack() as stack:
        try:
            settings = Settings.from_env(DEFAULTS | os.environ)
            serve = await stack.enter_async_context((application or _transcoder())(settings))
        except Exception as error:  # noqa: BLE001  # whatever it is, Lambda is to hear of it
            _log.exception("the application cannot be started")
            await RuntimeApi(address).fail_init(error)
            return
        await run(RuntimeApi(address, response_limit=settings.response_limit), serve, margin=settings.deadline_margin_seconds)


def _transcoder() -> Application:
    from transcoder import app  # noqa: PLC0415  # what fails while loading is a failed init, and is reported as one

    return app.application


if __name__ == "__main__":
    sys.exit(main())
