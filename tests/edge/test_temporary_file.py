"""A temporary file gives back what was written, has no name, and says what is wrong with its disk."""

import asyncio
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from transcoder.edge.temporary_file import TemporaryFile
from transcoder.errors import StorageError

pytestmark = pytest.mark.usefixtures("no_leaks")


@contextmanager
def limited(length: int) -> Iterator[None]:
    """Let files have at most so many bytes, as on a full disk."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_any_part_is_read_as_it_was_written(temp: Path) -> None:
    data = bytes(range(256)) * 5000
    with TemporaryFile() as file:
        for start in range(0, len(data), 70_000):
            asyncio.run(file.write(data[start : start + 70_000]))
        file.end()
        assert not list(temp.iterdir())
        assert b"".join(file.pieces(0, len(data))) == data
        assert b"".join(file.pieces(300_001, 600_000)) == data[300_001:900_001]
        assert list(file.pieces(5, 0)) == []


def test_what_was_not_written_cannot_be_read() -> None:
    with TemporaryFile() as file:
        asyncio.run(file.write(b"123"))
        file.end()
        with pytest.raises(EOFError):
            list(file.pieces(0, 4))


@pytest.mark.parametrize("length", [0, 1000, 300_000])
def test_a_full_disk_is_an_error_with_a_sentence(length: int) -> None:
    def fill(file: TemporaryFile) -> None:
        for _ in range(10):
            asyncio.run(file.write(bytes(50_000)))
        file.end()

    check_failure(length, fill)


def check_failure(length: int, fill: Callable[[TemporaryFile], None]) -> None:
    with limited(length), TemporaryFile() as file, pytest.raises(StorageError, match=r"^The temporary folder: .*layout=fragmented"):
        fill(file)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="missing: No such file"), TemporaryFile(tmp_path / "missing"):
        pass
