"""Notices a peer that stands still."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_TICKS = 10


class StallWatch:
    """Calls back once a peer has made no progress for so many seconds in which it was awaited.

    It looks at the peer every tenth of that time and counts how often it was still, instead of reading a clock: so neither time in which
    the peer is not awaited counts, nor time in which this program stands still itself (Ctrl-Z, a function that Lambda freezes).
    """

    def __init__(
        self, seconds: float, *, is_awaited: Callable[[], bool], progress: Callable[[], object], on_stall: Callable[[], None]
    ) -> None:
        """Compare what `progress` returns, and count while `is_awaited` returns True; `on_stall` is called once, from the event loop."""
        self._tick_seconds = seconds / _TICKS
        self._is_awaited = is_awaited
        self._progress = progress
        self._on_stall = on_stall
        self._last: object = None
        self._still = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch for the length of a block."""
        self._last = self._progress()
        self._schedule()
        try:
            yield
        finally:
            self._timer.cancel()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._tick_seconds, self._tick)

    def _tick(self) -> None:
        progress = self._progress()
        if progress != self._last:
            self._last, self._still = progress, 0
        elif self._is_awaited():
            self._still += 1
        if self._still < _TICKS:
            self._schedule()
        else:
            self._on_stall()
