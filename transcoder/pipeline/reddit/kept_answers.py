"""What Reddit answered a short while ago, so that many visitors with one link make one request."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_ANSWERS = 128


class KeptAnswers(Generic[T]):
    """Keeps a number of answers, each for its time."""

    def __init__(self, limit: int = MAX_ANSWERS) -> None:
        """Keep at most `limit` answers; the oldest is forgotten first."""
        self._limit = limit
        self._answers: dict[Hashable, tuple[T, float]] = {}

    def keep(self, name: Hashable, answer: T, *, until: float) -> None:
        """Keep an answer until a time in seconds."""
        self._answers.pop(name, None)
        self._answers[name] = answer, until
        if len(self._answers) > self._limit:
            del self._answers[next(iter(self._answers))]

    def get(self, name: Hashable, *, now: float) -> T | None:
        """Return the answer; None if there is none or its time is over."""
        answer, until = self._answers.get(name, (None, now))
        return answer if now < until else None
