"""How long an output takes to make, as far as that can be told beforehand."""

COPIED_BYTES_PER_SECOND = 25_000_000
"""How fast media is fetched and copied."""
ENCODED_SECONDS_PER_SECOND = 1.0
"""How many seconds of video are re-encoded in a second: about 1080p on one core."""


def making_seconds(*, estimated_bytes: int | None, encoded_seconds: float) -> float:
    """Return how many seconds it takes to copy so many bytes, and to re-encode so many seconds of video; 0 if their number is not known."""
    return (estimated_bytes or 0) / COPIED_BYTES_PER_SECOND + encoded_seconds / ENCODED_SECONDS_PER_SECOND
