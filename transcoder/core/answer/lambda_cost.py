"""How long Lambda takes to stream a response, and what a download costs on AWS.

The prices are list prices of us-east-1 without free tiers, as found in November 2026 on the pricing pages of AWS Lambda and Amazon
CloudFront and in copies of them. The processor time was measured by `make budget`, which compares the model with it again.
"""

from typing import NamedTuple

BURST_BYTES = 6 * 1024 * 1024
BYTES_PER_SECOND = 2 * 1024 * 1024
"""How fast Lambda streams a response after the burst (AWS Lambda developer guide, "Response streaming", bandwidth limits)."""
MIB_PER_PROCESSOR = 1769
"""The memory with which a function has one processor (AWS Lambda developer guide, "Configure Lambda function memory")."""
MEMORY_MIB = 1024
"""What the stack configures unless it is told otherwise; on arm64."""

DOLLARS_PER_REQUEST = 0.0000002
DOLLARS_PER_GIB_SECOND = 0.0000133334
"""On arm64; on x86_64 $0.0000166667."""
DOLLARS_PER_STREAMED_GIB = 0.008
"""For what a response has beyond the burst."""
DOLLARS_PER_CLOUDFRONT_GIB = 0.085
"""The first price tier in Europe and North America."""
DOLLARS_PER_CLOUDFRONT_REQUEST = 0.000001
GIB = 1024**3

FIRST_BYTE_SECONDS = 1.0
"""How long a function waits for playlists and first segments, by a generous guess: it depends on the origin."""
CALIBRATION_SECONDS = 0.4
"""How long bench/calibration.py takes on the processor that the following seconds are those of."""
PROCESSOR_SECONDS_PER_DOWNLOAD = 0.05
PROCESSOR_SECONDS_PER_GB = 7.0
"""Of output made of transport streams, remuxed and not re-encoded."""
PROCESSOR_SECONDS_PER_FRAGMENTED_GB = 4.5
"""The same, made of fragmented MP4."""


class Cost(NamedTuple):
    """What one download costs, in dollars, and what of Lambda it takes."""

    gib_seconds: float
    on_lambda: float
    """Request, compute, and streaming beyond the burst."""
    on_cloudfront: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.on_lambda + self.on_cloudfront


def lambda_seconds(size: int) -> float:
    """Return how many seconds Lambda takes to stream `size` bytes."""
    return max(0, size - BURST_BYTES) / BYTES_PER_SECOND


def processor_seconds(size: int, *, fragmented: bool) -> float:
    """Return how many seconds of one processor an output of `size` bytes takes; `fragmented`: its source is fragmented MP4."""
    per_gb = PROCESSOR_SECONDS_PER_FRAGMENTED_GB if fragmented else PROCESSOR_SECONDS_PER_GB
    return PROCESSOR_SECONDS_PER_DOWNLOAD + per_gb * size / 1e9


def download_cost(size: int, *, fragmented: bool, memory_mib: int = MEMORY_MIB) -> Cost:
    """Return what a download of `size` bytes costs, from an origin that is faster than Lambda sends, and without a cold start."""
    processors = min(1.0, memory_mib / MIB_PER_PROCESSOR)
    seconds = FIRST_BYTE_SECONDS + max(lambda_seconds(size), processor_seconds(size, fragmented=fragmented) / processors)
    gib_seconds = seconds * memory_mib / 1024
    streamed = max(0, size - BURST_BYTES) / GIB * DOLLARS_PER_STREAMED_GIB
    return Cost(
        gib_seconds,
        DOLLARS_PER_REQUEST + gib_seconds * DOLLARS_PER_GIB_SECOND + streamed,
        DOLLARS_PER_CLOUDFRONT_REQUEST + size / GIB * DOLLARS_PER_CLOUDFRONT_GIB,
    )
