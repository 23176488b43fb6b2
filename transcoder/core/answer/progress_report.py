"""What is reported of the progress of an output, and how such a report is read that was received."""

import json
from typing import NamedTuple

_BEYOND_MEASURE = 1e18


class ProgressReport(NamedTuple):
    """How far an output is; what is not known is None."""

    seconds: float | None
    """Of the output, that are made."""
    total_seconds: float | None
    bytes: int
    """That are made; of a report of the function, that it has received."""
    estimated_bytes: int | None
    """Of the whole output; from the segments that have come, once they say more than the playlist."""
    bytes_per_second: float | None
    seconds_left: float | None
    """Until the output is whole."""
    segments: int | None = None
    """That are in the output as far as it is made."""
    total_segments: int | None = None
    path: str | None = None
    """Where the output is written; `-` is standard output."""

    def __str__(self) -> str:
        """Return the report as a line."""
        known = (
            f"{self.seconds or 0.0:.1f} of {self.total_seconds:.1f} s" if self.total_seconds else "",
            f"{self.bytes / 1e6:.1f}" + (f" of about {self.estimated_bytes / 1e6:.1f} MB" if self.estimated_bytes else " MB"),
            f"{self.bytes_per_second / 1e6:.1f} MB/s" if self.bytes_per_second is not None else "",
            f"{self.seconds_left:.0f} s left" if self.seconds_left is not None else "",
        )
        return ", ".join(part for part in known if part)


def read_report(body: bytes) -> ProgressReport | None:
    """Return the report that `body` is; None if it is another one, or none at all."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("event") not in {"progress", "resolved"}:
        return None
    is_resolved = document["event"] == "resolved"
    return ProgressReport(
        None if is_resolved else _number(document.get("seconds")),
        _number(document.get("seconds" if is_resolved else "total_seconds")),
        int(_number(document.get("bytes")) or 0),
        None if (size := _number(document.get("estimated_bytes"))) is None else int(size),
        _number(document.get("bytes_per_second")),
        _number(document.get("seconds_left")),
    )


def _number(value: object) -> float | None:
    """Return a number that can be shown: neither negative nor beyond all measure."""
    return float(value) if isinstance(value, int | float) and 0 <= value < _BEYOND_MEASURE else None
