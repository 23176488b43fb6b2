"""How long Lambda takes to stream a response, and what a download costs there."""

BURST_BYTES = 6 * 1024 * 1024
BYTES_PER_SECOND = 2 * 1024 * 1024
"""How fast Lambda streams a response after the burst (AWS Lambda developer guide, "Response streaming", bandwidth limits)."""


def lambda_seconds(size: int) -> float:
    """Return how many seconds Lambda takes to stream `size` bytes."""
    return max(0, size - BURST_BYTES) / BYTES_PER_SECOND
