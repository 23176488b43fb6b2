"""A file that appears only when it is whole."""

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from transcoder.errors import OutputError, OutputExistsError

_NAME_CHARACTERS = 50
"""How much of a file's name is in the temporary one, which has a few characters more and may be no longer than any other."""


_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""How file systems say that a file has one name only: FAT, exFAT, and some that are on other machines."""


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
            name = f".{self._target.name[:_NAME_CHARACTERS]}.{secrets.token_hex(8)}.part"
            self._temporary = self._target.parent / name
            # Not by tempfile, whose files nobody else may read: this one gets the mode of any other file that the user creates.
            self._file = self._temporary.open("xb")
        except OSError as error:
            raise self._failure(error) from error
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
            self._checked_target()
            if self._overwrite:
                self._temporary.replace(self._target)
            else:
                self._take_free_place()
        except OSError as error:
            raise self._failure(error) from error

    def _take_free_place(self) -> None:
        """Move the file to where none is: of several programs that do this at the same time, only one succeeds."""
        try:
            os.link(self._temporary, self._target)  # unlike a rename, it never overwrites
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._target.open("xb").close()
            self._temporary.replace(self._target)

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
