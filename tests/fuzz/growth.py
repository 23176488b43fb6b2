"""Measures how the work of a parser grows with its input: by processor time, with longer and longer inputs."""

import gc
import math
import time
from dataclasses import dataclass

from fuzz.parser import Parser

FIRST_BYTES = 1024
FACTOR = 8
"""How many times longer the longer of two compared inputs is."""
ENOUGH_SECONDS = 0.04
"""Longer measurements say enough; shorter ones are mostly noise."""
NOISE_SECONDS = 0.0005
"""Less than what is left of `ENOUGH_SECONDS` at an input that is `FACTOR` times shorter, if the work is quadratic."""
MOST_STEP = 16
"""How many times longer the next input may be than the last one."""


@dataclass(frozen=True)
class Growth:
    """How the work for one kind of input grows."""

    size: int
    """Bytes of the longest input."""
    seconds: float
    """Processor time for it."""
    exponent: float
    """1 if it takes twice as long for twice the input, 2 if four times; 0 if it is too short to tell."""


def measure(parser: Parser, run: str, *, max_bytes: int, enough_exponent: float = 0.0) -> Growth:
    """Parse longer and longer inputs until one takes long enough, or is `max_bytes` long; compare it with a shorter one.

    The time for the longest input is measured again only if the first one makes an exponent of `enough_exponent` or more: another time
    could only lower it.
    """
    make, size = parser.runs[run], FIRST_BYTES
    longer = make(size)
    while (seconds := cpu_seconds(parser, longer)) < ENOUGH_SECONDS and size < max_bytes:
        size = min(max_bytes, _next_size(size, seconds))
        longer = make(size)
    if seconds < ENOUGH_SECONDS:
        return Growth(size, seconds, 0.0)
    shorter = make(size // FACTOR)
    # The least of several times is the one that was disturbed least.
    least = min(cpu_seconds(parser, shorter) for _ in range(3))
    if _exponent(least, seconds) >= enough_exponent and seconds < 1:
        seconds = min(seconds, *(cpu_seconds(parser, longer) for _ in range(2)))
    return Growth(size, seconds, _exponent(least, seconds))


def _next_size(size: int, seconds: float) -> int:
    """Return the size that takes a little more than long enough if the work grows like the input, but not a much longer one."""
    return int(size * min(MOST_STEP, max(1.25, 1.1 * ENOUGH_SECONDS / seconds)))


def _exponent(shorter: float, longer: float) -> float:
    return math.log(longer / max(shorter, NOISE_SECONDS)) / math.log(FACTOR)


def cpu_seconds(parser: Parser, data: bytes) -> float:
    """Return the processor time that the parser needs for an input, whether it accepts it or not."""
    gc.disable()
    started = time.process_time()
    try:
        parser.parse(data)
    except parser.refusals:
        pass
    finally:
        seconds = time.process_time() - started
        gc.enable()
    return seconds
