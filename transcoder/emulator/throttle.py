"""The rate at which Lambda sends a streamed response.

Source: AWS Lambda developer guide, "Response streaming": the first 6 MB are not limited, then 2 MB/s. Lambda's own code for it is a token
bucket of 6 MiB, refilled by 256 KiB every 125 ms.
"""

import asyncio

CAPACITY = 6 * 1024 * 1024
REFILL = 256 * 1024
REFILL_SECONDS = 0.125


class TokenBucket:
    """A token bucket of bytes that may be sent now; it starts full."""

    def __init__(self) -> None:
        """Create a full bucket."""
        self._tokens = CAPACITY
        self._refilled_at = asyncio.get_running_loop().time()

    async def take(self, count: int) -> None:
        """Wait until `count` bytes may be sent."""
        while count > 0:
            self._refill()
            taken = min(count, self._tokens)
            self._tokens -= taken
            count -= taken
            if count:
                await asyncio.sleep(REFILL_SECONDS)

    def _refill(self) -> None:
        ticks = int((asyncio.get_running_loop().time() - self._refilled_at) / REFILL_SECONDS)
        self._refilled_at += ticks * REFILL_SECONDS
        self._tokens = min(CAPACITY, self._tokens + ticks * REFILL)
