"""The deadline of an invocation: it is ended with an error before Lambda kills the process."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from transcoder.core.answer.usable_time import usable_seconds
from transcoder.errors import DeadlineError

SIGNAL_SECONDS = 0.2
"""Time between two signals. The loop counts as held if it has not turned between two of them."""


class Interruption:
    """Raises `DeadlineError` in the task that runs if that task holds the event loop; `asyncio.timeout` then never gets its turn.

    It works by SIGALRM, because Python runs a signal's handler between two bytecodes, and even inside a regular expression. A thread with
    a timer would have to wait for the lock that the held loop has.

    The exception leaves behind what was interrupted half done. So whoever sees `happened` must not use again anything that the block
    could change.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch `loop`, which must run in the main thread."""
        self._loop = loop
        self._awaits_turn = False
        self.happened = False

    @contextmanager
    def after(self, seconds: float) -> Iterator[None]:
        """Watch from so many seconds on until the block ends; does nothing in another thread than the main one, which gets no signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.signal(signal.SIGALRM, self._on_signal)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, SIGNAL_SECONDS), SIGNAL_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)

    def _on_signal(self, _number: int, _frame: object) -> None:
        """Ask the loop for a turn, or interrupt what has not let it have one since the last signal."""
        if not self._awaits_turn:
            self._awaits_turn = True
            self._loop.call_soon_threadsafe(self._turn)
        elif asyncio.current_task(self._loop) is not None:  # otherwise the exception would stop the loop itself
            self._turn()
            self.happened = True
            raise _deadline_error()

    def _turn(self) -> None:
        self._awaits_turn = False


@asynccontextmanager
async def deadline_guard(deadline: float | None, *, margin: float) -> AsyncIterator[Interruption]:
    """Let the block fail `margin` seconds before `deadline`, because Lambda itself ends with SIGKILL and tells the caller nothing.

    If little time is left, the block gets at least half of it. The block ends even if it holds the event loop; the value that the guard
    gives tells whether that has happened.

    Raises:
        DeadlineError: the time is up.
    """
    loop = asyncio.get_running_loop()
    interruption = Interruption(loop)
    if deadline is None:
        yield interruption
        return
    remaining = deadline - loop.time()
    seconds = usable_seconds(remaining, margin=margin)
    limit = asyncio.timeout(seconds)
    try:
        with interruption.after(seconds):
            async with limit:
                yield interruption
    except (Exception, asyncio.CancelledError) as error:
        # What was interrupted may have come out of the block as any other error, in a group, or as a cancellation that nobody took back.
        if interruption.happened or (isinstance(error, TimeoutError) and limit.expired()):
            raise _deadline_error() from error
        raise
    if interruption.happened:  # the block has caught the exception, and gone on without what it interrupted
        raise _deadline_error()


def _deadline_error() -> DeadlineError:
    return DeadlineError("The response takes longer than this function may run.")
