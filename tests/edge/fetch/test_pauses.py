"""How often a request is repeated, and how long after the attempt before, by a clock that does not wait."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import pytest
from peers.virtual_clock import run_at_once

from transcoder.edge.fetch.retry import LATE_PAUSES, PROGRESS_BYTES, ShortRangeError, TransientError, retry, retry_late
from transcoder.errors import TranscoderError, UpstreamError, UpstreamTimeoutError
from transcoder.settings import Settings

BROKEN = UpstreamError("broken", origin_status=503)
Attempt = tuple[int, Exception | None]
"""How many bytes an attempt delivers, and how it fails."""


class Requests:
    """What is sent: each attempt of a script, at its time."""

    def __init__(self, script: Sequence[Attempt]) -> None:
        self._script: Iterator[Attempt] = iter(script)
        self.sent_at: list[float] = []
        self.delivered = 0
        self.retries = 0

    async def attempt(self) -> str:
        self.sent_at.append(asyncio.get_running_loop().time())
        count, failure = next(self._script)
        self.delivered += count
        if failure:
            raise failure
        return "done"

    def count_retry(self) -> None:
        self.retries += 1

    @property
    def pauses(self) -> list[float]:
        return [after - before for before, after in zip(self.sent_at, self.sent_at[1:], strict=False)]


def sent(script: Sequence[Attempt], *, attempts: int, seconds: float = 0.25, late: Sequence[float] | None = None) -> Requests:
    """Carry out a script, whose last attempt decides how it ends."""
    requests, settings = Requests(script), Settings(attempts=attempts, retry_seconds=seconds)
    options = {"on_retry": requests.count_retry, "delivered": lambda: requests.delivered}
    wanted: Callable[..., object] = retry if late is None else retry_late
    last, more = script[-1][1], {} if late is None else {"pauses": late}

    async def run() -> object:
        return await wanted(requests.attempt, settings, **options, **more)  # type: ignore[misc]  # both return what can be awaited

    if last is None:
        assert run_at_once(run()) == "done"
    else:
        with pytest.raises(TranscoderError) as caught:
            run_at_once(run())
        assert caught.value is (last.error if isinstance(last, TransientError) else last)
    assert len(requests.sent_at) == len(script)
    return requests


def failing(count: int = 0, pause: float | None = None) -> Attempt:
    return count, TransientError(BROKEN, pause=pause)


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_so_many_attempts_may_fail_in_a_row(attempts: int) -> None:
    assert sent([failing()] * attempts, attempts=attempts).retries == attempts - 1
    assert sent([*[failing()] * (attempts - 1), (1, None)], attempts=attempts).retries == attempts - 1


def test_what_is_not_transient_ends_it() -> None:
    assert sent([failing(), (0, UpstreamTimeoutError("late"))], attempts=5).retries == 1


def test_each_pause_is_about_twice_the_one_before_up_to_a_limit() -> None:
    """They vary from half as long to half as long again, so that many clients do not return at once."""
    requests = sent([failing()] * 1200, attempts=1200)
    shares = [pause / min(10.0, 0.25 * 2 ** min(index, 10)) for index, pause in enumerate(requests.pauses)]
    assert all(0.4999 < share < 1.5001 for share in shares)
    assert min(shares) < 0.6
    assert max(shares) > 1.4


@pytest.mark.parametrize("seconds", [0.0, 3.0, 10.0])
def test_a_pause_that_the_origin_asks_for_takes_the_place_of_that(seconds: float) -> None:
    assert sent([failing(pause=seconds), failing(pause=seconds), (1, None)], attempts=3).pauses == [seconds, seconds]


@pytest.mark.parametrize(("count", "is_progress"), [(PROGRESS_BYTES - 1, False), (PROGRESS_BYTES, True)])
def test_an_attempt_that_brings_a_mebibyte_is_the_first_failure_again(count: int, *, is_progress: bool) -> None:
    script = [failing(), failing(count), failing(), failing(count), failing()]
    if is_progress:
        sent([*script, (1, None)], attempts=3)
        sent([*script, failing()], attempts=3)
    else:
        sent(script[:3], attempts=3)


def test_a_short_range_goes_on_at_once_if_it_has_brought_anything() -> None:
    short = ShortRangeError(BROKEN)
    requests = sent([failing(), (1, short), (1, short), failing(), (1, short), failing(), (1, None)], attempts=3)
    assert requests.retries == 3
    assert [pause == 0 for pause in requests.pauses] == [False, True, True, False, True, False]
    assert sent([(0, short), (0, short), (0, short)], attempts=3).retries == 2


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_missing_is_asked_for_again_after_the_late_pauses(status: int) -> None:
    missing = 0, UpstreamError("missing", origin_status=status)
    requests = sent([missing] * 3, attempts=1, seconds=0.25, late=LATE_PAUSES)
    assert (requests.pauses, requests.retries) == ([1.0, 2.0], 2)
    assert sent([missing, (1, None)], attempts=1, seconds=100.0, late=LATE_PAUSES).pauses == [10.0]
    assert sent([missing, (1, None)], attempts=1, seconds=0.01, late=(4.0,)).pauses == [pytest.approx(0.04)]
    assert sent([missing], attempts=1, late=()).retries == 0


@pytest.mark.parametrize("status", [400, 401, 402, 405, 409, 411, 451, 503, None])
def test_no_other_failure_gets_a_late_attempt(status: int | None) -> None:
    assert sent([(0, UpstreamError("refused", origin_status=status))], attempts=1, late=LATE_PAUSES).retries == 0


def test_each_late_attempt_has_all_its_attempts() -> None:
    missing = 0, UpstreamError("missing", origin_status=404)
    requests = sent([failing(pause=3.0), missing, failing(pause=3.0), (1, None)], attempts=2, late=LATE_PAUSES)
    assert (requests.pauses, requests.retries) == ([3.0, 1.0, 3.0], 3)
