"""Measures an output while it is made, and reports how far it is."""

import inspect
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from transcoder.core.answer.progress_report import ProgressReport
from transcoder.core.hls.plan import Plan
from transcoder.core.output.announcement import Announcement
from transcoder.errors import BadRequestError
from transcoder.local.callers_code import CallersCode

OnProgress = Callable[[ProgressReport], None]
"""Is called when an output is begun, with 0 bytes, and after each piece of it; it must return soon: nothing else is done meanwhile."""
_NOT_AWAITED = "on_progress: it is a coroutine function, and is not awaited; pass a function, which may start a task."
_SHORTEST = 0.001
"""What a rate is averaged over at least, in seconds."""
_ROUNDING = 0.5
"""By how many seconds a segment may end before its playlist says so."""


def check_watcher(on_progress: OnProgress | None) -> None:
    """Find nothing wrong with what may be told how far an output is.

    Raises:
        BadRequestError: it cannot be called, or is a coroutine function.

    """
    if on_progress is not None and not callable(on_progress):
        raise BadRequestError(f"on_progress: {on_progress!r} is not a function.")
    if any(map(inspect.iscoroutinefunction, (on_progress, getattr(on_progress, "__call__", None)))):  # noqa: B004  # the method itself
        raise BadRequestError(_NOT_AWAITED)


class Written(NamedTuple):
    """What was written into an output."""

    bytes: int
    duration: float | None
    """Seconds of media; None: unknown, as of a file that is saved as it is."""


class Writer(Protocol):
    """Takes bytes."""

    async def write(self, chunk: bytes) -> None:
        """Take bytes; returns when it may be called again."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who wants to know how far an output is, and what is known of it before."""

    on_progress: OnProgress | None = None
    path: str | None = None
    segment_ends: Sequence[float] = ()
    """When each segment ends, in seconds of the output, in ascending order."""

    def of(self, plan: Plan) -> "Watch":
        """Return the same with the segments of a plan."""
        start = (plan.output_format.clip.start if plan.output_format.clip else 0.0) or 0.0
        periods = zip(plan.periods, plan.period_times(), strict=False)
        ends = [at + segment.at + segment.seconds - start for period, at in periods for segment in period.main_track.segments]
        return replace(self, segment_ends=sorted(ends))

    def tell(self, report: Callable[[], ProgressReport]) -> None:
        """Report, if anyone wants to know; only then is the report made."""
        if self.on_progress:
            told = report()._replace(path=self.path)
            with CallersCode():
                answer: object = self.on_progress(told)
            if inspect.iscoroutine(answer):
                answer.close()
                raise BadRequestError(_NOT_AWAITED)


NOBODY_WATCHES = Watch()


class MeasuringSink:
    """Passes bytes on, and knows how far they are: by the time of the media that have come, and else by their bytes."""

    def __init__(self, writer: Writer, watch: Watch = NOBODY_WATCHES) -> None:
        """Pass bytes on to `writer`, and report to `watch`."""
        self._writer = writer
        self._watch = watch
        self._began = time.monotonic()
        self._seconds: float | None = None
        self._length = 0
        self._announced: Announcement | None = None
        self._watch.tell(self._report)

    @property
    def written(self) -> Written:
        """What has been passed on; an announced duration of 0 is unknown."""
        return Written(self._length, (self._announced.seconds or None) if self._announced else None)

    async def start(self, announcement: Announcement) -> None:
        """Learn what is coming."""
        self._announced, self._length, self._began = announcement, 0, time.monotonic()
        self._watch.tell(self._report)

    async def write(self, chunk: bytes) -> None:
        """Pass bytes on, and count them."""
        await self._writer.write(chunk)
        self._length += len(chunk)
        self._watch.tell(self._report)

    def reached(self, seconds: float) -> None:
        """Take up to which second of the output there is media."""
        self._seconds = seconds

    def _report(self) -> ProgressReport:
        total = self._announced.seconds if self._announced else 0.0
        expected = self._announced.estimated_bytes if self._announced else None
        done = min(self._seconds / total, 1.0) if self._seconds and total else min(self._length / expected, 1.0) if expected else None
        seconds = self._seconds if self._seconds is not None else done * total if done and total else None
        if self._seconds and done:
            expected = round(self._length / done)  # the segments that have come say more than the playlist
        took = max(time.monotonic() - self._began, _SHORTEST)
        left = took * (1 - done) / done if done else None
        return ProgressReport(seconds, total or None, self._length, expected, self._length / took, left, *self._segments())

    def _segments(self) -> tuple[int | None, int | None]:
        """Return how many segments are in the output, and of how many."""
        ends = self._watch.segment_ends
        if not ends or self._seconds is None:
            return None, len(ends) or None
        return bisect_right(ends, self._seconds + _ROUNDING), len(ends)
