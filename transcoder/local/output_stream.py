"""Outputs that take bytes at once and keep none for themselves: standard output, named pipes, and devices.

What has been written cannot be taken back, so that after a failure their reader has the beginning of an MP4, without the index at its end.
"""

import asyncio
import contextlib
import errno
import os
import stat
import sys
from types import TracebackType
from typing import IO, Self

from transcoder.edge.pipe import PipeWriter
from transcoder.errors import OutputError, ReaderLeftError

POLL_SECONDS = 0.05
"""How often it is looked whether a named pipe has a reader; opening it with a wait could not be interrupted."""


class _StreamOutput:
    """An open descriptor."""

    folder = None

    def __init__(self, name: str) -> None:
        """Write to what messages call `name`, once it is open."""
        self._name = name
        self._descriptor: int | None = None
        self._pipe: IO[bytes] | None = None
        self._writer: PipeWriter | None = None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the descriptor."""
        if self._writer:
            self._writer.abort()
        elif self._pipe:
            self._pipe.close()  # a failure came while the writer was made, which may have closed it
        elif self._descriptor is not None:
            os.close(self._descriptor)

    async def write(self, chunk: bytes) -> None:
        """Write; wait until the reader has room for it.

        Raises:
            OutputError: the reader left, or the disk is full.

        """
        assert self._descriptor is not None  # noqa: S101  # it was opened before
        try:
            if self._writer or _has_reader(self._descriptor):
                await self._write_to_reader(self._descriptor, chunk)
                return
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise OutputError(f"{self._name}: {error.strerror}.") from error

    async def _write_to_reader(self, descriptor: int, chunk: bytes) -> None:
        if self._writer is None:
            self._pipe = os.fdopen(descriptor, "wb", 0)
            self._writer = await PipeWriter.connect(self._pipe)
        await self._writer.write(chunk)
        if self._writer.broken:
            raise ReaderLeftError(f"{self._name}: the reader closed the pipe.")

    def commit(self) -> None:
        """Do nothing: every byte has been sent already."""


def _has_reader(descriptor: int) -> bool:
    """Return whether a descriptor leads to a pipe or a socket rather than to a file or a device."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class StandardOutput(_StreamOutput):
    """Standard output: a pipe whose reader may leave, or a file or a device that the shell has opened."""

    def __init__(self) -> None:
        """Write to standard output."""
        super().__init__("Standard output")

    def __enter__(self) -> Self:
        """Open standard output.

        Raises:
            OutputError: standard output is a terminal, or closed.

        """
        if sys.stdout is None:
            raise OutputError("Standard output is closed.")
        if sys.stdout.isatty():
            raise OutputError("Standard output is a terminal; redirect it to a file or a pipe.")
        self._descriptor = os.dup(sys.stdout.fileno())
        return self


class DeviceOutput(_StreamOutput):
    """A character device."""

    def __enter__(self) -> Self:
        """Open the device.

        Raises:
            OutputError: it cannot be opened, or is a terminal.

        """
        self._descriptor = _open(self._name, os.O_NOCTTY)
        if os.isatty(self._descriptor):
            os.close(self._descriptor)
            raise OutputError(f"{self._name} is a terminal; write to a file or a pipe.")
        return self


class FifoOutput(_StreamOutput):
    """A named pipe, whose reader may come late and leave early."""

    def __enter__(self) -> Self:
        """Do nothing yet: the pipe is opened when there is something to write."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the pipe, so that its reader sees the end, even if nothing was written."""
        if self._descriptor is None:
            # A reader that waits for a writer would wait for ever.
            with contextlib.suppress(OSError, OutputError):
                self._descriptor = self._open_if_read()
        super().__exit__(kind, error, trace)

    async def write(self, chunk: bytes) -> None:
        """Write; the first time, wait for a reader.

        Raises:
            OutputError: the pipe cannot be opened, or its reader left.

        """
        while self._descriptor is None:
            self._descriptor = self._open_if_read()
            if self._descriptor is None:
                await asyncio.sleep(POLL_SECONDS)
        await super().write(chunk)

    def _open_if_read(self) -> int | None:
        """Open the pipe; return None if it has no reader."""
        try:
            return _open(self._name, os.O_NONBLOCK)
        except OutputError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ENXIO:
                return None
            raise


def _open(path: str, flags: int) -> int:
    try:
        return os.open(path, os.O_WRONLY | flags)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}.") from error
