"""An output that is something a program in Python writes to: a file, a stream of asyncio, or anything else with `write`."""

import inspect
import io
from collections.abc import Awaitable
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from transcoder.errors import OutputError


class ByteSink(Protocol):
    """Takes bytes: a binary file, an `asyncio.StreamWriter`, or an object of the caller's own.

    `write` may be a coroutine function. Until it returns, nothing else is written, so that the origin is read no faster than that.
    """

    def write(self, chunk: bytes, /) -> object:
        """Take all of the bytes; or, as an unbuffered file, some of them, and return how many."""


class SinkOutput:
    """Writes into a `ByteSink`, which takes bytes at once and stays open."""

    folder = None

    def __init__(self, sink: ByteSink) -> None:
        """Write into `sink`."""
        self._sink = sink

    def __enter__(self) -> Self:
        """Do nothing: it is open."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Do nothing: whoever has opened it closes it."""

    async def write(self, chunk: bytes) -> None:
        """Write all of `chunk`. Raises what the sink does.

        Raises:
            OutputError: an unbuffered file does not take it.

        """
        rest = chunk
        while rest:
            taken = self._sink.write(rest)
            if inspect.isawaitable(taken):
                taken = await taken
            if not isinstance(self._sink, io.RawIOBase):
                break  # only an unbuffered file may take less than it is given
            if not isinstance(taken, int) or taken < 1:
                raise OutputError("The sink takes no more bytes: it is not blocking, and full.")
            rest = rest[taken:]
        drained = self._sink.drain() if isinstance(self._sink, _Drained) else None
        if drained is not None:
            await drained

    def commit(self) -> None:
        """Do nothing: every byte has been written already."""


@runtime_checkable
class _Drained(ByteSink, Protocol):
    """A `StreamWriter`: its `write` keeps what its reader has no room for, and `drain` waits until there is."""

    def drain(self) -> Awaitable[None]:
        """Wait."""
