"""The queue between the endpoints and the execution environments."""

import asyncio

from transcoder.emulator.invocation import Invocation, Outcome


class QueueFullError(Exception):
    """The queue has no room for another invocation."""


class InvocationQueue:
    """Invocations in order of arrival; each is taken by the next free environment."""

    def __init__(self, *, capacity: int) -> None:
        """Admit at most `capacity` invocations at once, both running and waiting."""
        self._free = capacity
        self.pending: asyncio.Queue[Invocation] = asyncio.Queue()
        """Invocations that no environment has taken yet."""

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Queue `invocation`, and return its outcome when it has ended.

        Raises:
            QueueFullError: the invocation was not admitted.
        """
        if self._free == 0:
            raise QueueFullError
        self._free -= 1
        try:
            self.pending.put_nowait(invocation)
            return await invocation.outcome
        finally:
            self._free += 1
