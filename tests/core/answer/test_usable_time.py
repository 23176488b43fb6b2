"""How much of the time of an invocation work may take."""

import pytest

from transcoder.core.answer.usable_time import usable_seconds


@pytest.mark.parametrize(
    ("remaining", "margin", "usable"), [(900, 5, 895), (10, 5, 5), (9.9, 5, 4.95), (4, 5, 2), (0, 5, 0), (30, 0, 30), (-1, 0, -0.5)]
)
def test_the_margin_is_left_and_half_of_what_remains_is_always_used(remaining: float, margin: float, usable: float) -> None:
    assert usable_seconds(remaining, margin=margin) == pytest.approx(usable)
