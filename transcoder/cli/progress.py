"""The progress bar of `get` and `invoke`, shown on a terminal only."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from transcoder.core.answer.progress_report import ProgressReport
from transcoder.core.output.announcement import Announcement
from transcoder.pipeline import Sink

_LINE_SECONDS = 1.0
"""How often a line says how far a command is."""
_SHORTEST = 0.001
"""What a rate is averaged over at least, in seconds."""


class _Writer(Protocol):
    async def write(self, chunk: bytes) -> None: ...


class ProgressSink(Sink, Protocol):
    """Takes the output, and before it reports on how it is made elsewhere."""

    def show(self, report: ProgressReport) -> None:
        """Show a report."""


class _PlainSink:
    """Passes bytes on and shows nothing."""

    def __init__(self, writer: _Writer) -> None:
        self._writer = writer

    async def start(self, announcement: Announcement) -> None:
        """Show nothing."""

    async def write(self, chunk: bytes) -> None:
        await self._writer.write(chunk)

    def show(self, report: ProgressReport) -> None:
        """Show nothing."""


class _LineSink(_PlainSink):
    """Passes bytes on, and writes reports as lines to standard error, which is no terminal: those that come, and one a second."""

    def __init__(self, writer: _Writer) -> None:
        super().__init__(writer)
        self._announced: Announcement | None = None
        self._length = 0
        self._began = time.monotonic()
        self._shown_at = 0.0
        self._is_made_elsewhere = False

    async def start(self, announcement: Announcement) -> None:
        self._announced = announcement

    async def write(self, chunk: bytes) -> None:
        await self._writer.write(chunk)
        self._length += len(chunk)
        now = time.monotonic()
        if now - self._shown_at >= _LINE_SECONDS and not self._is_made_elsewhere:
            self._shown_at = now
            expected = self._announced.estimated_bytes if self._announced else None
            rate = self._length / max(now - self._began, _SHORTEST)
            print(ProgressReport(None, None, self._length, expected, rate, None), file=sys.stderr, flush=True)

    def show(self, report: ProgressReport) -> None:
        self._is_made_elsewhere = True
        print(report, file=sys.stderr, flush=True)


class _ProgressBarSink(_PlainSink):
    """Passes bytes on and shows how much of the output has been written."""

    def __init__(self, writer: _Writer, progress: Progress) -> None:
        super().__init__(writer)
        self._progress = progress
        self._task = progress.add_task("waiting for the first segment", total=None)
        self._shows_reports = False

    async def start(self, announcement: Announcement) -> None:
        described, total = _described(announcement.seconds), announcement.estimated_bytes
        if self._shows_reports:  # what was made elsewhere is fetched now
            self._progress.reset(self._task, description=described, total=total)
        else:
            self._progress.update(self._task, description=described, total=total)

    def show(self, report: ProgressReport) -> None:
        left = f", {report.seconds_left:.0f} s left" if report.seconds_left is not None else ""
        made = f"{report.seconds or 0.0:.1f} of {report.total_seconds or 0.0:.1f} s made{left}"
        self._shows_reports = True
        self._progress.update(self._task, description=made, total=report.estimated_bytes, completed=report.bytes)

    async def write(self, chunk: bytes) -> None:
        await self._writer.write(chunk)
        self._progress.advance(self._task, len(chunk))


def _described(seconds: float) -> str:
    return f"{seconds:.1f} s of media" if seconds else "a stored file"


@contextmanager
def progress_sink(writer: _Writer, *, shown: bool | None = None) -> Iterator[ProgressSink]:
    """Yield a sink that writes to `writer`, and shows the progress: as a bar if standard error is a terminal, else as lines if `shown`."""
    console = Console(stderr=True)
    if shown is False or not console.is_terminal:
        yield (_LineSink if shown else _PlainSink)(writer)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=True)
    progress.start()
    try:
        yield _ProgressBarSink(writer, progress)
    finally:
        with suppress(OSError):  # the terminal may have been closed
            progress.stop()
