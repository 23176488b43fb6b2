"""Between the doors and the environments: who waits, and how many may."""

import asyncio

from transcoder.emulator.invocation import Invocation, Outcome


class QueueFullError(Exception):
    """As many calls wait as may wait."""


class InvocationQueue:
    """Calls in the order of their coming, each taken by the next free environment."""

    def __init__(self, *, at_once: int) -> None:
        """Let `at_once` calls be answered or wait at one time."""
        self._free = at_once
        self.queue: asyncio.Queue[Invocation] = asyncio.Queue()

    async def perform(self, call: Invocation) -> Outcome:
        """Have `call` answered, and tell how it ended.

        Raises:
            TooManyCallsError: it was not taken.
        """
        if self._free == 0:
            raise QueueFullError
        self._free -= 1
        try:
            self.queue.put_nowait(call)
            return await call.outcome
        finally:
            self._free += 1
