"""Where `get` and `invoke` write: a file that appears only when it is whole, or standard output."""

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
    """Takes the bytes of the output; they become visible only with `commit`."""

    def __enter__(self) -> Self:
        """Open the output."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the output; without a `commit` before, nothing is left of it."""

    async def write(self, chunk: bytes) -> None:
        """Write bytes."""

    def commit(self) -> None:
        """Keep what was written: the output is whole."""


class FileOutput:
    """A file, written under a temporary name in the same folder and moved to its path on `commit`."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        """Write to `path`; replace an existing file only if `overwrite` is true."""
        self._path = path
        self._overwrite = overwrite

    def __enter__(self) -> Self:
        """Create the temporary file.

        Raises:
            OutputError: the path exists already or cannot be written to.

        """
        self.check_path()
        try:
            fd, name = tempfile.mkstemp(prefix=f".{self._path.name}.", suffix=".part", dir=self._path.parent)
        except OSError as error:
            raise OutputError(f"{self._path}: {error.strerror}.") from error
        self._temporary = Path(name)
        self._file = os.fdopen(fd, "wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the temporary file, and remove it unless it was committed."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    async def write(self, chunk: bytes) -> None:
        """Append to the file.

        Raises:
            OutputError: the disk is full or failed.

        """
        try:
            self._file.write(chunk)
        except OSError as error:
            raise OutputError(f"{self._path}: {error.strerror}.") from error

    def commit(self) -> None:
        """Move the file to its path.

        Raises:
            OutputError: the file could not be written completely, or another file has appeared at its path meanwhile.

        """
        try:
            self._file.close()
            # mkstemp creates files with mode 0600; the result gets the mode of any other file that the user creates.
            umask = os.umask(0)
            os.umask(umask)
            self._temporary.chmod(0o666 & ~umask)
            if self._overwrite:
                self._temporary.replace(self._path)
            else:
                os.link(self._temporary, self._path)  # unlike a rename, it never overwrites
        except FileExistsError:
            self.check_path()
        except OSError as error:
            raise OutputError(f"{self._path}: {error.strerror}.") from error

    def check_path(self) -> None:
        """Check that the folder exists, and that no file is at the path unless it may be overwritten.

        Raises:
            OutputError: it is not so.

        """
        if not self._path.parent.is_dir():
            raise OutputError(f"{self._path}: {os.strerror(errno.ENOENT)}.")
        if self._path.exists() and not self._overwrite:
            raise OutputError(f"{self._path} exists already; use --force to overwrite it.")


class StandardOutput:
    """Standard output: a pipe whose reader may leave, or a file that the shell has opened."""

    def __enter__(self) -> Self:
        """Open standard output.

        Raises:
            OutputError: standard output is a terminal.

        """
        if sys.stdout.isatty():
            raise OutputError("Standard output is a terminal; redirect it to a file or a pipe.")
        self._fd = sys.stdout.fileno()
        self._writer: PipeWriter | None = None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the pipe."""
        if self._writer:
            self._writer.abort()

    async def write(self, chunk: bytes) -> None:
        """Write to standard output; wait until the reader has room for it.

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
            raise OutputError("Standard output: the reader closed the pipe.")

    def commit(self) -> None:
        """Do nothing: every byte has been sent already."""
