"""The daily limit of bytes: what one execution environment sends in a day of UTC, as a brake on what a link that goes round can cost."""

import time
from collections.abc import Callable

from transcoder.app.answer import Answer
from transcoder.core.answer.function_url import ResponseHead
from transcoder.core.answer.metrics import Value
from transcoder.errors import DailyLimitError

_DAY_SECONDS = 24 * 3600


class DailyBytes:
    """Counts the bytes of response bodies since midnight.

    The limit is approximate: each environment counts for itself and forgets the count when it ends, and a response that has begun is sent
    to its end.
    """

    def __init__(self, limit: int, now: Callable[[], float] = time.time) -> None:
        """Allow `limit` bytes a day, or any number if it is 0; `now` returns the seconds since 1970."""
        self._limit = limit
        self._now = now
        self._day = 0
        self._sent = 0

    def check(self) -> None:
        """Check that another response may begin.

        Raises:
            DailyLimitError: as many bytes have been sent today as are allowed.
        """
        self._begin_day()
        if self._limit and self._sent >= self._limit:
            message = "This service has sent as many bytes today as its operator allows. It serves again after midnight (UTC)."
            raise DailyLimitError(message)

    def counted(self, answer: Answer) -> Answer:
        """Return `answer`, such that what is written to it is counted."""
        return _CountedAnswer(answer, self._add) if self._limit else answer

    def _add(self, count: int) -> None:
        self._begin_day()
        self._sent += count

    def _begin_day(self) -> None:
        today = int(self._now() // _DAY_SECONDS)
        if today != self._day:
            self._day, self._sent = today, 0


class _CountedAnswer:
    """An answer whose body is counted."""

    def __init__(self, answer: Answer, add: Callable[[int], None]) -> None:
        self._answer = answer
        self._add = add

    @property
    def started(self) -> bool:
        return self._answer.started

    @property
    def deadline(self) -> float | None:
        return self._answer.deadline

    def note(self, **fields: Value) -> None:
        self._answer.note(**fields)

    async def start(self, head: ResponseHead) -> None:
        await self._answer.start(head)

    async def write(self, chunk: bytes) -> None:
        await self._answer.write(chunk)
        self._add(len(chunk))
