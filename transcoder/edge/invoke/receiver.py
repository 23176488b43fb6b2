"""Where an answer goes as it comes."""

from typing import Protocol

from transcoder.core.answer.prelude import ReceivedHead

CONNECT_SECONDS = 10.0
"""How long the other side may take to accept a connection."""
READ_SECONDS = 910.0
"""How long it may send nothing: longer than a function may run, since its answer may begin late; it is never asked a second time."""


class Receiver(Protocol):
    """Takes an answer."""

    def asked(self) -> None:
        """Take note that the request goes out now, from any thread."""

    async def start(self, head: ReceivedHead) -> None:
        """Take its status and headers."""

    async def write(self, chunk: bytes) -> None:
        """Take a piece of its body; returns when the next may come."""
