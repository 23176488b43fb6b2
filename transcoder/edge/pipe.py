"""The write end of a pipe, with back pressure; or of none, where nothing reads."""

import asyncio
from typing import IO, Protocol, Self


class _FlowControl(asyncio.BaseProtocol):
    """Signals when the pipe has taken everything that was written, or when its reader is gone."""

    def __init__(self) -> None:
        self.disconnected = False
        self.ready = asyncio.Event()
        self.ready.set()

    def pause_writing(self) -> None:
        self.ready.clear()

    def resume_writing(self) -> None:
        self.ready.set()

    def connection_lost(self, _error: Exception | None, /) -> None:
        self.disconnected = True
        self.ready.set()


class PipeWriter:
    """Writes to a pipe; each write waits until the pipe has taken all of it."""

    def __init__(self, transport: asyncio.WriteTransport, flow_control: _FlowControl) -> None:
        """Own `transport` until `close` or `abort`; use `PipeWriter.connect` to make one."""
        self._transport = transport
        self._flow_control = flow_control
        self._written = 0

    @classmethod
    async def connect(cls, pipe: IO[bytes]) -> Self:
        """Make a writer for `pipe`, which it owns from then on."""
        transport, flow_control = await asyncio.get_running_loop().connect_write_pipe(_FlowControl, pipe)
        transport.set_write_buffer_limits(high=0)  # a write returns once the pipe has taken all of it
        return cls(transport, flow_control)

    @property
    def broken(self) -> bool:
        """Whether the reader is gone, or the pipe has been closed."""
        return self._transport.is_closing()

    @property
    def is_full(self) -> bool:
        """Whether a write waits for the reader."""
        return not self._flow_control.ready.is_set()

    @property
    def taken(self) -> int:
        """How many bytes the pipe has taken."""
        return self._written - self._transport.get_write_buffer_size()

    async def write(self, chunk: bytes) -> None:
        """Write all of `chunk`; does nothing if the reader is gone, which `broken` shows."""
        if self.broken or not chunk:
            return
        self._written += len(chunk)
        self._transport.write(chunk)
        await self._flow_control.ready.wait()

    def close(self) -> None:
        """Close the pipe once everything written has been read. Closing twice is fine."""
        if not self._flow_control.disconnected:  # asyncio raises when a transport is closed that is already gone
            self._transport.close()

    def abort(self) -> None:
        """Close the pipe at once. Aborting twice, or after `close`, is fine."""
        # A transport that is closing and has nothing left to write has already arranged its end, and asyncio would arrange it once more.
        if not (self._transport.is_closing() and not self._transport.get_write_buffer_size()):
            self._transport.abort()


class SegmentSink(Protocol):
    """Where segments go: into ffmpeg's pipe, or nowhere."""

    @property
    def broken(self) -> bool:
        """Whether nothing reads any more."""

    async def write(self, chunk: bytes, /) -> None:
        """Take bytes; returns when it may be called again."""

    def close(self) -> None:
        """End the input."""


class Discard:
    """Takes what nothing reads, in place of a pipe."""

    broken = False

    async def write(self, chunk: bytes) -> None:
        """Discard `chunk`."""

    def close(self) -> None:
        """Do nothing."""
