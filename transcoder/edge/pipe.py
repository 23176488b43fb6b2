"""Both ends of pipes, with back pressure; or no pipe, where nothing reads.

Bytes go to the descriptor and come from it directly: asyncio's own transports and streams would copy each of them once or twice more.
"""

import asyncio
import contextlib
import fcntl
import os
from typing import IO, Protocol, Self

PIPE_BYTES = 1024 * 1024
"""What a pipe holds where the system allows it (Linux: /proc/sys/fs/pipe-max-size), in place of 64 KiB; memory of the kernel."""
READ_BYTES = 256 * 1024


def open_pipe(*, reader: contextlib.ExitStack, writer: contextlib.ExitStack, wide: bool = False) -> tuple[IO[bytes], IO[bytes]]:
    """Open a pipe, and return its read end and its write end, which the two stacks close; it is `wide` if media go through it.

    Raises:
        OSError: no more files may be open.
    """
    # asyncio has pipes of its own, but its wait() for a process returns only after they were read to the end: kill-and-wait could hang.
    read, write = os.pipe()
    ends = reader.enter_context(os.fdopen(read, "rb", 0)), writer.enter_context(os.fdopen(write, "wb", 0))
    if wide:
        _widen(ends[0])
    return ends


def _widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold `PIPE_BYTES`, so that its two ends wait for each other less often; does nothing where that is not possible."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


class PipeReader:
    """Reads from a pipe."""

    def __init__(self, pipe: IO[bytes]) -> None:
        """Read from `pipe`, whose owner closes it after `close`."""
        self._loop = asyncio.get_running_loop()
        self._descriptor = pipe.fileno()
        self._readable = asyncio.Event()
        os.set_blocking(self._descriptor, False)

    async def read(self) -> bytes:
        """Return the next bytes, at most `READ_BYTES`, as soon as there are some; b"" at the end. Everything else has a turn before."""
        await asyncio.sleep(0)
        while True:
            try:
                return os.read(self._descriptor, READ_BYTES)
            except BlockingIOError:
                await self._wait()

    async def read_all(self) -> bytes:
        """Return everything up to the end."""
        pieces = []
        while piece := await self.read():
            pieces.append(piece)
        return b"".join(pieces)

    async def _wait(self) -> None:
        self._readable.clear()
        self._loop.add_reader(self._descriptor, self._readable.set)
        try:
            await self._readable.wait()
        finally:
            self._loop.remove_reader(self._descriptor)

    def close(self) -> None:
        """Wait for nothing any more. Closing twice is fine."""
        self._loop.remove_reader(self._descriptor)


class PipeWriter:
    """Writes to a pipe; each write waits until the pipe has taken all of it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        """Own `pipe` until `close` or `abort`; use `PipeWriter.connect` to make one."""
        self._loop = asyncio.get_running_loop()
        self._pipe = pipe
        self._descriptor = pipe.fileno()
        self._rest = memoryview(b"")
        """What the pipe has not taken yet. A write that is cancelled leaves it to be written, so that nothing is missing in between."""
        self._ready = asyncio.Event()
        self._ready.set()
        self.broken = False
        """Whether the reader is gone, or the pipe has been closed."""
        self.taken = 0
        """How many bytes the pipe has taken."""
        os.set_blocking(self._descriptor, False)
        # Nothing can be read from this end: it becomes readable when the other one is closed.
        self._loop.add_reader(self._descriptor, self.abort)

    @classmethod
    async def connect(cls, pipe: IO[bytes]) -> Self:
        """Make a writer for `pipe`, which it owns from then on."""
        return cls(pipe)

    @property
    def is_full(self) -> bool:
        """Whether a write waits for the reader."""
        return not self._ready.is_set()

    async def write(self, chunk: bytes) -> None:
        """Write all of `chunk`; does nothing if the reader is gone, which `broken` shows."""
        await self._ready.wait()
        if self.broken or not chunk:
            return
        self._rest = memoryview(chunk)
        self._write_rest()
        if self._rest:
            self._ready.clear()
            self._loop.add_writer(self._descriptor, self._write_rest)
            await self._ready.wait()

    def _write_rest(self) -> None:
        """Write what the pipe takes now."""
        try:
            count = os.write(self._descriptor, self._rest)
        except BlockingIOError:
            return
        except OSError:  # its reader is gone
            self.abort()
            return
        self.taken += count
        self._rest = self._rest[count:]
        if not self._rest and self.is_full:
            self._loop.remove_writer(self._descriptor)
            self._ready.set()
            if self.broken:
                self._release()

    def close(self) -> None:
        """Close the pipe once it has taken everything written. Closing twice is fine."""
        self.broken = True
        if not self._rest:
            self._release()

    def abort(self) -> None:
        """Close the pipe at once. Aborting twice, or after `close`, is fine."""
        self.broken = True
        self._rest = memoryview(b"")
        self._release()

    def _release(self) -> None:
        if not self._pipe.closed:
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._pipe.close()
        self._ready.set()


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
