"""How far an output has been made: measured by the pipeline, reported to whoever waits for it."""

from collections import deque
from typing import NamedTuple

_SPEED_SECONDS = 10.0
"""The speed is that of so many seconds."""


class Progress(NamedTuple):
    """How far an output has been made."""

    seconds: float
    """Of the output, that are written."""
    total_seconds: float
    """Of all of the output: by its header, or by the playlists while that is not known."""
    bytes: int
    """That have been received from origins."""
    estimated_bytes: int | None
    """That the output has, if the playlists allow an estimate."""
    segments: int
    """That have been received."""


class ProgressMeter:
    """Makes reports of a series of progresses: with the speed, and the time that is left."""

    def __init__(self, now: float) -> None:
        """Begin at `now`, in seconds of any clock."""
        self._started_at = now
        self._received: deque[tuple[float, int]] = deque([(now, 0)])

    def report(self, progress: Progress, now: float) -> dict[str, float | int | str | None]:
        """Return the members of a report on `progress` at `now`."""
        while len(self._received) > 1 and self._received[1][0] <= now - _SPEED_SECONDS:
            self._received.popleft()
        before, count = self._received[0]
        self._received.append((now, progress.bytes))
        return {
            "event": "progress",
            "seconds": round(progress.seconds, 3),
            "total_seconds": round(progress.total_seconds, 3),
            "bytes": progress.bytes,
            "estimated_bytes": progress.estimated_bytes,
            "bytes_per_second": round((progress.bytes - count) / max(now - before, 1e-3)),
            "seconds_left": self._seconds_left(progress, now),
        }

    def _seconds_left(self, progress: Progress, now: float) -> float | None:
        """Return how long making the rest takes, if it goes on as it did so far; None while nothing tells it."""
        if progress.seconds <= 0 or progress.total_seconds <= 0:
            return None
        return round((now - self._started_at) * max(0.0, progress.total_seconds / progress.seconds - 1), 1)
