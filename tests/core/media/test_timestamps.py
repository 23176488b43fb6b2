import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.timestamps import WRAP_SECONDS, unwrap


@given(st.floats(0, 95_443), st.floats(0, 1e6))
def test_unwrapped_time_is_the_nearest_with_the_same_clock_value(seconds: float, near: float) -> None:
    time = unwrap(seconds, near)
    wraps = (time - seconds) / WRAP_SECONDS
    assert abs(time - near) <= WRAP_SECONDS / 2 + 1e-6
    assert wraps == pytest.approx(round(wraps))


def test_wrap_is_not_a_jump() -> None:
    assert unwrap(0.5, WRAP_SECONDS - 1) == pytest.approx(WRAP_SECONDS + 0.5)
    assert unwrap(WRAP_SECONDS - 1, 0.5) == pytest.approx(-1)
