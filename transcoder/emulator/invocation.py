"""One invocation of the emulated function."""

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Protocol


class ResponseEndedError(Exception):
    """The response to the client has ended already, so the rest of the runtime's response is to be refused."""


class Response(Protocol):
    """Receives a runtime's response on behalf of a client of the Function URL or of the SDK."""

    def start(self, content_type: str) -> None:
        """Accept the start of the response, with the content type that the runtime gives."""

    async def write(self, chunk: bytes, /) -> None:
        """Pass on a piece as the runtime sent it; return when the next may be given.

        Raises:
            ResponseEndedError: the response has ended already.
        """


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended: in success, unless there is an error type."""

    error_type: str = ""
    error_body: bytes = b""
    """The runtime's report of the error, usually JSON."""


@dataclass(eq=False, slots=True)
class Invocation:
    """An event, where its response goes, and how it ended."""

    request_id: str
    event: bytes
    response: Response
    trace_id: str = ""
    attempt_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    outcome: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client has disconnected and that is to stop the runtime."""

    def set_outcome(self, outcome: Outcome) -> None:
        """Record how the invocation ended; only the first call has an effect."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def abandon(self) -> None:
        """Have the runtime stopped, wherever it is."""
        self.set_outcome(Outcome("Emulator.ClientDisconnected", b"the client disconnected: the runtime is stopped"))
        self.abandoned.set()
