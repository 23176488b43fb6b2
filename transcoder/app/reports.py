"""The reports on a file that is being made."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from transcoder.app.ticking import REPORT_SECONDS
from transcoder.core.hls.plan import Plan
from transcoder.core.output.progress import Progress, ProgressMeter
from transcoder.core.source.resolved_report import Document
from transcoder.edge.fetch import Fetcher


class Making(Protocol):
    """A file while it is made."""

    @property
    def seconds(self) -> float:
        """Up to which second it has been made."""

    @property
    def total_seconds(self) -> float:
        """How long all of it is."""


class Reports:
    """The reports on one making: when a segment has arrived, and in any case often enough."""

    def __init__(self, making: Making, plan: Plan, fetcher: Fetcher, send: Callable[[Document], Awaitable[None]]) -> None:
        """Send reports with `send`; the making begins now."""
        self._making = making
        self._plan = plan
        self._fetcher = fetcher
        self._send = send
        self._now = asyncio.get_running_loop().time
        self._last_at = self._now()
        self._last_segments = 0
        self._meter = ProgressMeter(self._last_at)

    async def tick(self) -> None:
        """Report the progress, if it is time to."""
        progress, now = self._progress(), self._now()
        if progress.segments == self._last_segments and now - self._last_at < REPORT_SECONDS:
            return
        self._last_at, self._last_segments = now, progress.segments
        await self._send(self._meter.report(progress, now))

    def _progress(self) -> Progress:
        making, fetcher = self._making, self._fetcher
        return Progress(making.seconds, making.total_seconds, fetcher.bytes, self._plan.estimated_bytes, fetcher.segments)
