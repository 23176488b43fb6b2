"""The writing end of a pipe, with back pressure."""

import asyncio
from typing import IO, Self


class _Flow(asyncio.BaseProtocol):
    """Tells when the pipe has taken what was written, or will never."""

    def __init__(self) -> None:
        self.missing_samples = False
        self.ready = asyncio.Event()
        self.ready.set()

    def pause_writing(self) -> None:
        self.ready.clear()

    def resume_writing(self) -> None:
        self.ready.set()

    def connection_lost(self, _error: Exception | None, /) -> None:
        self.missing_samples = True
        self.ready.set()


class PipeWriter:
    """Writes into a pipe once its reader has taken what came before."""

    def __init__(self, transport: asyncio.WriteTransport, flow: _Flow) -> None:
        """Own `transport` until `close` or `abort`; use `PipeWriter.on` to make one."""
        self._transport = transport
        self._flow = flow

    @classmethod
    async def on(cls, pipe: IO[bytes]) -> Self:
        """Write to `pipe`, which belongs to the writer from then on."""
        transport, flow = await asyncio.get_running_loop().connect_write_pipe(_Flow, pipe)
        transport.set_write_buffer_limits(high=0)  # a write returns once the pipe has taken all of it
        return cls(transport, flow)

    @property
    def broken(self) -> bool:
        """Nobody reads any more, or the pipe has been closed."""
        return self._transport.is_closing()

    async def write(self, piece: bytes) -> None:
        """Write all of `piece`; where the reader has left, nothing happens and `broken` tells."""
        if self.broken or not piece:
            return
        self._transport.write(piece)
        await self._flow.ready.wait()

    def close(self) -> None:
        """End the pipe once what was written has been read. Closing twice is fine."""
        if not self._flow.missing_samples:  # asyncio fails when asked to close a transport that is gone
            self._transport.close()

    def abort(self) -> None:
        """End the pipe at once. Doing so twice is fine."""
        if not self._flow.missing_samples:
            self._transport.abort()
