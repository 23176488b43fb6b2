"""The 33-bit clock of transport streams and of HLS packed audio (ISO/IEC 13818-1, 2.4.3.7)."""

CLOCK_HZ = 90_000
WRAP_SECONDS = 2**33 / CLOCK_HZ
_HALF_WRAP = WRAP_SECONDS / 2
MAX_REORDERING_SECONDS = 0.5
"""Timestamps may step back by this much within a segment: packagers that write no decode times show the order of presentation."""


def unwrap(seconds: float, near: float) -> float:
    """Return the time congruent to `seconds` modulo 2^33 / 90000 s that is nearest to `near`."""
    if -_HALF_WRAP < near - seconds < _HALF_WRAP:
        return seconds
    return seconds + WRAP_SECONDS * round((near - seconds) / WRAP_SECONDS)
