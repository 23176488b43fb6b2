"""The queue between the endpoints and the execution environments."""

import asyncio
import contextlib

from transcoder.edge.task_group import in_background
from transcoder.emulator.http_connection import HttpConnection
from transcoder.emulator.invocation import Invocation, Outcome


class QueueFullError(Exception):
    """The queue has no room for another invocation."""


class InvocationQueue:
    """Invocations in order of arrival; each is taken by the next free environment."""

    def __init__(self, *, capacity: int, stop_on_disconnect: bool) -> None:
        """Admit at most `capacity` invocations at once, both running and waiting; the options say whether clients stop theirs."""
        self._free = capacity
        self._stop_on_disconnect = stop_on_disconnect
        self.pending: asyncio.Queue[Invocation] = asyncio.Queue()
        """Invocations that no environment has taken yet."""

    async def invoke(self, invocation: Invocation, client: HttpConnection) -> Outcome:
        """Queue `invocation` for `client`, and return its outcome when it has ended.

        Raises:
            QueueFullError: the invocation was not admitted.
        """
        if self._free == 0:
            raise QueueFullError
        self._free -= 1
        try:
            self.pending.put_nowait(invocation)
            watches = [_abandon_on_disconnect(invocation, client)] if self._stop_on_disconnect else []
            async with in_background(*watches):
                return await invocation.outcome
        finally:
            self._free += 1


async def _abandon_on_disconnect(invocation: Invocation, client: HttpConnection) -> None:
    """Notice at once that the client disconnects: a runtime that makes its response in silence would not find out by sending."""
    with contextlib.suppress(OSError):
        await client.wait_for_close(seconds=None)
    invocation.abandon()
