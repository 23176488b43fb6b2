"""A progress bar for `get`, on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from transcoder.core.output.announcement import Announcement
from transcoder.pipeline import Sink


class _Destination(Protocol):
    async def write(self, chunk: bytes) -> None: ...


class _Plain:
    """Passes bytes on and shows nothing."""

    def __init__(self, into: _Destination) -> None:
        self._into = into

    async def start(self, film: Announcement) -> None:
        """Show nothing."""

    async def write(self, chunk: bytes) -> None:
        await self._into.write(chunk)


class _Bar(_Plain):
    """Passes bytes on and shows how far the film is."""

    def __init__(self, into: _Destination, bar: Progress) -> None:
        super().__init__(into)
        self._bar = bar
        self._task = bar.add_task("waiting for the first segment", total=None)

    async def start(self, film: Announcement) -> None:
        self._bar.update(self._task, description=f"{film.seconds:.1f} s", total=film.estimated_bytes)

    async def write(self, chunk: bytes) -> None:
        await self._into.write(chunk)
        self._bar.advance(self._task, len(chunk))


@contextmanager
def progress(into: _Destination) -> Iterator[Sink]:
    """Hand out a sink that writes into `into`, and on a terminal shows how it goes."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Plain(into)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(into, bar)
