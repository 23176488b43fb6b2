"""How long an output takes to make, as far as that is known."""

import pytest

from transcoder.core.output.making_time import making_seconds


@pytest.mark.parametrize(
    ("estimated_bytes", "encoded_seconds", "expected"),
    [(None, 0.0, 0.0), (None, 60.0, 60.0), (100_000_000, 0.0, 4.0), (50_000_000, 60.0, 62.0)],
)
def test_copying_and_encoding_take_time(estimated_bytes: int | None, encoded_seconds: float, expected: float) -> None:
    assert making_seconds(estimated_bytes=estimated_bytes, encoded_seconds=encoded_seconds) == pytest.approx(expected)
