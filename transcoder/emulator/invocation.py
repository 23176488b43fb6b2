"""One invocation on its way through the emulator."""

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Protocol


class CallerGoneError(Exception):
    """The caller has left, and the answer is to be broken off."""


class Response(Protocol):
    """Where a runtime's answer goes: the Function URL's client, or the SDK's."""

    def begin(self, content_type: str) -> None:
        """Take note that the runtime begins to answer."""

    async def write(self, chunk: bytes, /) -> None:
        """Pass on a piece, as the runtime sent it; returns when the next may come.

        Raises:
            CallerGoneError: there is no use in more.
        """


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended: well, unless there is an error type."""

    error_type: str = ""
    error_body: bytes = b""
    """What the runtime said about it, mostly JSON."""


@dataclass(eq=False, slots=True)
class Invocation:
    """An event that waits for its answer."""

    request_id: str
    event: bytes
    response: Response
    trace_id: str = ""
    attempt_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    outcome: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, outcome: Outcome) -> None:
        """Say how it ended; the first word stands."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)
