"""An output that is something a program in Python writes to: a file, a stream of asyncio, or anything else with `write`."""

import inspect
import io
from collections.abc import Awaitable
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from transcoder.errors import BadRequestError, OutputError
from transcoder.local.callers_code import CallersCode


class ByteSink(Protocol):
    """Takes bytes: a binary file, an `asyncio.StreamWriter`, or an object of the caller's own.

    `write` may be a coroutine function. Until it returns, nothing else is written, so that the origin is read no faster than that.
    """

    def write(self, chunk: bytes, /) -> object:
        """Take all of the bytes; or, as an unbuffered file, some of them, and return how many. Another result than a number: all."""


def checked_sink(sink: ByteSink) -> ByteSink:
    """Return what can take bytes.

    Raises:
        BadRequestError: it cannot.

    """
    if not callable(getattr(sink, "write", None)):
        raise BadRequestError(f"sink: {sink!r} has no write method.")
    if isinstance(sink, io.TextIOBase):
        raise BadRequestError("sink: it takes text, not bytes; open the file with the mode 'wb', and of sys.stdout use its buffer.")
    return sink


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
        """Write all of `chunk`.

        Raises:
            CallersError: the sink has raised something.
            OutputError: it takes none of the bytes.

        """
        rest = chunk
        while rest:
            with CallersCode():
                taken = self._sink.write(rest)
                if inspect.isawaitable(taken):
                    taken = await taken
            is_raw = isinstance(self._sink, io.RawIOBase)
            if not is_raw and (isinstance(taken, bool) or not isinstance(taken, int)):
                break  # it says nothing of how many it took: all of them
            if not isinstance(taken, int) or taken < 1:
                raise OutputError("The sink takes no more bytes: it is not blocking, and full; or it says that it took none.")
            rest = rest[taken:]
        with CallersCode():
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
