"""How `get` and `invoke` show their progress: a bar on a terminal, or lines elsewhere if they are wanted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from transcoder.cli.printing import tell
from transcoder.core.answer.plain_text import one_line
from transcoder.core.answer.progress_report import ProgressReport
from transcoder.local.progress import MeasuringSink, Watch, Writer

_LINE_SECONDS = 1.0
"""How often a line says how far a command is."""
_NAME_CHARACTERS = 16
_BAR_CHARACTERS = 10


class Display(Protocol):
    """Shows reports of one output."""

    def __call__(self, report: ProgressReport) -> None:
        """Show what was measured here."""

    def received(self, report: ProgressReport) -> None:
        """Show what the function reports."""


class FunctionSink(MeasuringSink):
    """Takes what the function sends, and before it the reports on how that is made."""

    def __init__(self, writer: Writer, display: Display | None, path: str) -> None:
        """Pass bytes on to `writer`, which writes to `path`; nothing is shown without a `display`."""
        super().__init__(writer, Watch(display, path))
        self._display = display
        self._path = path

    def show(self, report: ProgressReport) -> None:
        """Show a report of the function."""
        if self._display:
            self._display.received(report._replace(path=self._path))


class _Lines:
    """Writes lines to standard error, which is no terminal: one for each report of the function, or one a second."""

    def __init__(self) -> None:
        self._shown_at: float | None = None
        self._is_made_elsewhere = False

    def __call__(self, report: ProgressReport) -> None:
        is_due = self._shown_at is None or time.monotonic() - self._shown_at >= _LINE_SECONDS
        if report.bytes and is_due and not self._is_made_elsewhere:
            self._shown_at = time.monotonic()
            tell(report)

    def received(self, report: ProgressReport) -> None:
        self._is_made_elsewhere = True
        tell(report)


class _Bar:
    """Shows a bar on the terminal from the first report on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def __call__(self, report: ProgressReport) -> None:
        """Show a report; the bar is the time of the film, if that is known, and else bytes."""
        total, done = (report.total_seconds, report.seconds) if report.total_seconds else (report.estimated_bytes, report.bytes)
        done = min(done or 0.0, total) if total else 0.0
        percent = f"{100 * done / total:3.0f} %" if total else ""
        self._progress.update(self._started(report), total=total, completed=done, percent=percent, text=_text(report))

    def received(self, report: ProgressReport) -> None:
        self(report)

    def _started(self, report: ProgressReport) -> TaskID:
        if self._task is None:
            name = "standard output" if report.path == "-" else report.path.rpartition("/")[2] if report.path else ""
            name = name if len(name) <= _NAME_CHARACTERS else f"{name[: _NAME_CHARACTERS - 1]}…"
            self._task = self._progress.add_task(escape(one_line(name)), total=None, text="", percent="")
            self._progress.start()
        return self._task


def _text(report: ProgressReport) -> str:
    if not report.bytes and not report.total_seconds:
        return "waiting for the first segment"
    expected = f" of {report.estimated_bytes / 1e6:.1f}" if report.estimated_bytes else ""
    parts = [f"{report.bytes / 1e6:.1f}{expected} MB"]
    if report.bytes_per_second:
        parts.append(f"{report.bytes_per_second / 1e6:.1f} MB/s")
    if report.seconds_left is not None:
        minutes, seconds = divmod(round(report.seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    if report.segments is not None:
        parts.append(f"{report.segments}/{report.total_segments} segments")
    return ", ".join(parts)


@contextmanager
def progress_display(wanted: bool | None) -> Iterator[Display | None]:  # noqa: FBT001  # None is the third choice
    """Yield what shows the progress of one output: a bar if standard error is a terminal, else lines if they are wanted, or None.

    `wanted` None is a bar on a terminal, and nothing elsewhere.
    """
    console = Console(stderr=True)
    if wanted is False or not console.is_terminal:
        yield _Lines() if wanted else None
        return
    text = TextColumn("{task.fields[text]}", table_column=Column(no_wrap=True, overflow="ellipsis"))
    columns = (TextColumn("{task.description}"), BarColumn(_BAR_CHARACTERS), TextColumn("{task.fields[percent]}"), text)
    progress = Progress(*columns, console=console, transient=True)
    try:
        yield _Bar(progress)
    finally:
        with suppress(OSError):  # the terminal may have been closed
            progress.stop()
