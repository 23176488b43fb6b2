"""Between the doors and the environments: who waits, and how many may."""

import asyncio

from transcoder.emulator.call import Call, Outcome


class TooManyCallsError(Exception):
    """As many calls wait as may wait."""


class Calls:
    """Calls in the order of their coming, each taken by the next free environment."""

    def __init__(self, *, max_waiting: int) -> None:
        """Let `max_waiting` calls wait."""
        self.queue: asyncio.Queue[Call] = asyncio.Queue(max_waiting)

    async def perform(self, call: Call) -> Outcome:
        """Have `call` answered, and tell how it ended.

        Raises:
            TooManyCallsError: it was not taken.
        """
        try:
            self.queue.put_nowait(call)
        except asyncio.QueueFull as error:
            raise TooManyCallsError from error
        return await call.outcome
