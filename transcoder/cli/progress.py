"""The progress of `get` and `invoke`: a bar on a terminal, or lines elsewhere if they are wanted."""

import sys
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from transcoder.core.answer.plain_text import one_line
from transcoder.core.answer.progress_report import ProgressReport
from transcoder.core.hls.plan import Plan
from transcoder.core.output.announcement import Announcement
from transcoder.pipeline import Sink

_LINE_SECONDS = 1.0
"""How often a line says how far a command is."""
_SHORTEST = 0.001
"""What a rate is averaged over at least, in seconds."""
_NAME_CHARACTERS = 16
_BAR_CHARACTERS = 10
_ROUNDING = 0.5
"""By how many seconds a segment may end before its playlist says so."""


class _Writer(Protocol):
    async def write(self, chunk: bytes) -> None: ...


class ProgressSink(Sink, Protocol):
    """Takes the output, and before it reports on how it is made elsewhere."""

    def show(self, report: ProgressReport) -> None:
        """Show a report."""

    def reached(self, seconds: float) -> None:
        """Take up to which second of the output there is media."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of the progress."""

    wanted: bool | None = None
    """None: on a terminal."""
    name: str = ""
    segment_ends: Sequence[float] = ()
    """When each segment ends, in seconds of the output."""

    def of(self, plan: Plan) -> "Shown":
        """Return the same with the segments of a plan."""
        start = (plan.output_format.clip.start if plan.output_format.clip else 0.0) or 0.0
        periods = zip(plan.periods, plan.period_times(), strict=False)
        ends = [at + segment.at + segment.seconds - start for period, at in periods for segment in period.main_track.segments]
        return Shown(self.wanted, self.name, ends)


ON_TERMINAL = Shown()


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

    def reached(self, seconds: float) -> None:
        """Show nothing."""


class _MeasuringSink(_PlainSink):
    """Passes bytes on, and knows how far they are: by the time of the media that have come, and else by their bytes."""

    def __init__(self, writer: _Writer) -> None:
        super().__init__(writer)
        self._began = time.monotonic()
        self._seconds: float | None = None
        self._length = 0
        self._announced: Announcement | None = None

    async def start(self, announcement: Announcement) -> None:
        self._announced, self._length, self._began = announcement, 0, time.monotonic()

    async def write(self, chunk: bytes) -> None:
        await self._writer.write(chunk)
        self._length += len(chunk)

    def reached(self, seconds: float) -> None:
        self._seconds = seconds

    def _report(self) -> ProgressReport:
        total = self._announced.seconds if self._announced else 0.0
        expected = self._announced.estimated_bytes if self._announced else None
        done = min(self._seconds / total, 1.0) if self._seconds and total else min(self._length / expected, 1.0) if expected else None
        seconds = self._seconds if self._seconds is not None else done * total if done and total else None
        if self._seconds and done:
            expected = round(self._length / done)  # the segments that have come say more than the playlist
        took = max(time.monotonic() - self._began, _SHORTEST)
        return ProgressReport(
            seconds, total or None, self._length, expected, self._length / took, took * (1 - done) / done if done else None
        )


class _LineSink(_MeasuringSink):
    """Writes lines to standard error, which is no terminal: one for each report, or one a second."""

    def __init__(self, writer: _Writer) -> None:
        super().__init__(writer)
        self._shown_at = 0.0
        self._is_made_elsewhere = False

    async def write(self, chunk: bytes) -> None:
        await super().write(chunk)
        if time.monotonic() - self._shown_at >= _LINE_SECONDS and not self._is_made_elsewhere:
            self._shown_at = time.monotonic()
            print(self._report(), file=sys.stderr, flush=True)

    def show(self, report: ProgressReport) -> None:
        self._is_made_elsewhere = True
        print(report, file=sys.stderr, flush=True)


class _ProgressBarSink(_MeasuringSink):
    """Shows a bar on the terminal."""

    def __init__(self, writer: _Writer, progress: Progress, shown: Shown) -> None:
        super().__init__(writer)
        self._progress = progress
        self._segment_ends = sorted(shown.segment_ends)
        name = "standard output" if shown.name == "-" else shown.name
        name = name if len(name) <= _NAME_CHARACTERS else f"{name[: _NAME_CHARACTERS - 1]}…"
        self._task = progress.add_task(escape(one_line(name)), total=None, text="waiting for the first segment", percent="")

    async def start(self, announcement: Announcement) -> None:
        await super().start(announcement)
        self._update(self._report())

    async def write(self, chunk: bytes) -> None:
        await super().write(chunk)
        self._update(self._report())

    def show(self, report: ProgressReport) -> None:
        self._update(report)

    def _update(self, report: ProgressReport) -> None:
        """Show a report; the bar is the time of the film, if that is known, and else bytes."""
        total, done = (report.total_seconds, report.seconds) if report.total_seconds else (report.estimated_bytes, report.bytes)
        done = min(done or 0.0, total) if total else 0.0
        percent = f"{100 * done / total:3.0f} %" if total else ""
        self._progress.update(self._task, total=total, completed=done, percent=percent, text=self._text(report))

    def _text(self, report: ProgressReport) -> str:
        expected = f" of {report.estimated_bytes / 1e6:.1f}" if report.estimated_bytes else ""
        parts = [f"{report.bytes / 1e6:.1f}{expected} MB"]
        if report.bytes_per_second:
            parts.append(f"{report.bytes_per_second / 1e6:.1f} MB/s")
        if report.seconds_left is not None:
            minutes, seconds = divmod(round(report.seconds_left), 60)
            parts.append(f"{minutes}:{seconds:02} left")
        if self._segment_ends and self._seconds is not None:
            parts.append(f"{bisect_right(self._segment_ends, self._seconds + _ROUNDING)}/{len(self._segment_ends)} segments")
        return ", ".join(parts)


@contextmanager
def progress_sink(writer: _Writer, shown: Shown = ON_TERMINAL) -> Iterator[ProgressSink]:
    """Yield a sink that writes to `writer`, and shows the progress: as a bar if standard error is a terminal, else as lines if wanted."""
    console = Console(stderr=True)
    if shown.wanted is False or not console.is_terminal:
        yield (_LineSink if shown.wanted else _PlainSink)(writer)
        return
    text = TextColumn("{task.fields[text]}", table_column=Column(no_wrap=True, overflow="ellipsis"))
    columns = (TextColumn("{task.description}"), BarColumn(_BAR_CHARACTERS), TextColumn("{task.fields[percent]}"), text)
    progress = Progress(*columns, console=console, transient=True)
    progress.start()
    try:
        yield _ProgressBarSink(writer, progress, shown)
    finally:
        with suppress(OSError):  # the terminal may have been closed
            progress.stop()
