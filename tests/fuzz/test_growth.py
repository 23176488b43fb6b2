"""The work of every parser grows like its input, whatever the input repeats."""

import pytest
from fuzz.growth import measure
from fuzz.registry import PARSERS

MAX_BYTES = 256 * 1024
MAX_EXPONENT = 1.5
"""Between linear (1) and quadratic (2)."""
MAX_SECONDS_PER_BYTE = 50e-6
"""A few parsers are given a chance to count to a million for each hundred bytes."""


@pytest.mark.parametrize(("name", "run"), [(name, run) for name, parser in PARSERS.items() for run in parser.runs])
def test_work_grows_like_the_input(name: str, run: str) -> None:
    for _ in range(3):  # another process may have disturbed a measurement
        found = measure(PARSERS[name], run, max_bytes=MAX_BYTES, enough_exponent=MAX_EXPONENT)
        if found.exponent < MAX_EXPONENT:
            break
    assert found.exponent < MAX_EXPONENT, found
    assert found.seconds < MAX_SECONDS_PER_BYTE * found.size, found
