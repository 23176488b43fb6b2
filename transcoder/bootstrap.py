"""The entry point on Lambda: serve one invocation after another until Lambda shuts the environment down.

Lambda starts it through `AWS_LAMBDA_EXEC_WRAPPER` in a managed Python runtime, or as the executable `bootstrap` of a custom runtime.
"""

if __name__ == "__main__":
    import gc

    gc.disable()  # until the application is open: the imports below are the first half of the start

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import NamedTuple

from transcoder.core.answer.cors import own_cors_headers
from transcoder.core.answer.event import Request, parse_event
from transcoder.core.answer.metrics import Record, metric_line, text_line
from transcoder.edge.garbage_collection import importing
from transcoder.edge.memory_usage import peak_rss_mib
from transcoder.edge.runtime_api import Answer, Invocation, RuntimeApi, RuntimeApiError
from transcoder.edge.runtime_api.deadline import deadline_guard
from transcoder.settings import PREFIX, Settings

Serve = Callable[[Request, Answer], Awaitable[None]]
"""Serves one request: starts the response and writes its body, or raises."""
Application = Callable[[Settings], AbstractAsyncContextManager[Serve]]
"""Opens what is kept from one request to the next, and yields the function that serves a request."""

LAMBDA_DEFAULTS = {PREFIX + "ALLOWED_HOSTS": "reddit.com,redd.it"}
"""Settings that have another default on Lambda: a function that anybody may call must not fetch arbitrary addresses for them."""
INIT_FAILED, RESTORE_FAILED = 64, 65
"""Exit codes after a failure before and after the snapshot of SnapStart; AWS's runtime client for Python has the same."""
_TRACE_ID = "_X_AMZN_TRACE_ID"
_log = logging.getLogger(__name__)


def main(application: Application | None = None) -> int:
    """Serve invocations until Lambda ends the process, and return the exit code; `application` defaults to the transcoder."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL in full, and a URL may carry a signature
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it says where it has found what Lambda gives to every function
    address = os.environ.get("AWS_LAMBDA_RUNTIME_API", "")
    if not address:
        _log.error("AWS_LAMBDA_RUNTIME_API is not set: let Lambda start this program, or run `transcoder serve`")
        return 2
    try:
        return asyncio.run(_main(address, application))
    except RuntimeApiError as error:
        _log.error("%s", error)  # without a traceback: the error is the peer's
        return 1
    except asyncio.CancelledError:
        return 0  # SIGTERM: Lambda shuts the environment down


async def run(api: RuntimeApi, serve: Serve, *, margin: float = 3.0, log_text: bool = False) -> None:
    """Serve invocations one after another; end each one `margin` seconds before Lambda would kill the process.

    Each one is logged as one line, of JSON for CloudWatch or of text for people.

    Returns after an invocation that was interrupted wherever it was, because it held the event loop at its deadline: what `serve` shares
    between invocations may be half changed, and must be opened again.

    Raises:
        RuntimeApiError: the environment cannot be used any longer.
    """
    cold = True
    while True:
        invocation = await api.next()
        _set_trace_id(invocation.trace_id)
        began = asyncio.get_running_loop().time()
        answer: Answer | None = None
        what = "an event"
        try:
            async with api.answer(invocation) as answer, deadline_guard(invocation.deadline, margin=margin) as interruption:
                request = _request(invocation, answer)
                what = f"{request.method} {request.path}"
                await serve(request, answer)
        finally:
            if answer is not None:
                record = _record(invocation, answer, began=began, cold=cold)
                _log_line(text_line(record, what) if log_text else metric_line(record, epoch_ms=int(time.time() * 1000)))
        cold = False
        if interruption.happened:
            return


def _request(invocation: Invocation, answer: Answer) -> Request:
    """Return the request of an invocation, and let `answer` send what the front does not add itself."""
    request = parse_event(invocation.event)
    answer.add_headers(own_cors_headers(request))
    return request


def _set_trace_id(trace_id: str) -> None:
    if trace_id:
        os.environ[_TRACE_ID] = trace_id  # AWS's libraries read it from here
    else:
        os.environ.pop(_TRACE_ID, None)


def _record(invocation: Invocation, answer: Answer, *, began: float, cold: bool) -> Record:
    return Record(
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


def _log_line(line: str) -> None:
    """Write to stderr without a prefix: CloudWatch reads metrics only from a line that is all JSON."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class _Failure(NamedTuple):
    """What follows if the application cannot be opened."""

    report: Callable[[BaseException], Awaitable[None]]
    exit_code: int


async def _main(address: str, application: Application | None) -> int:
    """Serve until the application cannot be opened, and return the exit code."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine always runs in a task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    api = RuntimeApi(address)
    failure = _Failure(api.fail_init, 1)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        if not await _go_on_from_snapshot(api, application):
            return INIT_FAILED
        failure = _Failure(api.fail_restore, RESTORE_FAILED)
    while await _serve_from_start(address, application, failure):
        _log.warning("an invocation that held the event loop was interrupted; the application is opened again")
    return failure.exit_code


async def _go_on_from_snapshot(api: RuntimeApi, application: Application | None) -> bool:
    """Let Lambda take a snapshot of this process, and return whether it is one of the copies that go on from it.

    Before it, the application is opened once, so that everything is imported and checked, and closed again: no connection, deadline or
    cached answer goes into the snapshot.
    """
    try:
        async with AsyncExitStack() as stack:
            await _open(application, stack)
        if application is None:
            _import_later_routes()
        await api.restore_next()
    except Exception as error:  # noqa: BLE001  # Lambda must hear of any failure
        await _report(error, api.fail_init)
        return False
    from transcoder.edge import process_state  # noqa: PLC0415  # nothing else needs it

    process_state.renew()
    return True


async def _serve_from_start(address: str, application: Application | None, failure: _Failure) -> bool:
    """Open the application and serve invocations; return whether it should be opened again."""
    async with AsyncExitStack() as stack:
        try:
            settings, serve = await _open(application, stack)
        except Exception as error:  # noqa: BLE001  # Lambda must hear of any failure
            await _report(error, failure.report)
            return False
        api = RuntimeApi(address, response_limit=settings.response_limit)
        await run(api, serve, margin=settings.deadline_margin_seconds, log_text=settings.log_text)
    return True


async def _open(application: Application | None, stack: AsyncExitStack) -> tuple[Settings, Serve]:
    """Open the application with the settings of the environment, until `stack` is closed."""
    settings = Settings.from_env(LAMBDA_DEFAULTS | os.environ)
    if application is not None:
        return settings, await stack.enter_async_context(application(settings))
    with importing():
        return settings, await stack.enter_async_context(_transcoder()(settings))


async def _report(error: Exception, report: Callable[[BaseException], Awaitable[None]]) -> None:
    _log.error("the application cannot start", exc_info=error)
    await report(error)


def _transcoder() -> Application:
    from transcoder import app  # noqa: PLC0415  # a failure to import it is reported as a failed init

    return app.application


def _import_later_routes() -> None:
    from transcoder import app  # noqa: PLC0415  # as above

    app.import_later_routes()


if __name__ == "__main__":
    sys.exit(main())
