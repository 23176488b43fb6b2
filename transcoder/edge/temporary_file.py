"""A temporary file for media. It has no name, so that nothing is left of it, however the program ends."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from transcoder.errors import StorageError

_PIECE_BYTES = 256 * 1024


class TemporaryFile:
    """Bytes that are appended first and read afterwards, in any order."""

    def __init__(self, folder: Path | None = None) -> None:
        """Put the file into `folder`, or into the temporary folder of the system."""
        self._folder = folder

    def __enter__(self) -> Self:
        """Create the file.

        Raises:
            StorageError: the folder cannot be written to.
        """
        try:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=_PIECE_BYTES)
        except OSError as error:
            raise self._failure(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Remove the file."""
        try:
            self._file.close()
        except OSError:
            # A full disk has no room for what is still buffered, and nobody wants it any more; the second attempt does not write.
            self._file.close()

    async def write(self, chunk: bytes) -> None:
        """Append to the file.

        Raises:
            StorageError: the disk is full or failed.
        """
        try:
            self._file.write(chunk)
        except OSError as error:
            raise self._failure(error) from error

    def end(self) -> None:
        """Write what is still buffered; nothing is appended after that.

        Raises:
            StorageError: the disk is full or failed.
        """
        try:
            self._file.flush()
        except OSError as error:
            raise self._failure(error) from error

    def pieces(self, start: int, length: int) -> Iterator[bytes]:
        """Iterate over `length` bytes from `start`, all of which were appended before `end`.

        Raises:
            StorageError: the disk failed.
        """
        stop = start + length
        while start < stop:
            try:
                piece = os.pread(self._file.fileno(), min(_PIECE_BYTES, stop - start), start)
            except OSError as error:
                raise self._failure(error) from error
            if not piece:
                raise EOFError("A temporary file is shorter than what was written to it.")
            start += len(piece)
            yield piece

    def _failure(self, error: OSError) -> StorageError:
        where = str(self._folder) if self._folder else "The temporary folder"
        return StorageError(f"{where}: {error.strerror}. A plain MP4 is made in a temporary file; layout=fragmented needs none.")
