"""An event loop whose clock leaps to the next time that something waits for: pauses of minutes take no time, and can be measured."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Waits for nothing but what is there already."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout is not None:
            self.now += max(timeout, 0.0)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run_at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run what waits for time alone, and for no other process; its clock begins with 0."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
