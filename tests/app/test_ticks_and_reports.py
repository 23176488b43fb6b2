"""What is said while work goes on, and when, by a clock that does not wait."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from peers.application import Answered
from peers.fetch_calls import SETTINGS
from peers.virtual_clock import run_at_once

from transcoder.app.reports import Reports
from transcoder.app.ticking import TICK_SECONDS, with_ticks
from transcoder.app.time_limit import in_time
from transcoder.core.hls.plan import Plan
from transcoder.core.source.resolved_report import Document
from transcoder.edge.fetch import Fetcher
from transcoder.errors import DeadlineError, NotFoundError, UpstreamError


def now() -> float:
    return asyncio.get_running_loop().time()


async def work(seconds: float, failure: Exception | None = None) -> str:
    await asyncio.sleep(seconds)
    if failure:
        raise failure
    return "done"


def ticks_of(
    seconds: float, *, failure: Exception | None = None, failing_tick: Exception | None = None, every: float = TICK_SECONDS
) -> tuple[list[float], object]:
    """Return when something was said during so many seconds of work, and what came of it."""
    said: list[float] = []

    async def tick() -> None:
        said.append(now())
        if failing_tick:
            raise failing_tick
        await asyncio.sleep(0.25)
        said.append(now())

    async def run() -> object:
        try:
            return await with_ticks(work(seconds, failure), tick, seconds=every)
        except (NotFoundError, UpstreamError) as error:
            return error

    return said, run_at_once(run())


def test_something_may_be_said_every_second_until_work_ends() -> None:
    assert ticks_of(0.5) == ([], "done")
    assert ticks_of(3.0) == ([1.0, 1.25, 2.25, 2.5], "done")
    assert ticks_of(9.0, every=4.0) == ([4.0, 4.25, 8.25, 8.5], "done")


def test_a_failure_of_the_work_interrupts_nothing_that_is_being_said() -> None:
    failure = NotFoundError("none")
    assert ticks_of(1.125, failure=failure) == ([1.0, 1.25], failure)


def test_what_cannot_be_said_ends_the_work() -> None:
    failure = UpstreamError("gone")
    assert ticks_of(100.0, failing_tick=failure) == ([1.0], failure)


@pytest.mark.parametrize(
    ("seconds", "margin", "ending", "stopped_at"),
    [
        (100.0, 0.0, 0.0, 99.5),
        (100.0, 2.0, 0.0, 97.5),
        (100.0, 2.0, 10.0, 87.5),
        (100.0, 80.0, 0.0, 49.5),
        (100.0, 0.0, 60.0, 50.0),
        (1.0, 0.0, 0.0, 0.5),
        (0.5, 0.0, 0.0, 0.25),
        (0.8, 0.6, 0.0, 0.2),
    ],
)
def test_work_ends_half_a_second_before_its_response_is_broken_off(seconds: float, margin: float, ending: float, stopped_at: float) -> None:
    async def run(needed: float) -> float:
        await asyncio.sleep(1000)
        began, answer = now(), Answered(deadline=now() + seconds)
        try:
            assert await in_time(work(needed), answer, margin=margin, ending=ending) == "done"
        except DeadlineError:
            assert now() - began < needed
        return now() - began

    assert run_at_once(run(1000.0)) == pytest.approx(stopped_at)
    assert run_at_once(run(stopped_at - 0.001)) == pytest.approx(stopped_at - 0.001)


def test_work_that_ends_at_once_needs_no_time_to_end() -> None:
    async def run() -> float:
        with pytest.raises(DeadlineError):
            await in_time(work(1000.0), Answered(deadline=now() + 100.0), margin=0.0)
        return now()

    assert run_at_once(run()) == 99.5


def test_work_without_a_deadline_takes_as_long_as_it_likes() -> None:
    assert run_at_once(in_time(work(1e6), Answered(), margin=1.0)) == "done"


@dataclass
class Making:
    """A file of so many seconds while it is made."""

    seconds: float = 0.0
    total_seconds: float = 60.0
    reports: list[tuple[float, Document]] = field(default_factory=list)

    async def send(self, report: Document) -> None:
        self.reports.append((now(), report))


def reported(use: Callable[[Making, Fetcher, Callable[[], Awaitable[None]]], Awaitable[None]]) -> list[tuple[float, Document]]:
    making = Making()

    async def run() -> None:
        async with Fetcher.open(SETTINGS) as fetcher:
            await asyncio.sleep(1000)
            reports = Reports(making, Plan((), 6.0, 5000), fetcher, making.send)
            await use(making, fetcher, reports.tick)

    run_at_once(run())
    return [(at - 1000, report) for at, report in making.reports]


def test_a_report_comes_with_each_segment_and_every_four_seconds() -> None:
    async def use(making: Making, fetcher: Fetcher, tick: Callable[[], Awaitable[None]]) -> None:
        for second in range(1, 13):
            await asyncio.sleep(1)
            making.seconds, fetcher.bytes = second * 1.5, second * 100
            fetcher.segments = (second + 1) // 6  # with the fifth and the eleventh second
            await tick()

    found = reported(use)
    assert [at for at, _ in found] == [4.0, 5.0, 9.0, 11.0]
    assert found[0][1] == {
        "event": "progress",
        "seconds": 6.0,
        "total_seconds": 60.0,
        "bytes": 400,
        "estimated_bytes": 5000,
        "bytes_per_second": 100,
        "seconds_left": 36.0,
    }
