"""Where `get` writes: a file that appears only when it is whole, or standard output."""

import errno
import os
import stat
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from transcoder.cli.exit_codes import OutputError
from transcoder.edge.pipe import PipeWriter


class Output(Protocol):
    """Takes the film's bytes; what was written counts only after `keep`."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End; without `keep` before it, nothing is left."""

    async def write(self, chunk: bytes) -> None:
        """Take bytes."""

    def keep(self) -> None:
        """Leave what was written: the film is whole."""


class FileOutput:
    """A file, written beside its place under another name and moved there when the film is whole."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        """Write to `path`; where something is already, only if `overwrite`."""
        self._path = path
        self._overwrite = overwrite

    def __enter__(self) -> Self:
        """Create the temporary file.

        Raises:
            OutputError: the place is taken or cannot be written to.

        """
        self.refuse_taken()
        try:
            fd, name = tempfile.mkstemp(prefix=f".{self._path.name}.", suffix=".part", dir=self._path.parent)
        except OSError as error:
            raise OutputError(f"{self._path}: {error.strerror}.") from error
        self._part = Path(name)
        self._file = os.fdopen(fd, "wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close, and remove what was not kept."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    async def write(self, chunk: bytes) -> None:
        """Append.

        Raises:
            OutputError: the disk is full, or failed.

        """
        try:
            self._file.write(chunk)
        except OSError as error:
            raise OutputError(f"{self._path}: {error.strerror}.") from error

    def keep(self) -> None:
        """Move the file to its place.

        Raises:
            OutputError: it could not be written to its end, or something has come to lie there meanwhile.

        """
        try:
            self._file.close()
            # mkstemp gives 0600; a result is as readable as anything else the user makes.
            umask = os.umask(0)
            os.umask(umask)
            self._part.chmod(0o666 & ~umask)
            if self._overwrite:
                self._part.replace(self._path)
            else:
                os.link(self._part, self._path)  # unlike a rename, never overwrites
        except FileExistsError:
            self.refuse_taken()
        except OSError as error:
            raise OutputError(f"{self._path}: {error.strerror}.") from error

    def refuse_taken(self) -> None:
        """Refuse a place in no folder, and one where something is already, unless that may be overwritten.

        Raises:
            OutputError: nothing can be written there.

        """
        if not self._path.parent.is_dir():
            raise OutputError(f"{self._path}: {os.strerror(errno.ENOENT)}.")
        if self._path.exists() and not self._overwrite:
            raise OutputError(f"{self._path} exists; --force overwrites it.")


class StandardOutput:
    """Standard output: a pipe whose reader may leave, or a file that a shell has opened."""

    def __enter__(self) -> Self:
        """Refuse a terminal.

        Raises:
            OutputError: standard output is a terminal.

        """
        if sys.stdout.isatty():
            raise OutputError("An MP4 is not for a terminal: send it to a file or a pipe.")
        self._fd = sys.stdout.fileno()
        self._writer: PipeWriter | None = None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of the pipe."""
        if self._writer:
            self._writer.abort()

    async def write(self, chunk: bytes) -> None:
        """Write; waits for the reader.

        Raises:
            OutputError: the reader left, or the disk is full.

        """
        try:
            if stat.S_ISREG(os.fstat(self._fd).st_mode):
                view = memoryview(chunk)
                while view:
                    view = view[os.write(self._fd, view) :]
                return
            if self._writer is None:
                self._writer = await PipeWriter.connect(os.fdopen(os.dup(self._fd), "wb", 0))
            await self._writer.write(chunk)
        except OSError as error:
            raise OutputError(f"Standard output: {error.strerror}.") from error
        if self._writer.broken:
            raise OutputError("Standard output: its reader left.")

    def keep(self) -> None:
        """Nothing is left to do: what was written is gone already."""
