"""The response to a request, as the application sees it."""

from typing import Protocol

from transcoder.core.answer.function_url import ResponseHead
from transcoder.core.answer.metrics import Value


class Answer(Protocol):
    """The response to one request, sent while it is made."""

    @property
    def started(self) -> bool:
        """Whether status and headers have been sent and can no longer be changed."""

    @property
    def deadline(self) -> float | None:
        """When the request is ended, by the event loop's clock; None if it may take as long as it likes."""

    def note(self, **fields: Value) -> None:
        """Add fields to the log record of the request."""

    async def start(self, head: ResponseHead) -> None:
        """Send status and headers."""

    async def write(self, chunk: bytes) -> None:
        """Send a piece of the body; return when the next may be given."""
