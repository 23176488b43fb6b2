"""Signals that end a command which has to clean up: no ffmpeg process and no partial file is left."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from transcoder.cli.exit_codes import TerminatedError

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""Those that would end Python at once; asyncio itself lets Ctrl-C cancel what runs."""

T = TypeVar("T")


async def until_terminated(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, which one of `SIGNALS` cancels.

    Raises:
        TerminatedError: it was cancelled.

    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101  # a coroutine always runs in a task
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup has it ignored
            loop.add_signal_handler(number, stop, number)
    try:
        return await work
    except asyncio.CancelledError:
        if received:
            raise TerminatedError(received[0]) from None
        raise
