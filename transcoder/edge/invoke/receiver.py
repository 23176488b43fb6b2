"""Where a function's response goes while it arrives."""

from typing import Protocol

from transcoder.core.answer.prelude import ReceivedHead

CONNECT_SECONDS = 10.0
"""How long the peer may take to accept a connection."""
READ_SECONDS = 1810.0
"""How long the peer may send nothing: longer than any function may run, since its response may begin late and is never retried."""


class Receiver(Protocol):
    """Receives a function's response."""

    def request_started(self) -> None:
        """Note that the request is sent now; called from any thread."""

    async def start(self, head: ReceivedHead) -> None:
        """Receive status and headers."""

    async def write(self, chunk: bytes) -> None:
        """Receive the next bytes of the body; returns when it may be called again."""
