"""A file that appears only when it is whole."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from transcoder.errors import OutputError, OutputExistsError

_NAME_CHARACTERS = 50
"""How much of a file's name is in the temporary one, which has a few characters more and may be no longer than any other."""


class FileOutput:
    """A file, written under a temporary name in the same folder and moved to its path on `commit`.

    If the path is a symbolic link, the link stays, and its target is that file.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        """Write to `path`; replace an existing file only if `overwrite` is true."""
        self._path = path
        self._overwrite = overwrite

    def __enter__(self) -> Self:
        """Create the temporary file.

        Raises:
            OutputError: the path exists already or cannot be written to.

        """
        try:
            self._target = self._checked_target()
            prefix = f".{self._target.name[:_NAME_CHARACTERS]}."
            fd, name = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=self._target.parent)
        except OSError as error:
            raise self._failure(error) from error
        self._temporary = Path(name)
        self._file = os.fdopen(fd, "wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the temporary file, and remove it unless it was committed."""
        # A full disk has no room for what is still buffered either; the file is removed anyway.
        with contextlib.suppress(OSError):
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    @property
    def folder(self) -> Path:
        """The folder that the file is in, once it is open."""
        return self._target.parent

    async def write(self, chunk: bytes) -> None:
        """Append to the file.

        Raises:
            OutputError: the disk is full or failed.

        """
        try:
            self._file.write(chunk)
        except OSError as error:
            raise self._failure(error) from error

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
            self._checked_target()
            if self._overwrite:
                self._temporary.replace(self._target)
            else:
                os.link(self._temporary, self._target)  # unlike a rename, it never overwrites
        except OSError as error:
            raise self._failure(error) from error

    def _checked_target(self) -> Path:
        """Return the path of the file: that of the target if the path is a symbolic link.

        Raises:
            OutputError: something is there that may not be replaced.
            OSError: the path cannot be read, or its folder does not exist.

        """
        target = Path(os.path.realpath(self._path)) if self._path.is_symlink() else self._path
        try:
            mode = self._path.stat().st_mode
        except FileNotFoundError:
            target.parent.stat()
            return target
        # The links in /proc lead to open files that need not have a path.
        if not stat.S_ISREG(mode) or not target.exists():
            raise OutputError(f"{self._path} is not a file that can be replaced, so nothing is written to it.")
        if not self._overwrite:
            raise OutputExistsError(f"{self._path} exists already.")
        return target

    def _failure(self, error: OSError) -> OutputError:
        if error.errno == errno.EEXIST:
            return OutputExistsError(f"{self._path} exists already.")
        return OutputError(f"{self._path}: {error.strerror}.")
