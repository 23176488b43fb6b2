"""The pace at which Lambda lets a streamed answer out.

Source: AWS Lambda developer guide, "Response streaming": the first 6 MB are not limited, then 2 MB/s. Lambda's own code for it is a token
bucket of 6 MiB, refilled by 256 KiB every 125 ms.
"""

import asyncio

CAPACITY = 6 * 1024 * 1024
REFILL = 256 * 1024
REFILL_SECONDS = 0.125


class TokenBucket:
    """As many bytes as may go out now; full at first."""

    def __init__(self) -> None:
        """Fill it."""
        self._tokens = CAPACITY
        self._filled = asyncio.get_running_loop().time()

    async def take(self, count: int) -> None:
        """Wait until `count` bytes may go out."""
        while count > 0:
            self._refill()
            now = min(count, self._tokens)
            self._tokens -= now
            count -= now
            if count:
                await asyncio.sleep(REFILL_SECONDS)

    def _refill(self) -> None:
        ticks = int((asyncio.get_running_loop().time() - self._filled) / REFILL_SECONDS)
        self._filled += ticks * REFILL_SECONDS
        self._tokens = min(CAPACITY, self._tokens + ticks * REFILL)
