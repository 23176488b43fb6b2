"""The progress bar of `get` and `invoke`, shown on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from transcoder.core.output.announcement import Announcement
from transcoder.pipeline import Sink


class _Writer(Protocol):
    async def write(self, chunk: bytes) -> None: ...


class _PlainSink:
    """Passes bytes on and shows nothing."""

    def __init__(self, writer: _Writer) -> None:
        self._writer = writer

    async def start(self, announcement: Announcement) -> None:
        """Show nothing."""

    async def write(self, chunk: bytes) -> None:
        await self._writer.write(chunk)


class _ProgressBarSink(_PlainSink):
    """Passes bytes on and shows how much of the output has been written."""

    def __init__(self, writer: _Writer, progress: Progress) -> None:
        super().__init__(writer)
        self._progress = progress
        self._task = progress.add_task("waiting for the first segment", total=None)

    async def start(self, announcement: Announcement) -> None:
        self._progress.update(self._task, description=f"{announcement.seconds:.1f} s", total=announcement.estimated_bytes)

    async def write(self, chunk: bytes) -> None:
        await self._writer.write(chunk)
        self._progress.advance(self._task, len(chunk))


@contextmanager
def progress_sink(writer: _Writer) -> Iterator[Sink]:
    """Yield a sink that writes to `writer`, and shows a progress bar if standard error is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _PlainSink(writer)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=True)
    progress.start()
    try:
        yield _ProgressBarSink(writer, progress)
    finally:
        with suppress(OSError):  # the terminal may have been closed
            progress.stop()
