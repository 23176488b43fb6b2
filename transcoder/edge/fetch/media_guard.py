"""A second look at a body that does not begin like media, before any of it is passed on, and at where one ends."""

from collections import Counter

import httpx

from transcoder.core.media.text import TEXT_BYTES, is_text
from transcoder.edge.fetch.retry import EndsEarlyError, ShortRangeError, TransientError
from transcoder.edge.fetch.transfer import ByteSink, Transfer
from transcoder.edge.resource_name import resource_name
from transcoder.errors import UpstreamError

_MAX_END_DOUBTS = 2


class MediaGuard:
    """Passes on the body of a resource that should be media, and has it fetched again while it begins with text.

    It believes the body after so many doubts, and passes it on: what reads the media says what is wrong with it. Likewise, it believes that
    a resource ends before the requested byte range does once three responses have said so.
    """

    def __init__(self, transfer: Transfer, sink: ByteSink, *, doubts: int) -> None:
        """Push into `sink` what `transfer` delivers; with no `doubts`, whatever it is."""
        self._transfer = transfer
        self._sink = sink
        self._doubts = doubts
        self._held: list[bytes] = []
        self._end_doubts = min(doubts, _MAX_END_DOUBTS)
        self._ends: Counter[int] = Counter()
        """How many responses have said that the resource ends early, by the number of requested bytes that it then has."""

    async def receive(self, response: httpx.Response) -> None:
        """Push the requested bytes of a response's body into the sink.

        Raises:
            TransientError: the body begins with text; none of it was pushed, and the transfer begins with its first byte again.
            EndsEarlyError: the resource ends before the requested range does, by this response alone.
            Exception: what `Transfer.receive` raises.
        """
        try:
            await self._transfer.receive(response, self._write)
        except ShortRangeError:
            raise
        except TransientError as error:
            if isinstance(error, EndsEarlyError) and self._is_end_believed():
                await self._decide()
                return
            if self._held:  # too few to say what they are: the next response need not continue them
                self._held = []
                self._transfer.restart()
            raise
        await self._decide()

    def _is_end_believed(self) -> bool:
        """Count one more response that says that the resource ends here, and return whether there have been enough of them."""
        self._ends[self._transfer.delivered] += 1
        return 0 < self._end_doubts < self._ends[self._transfer.delivered]

    async def _write(self, chunk: bytes) -> None:
        """Push `chunk`, or hold it back while too few bytes have arrived to decide."""
        self._held.append(chunk)
        if not self._doubts or sum(map(len, self._held)) >= TEXT_BYTES:
            await self._decide()

    async def _decide(self) -> None:
        """Decide by the bytes that have arrived, and push them."""
        held, self._held = self._held, []
        if self._doubts and is_text(b"".join(held)):
            self._doubts -= 1
            self._transfer.restart()
            raise TransientError(UpstreamError(f"{resource_name(self._transfer.url)}: the origin sent text instead of media."))
        if held:
            self._doubts = 0
        for chunk in held:
            await self._sink(chunk)
