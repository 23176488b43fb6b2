"""What `make budget` says of a figure."""

import pytest

from bench.budget import Check


@pytest.mark.parametrize(
    ("value", "is_within", "note"),
    [
        pytest.param(1.0, True, "", id="as much as the budget"),
        pytest.param(1.01, False, "  OVER BUDGET", id="more"),
        pytest.param(0.5, True, "  far below: lower the budget", id="half of it"),
    ],
)
def test_a_figure_over_its_budget_is_a_failure(value: float, *, is_within: bool, note: str) -> None:
    check = Check("ts", value, 1.0)
    assert check.is_within is is_within
    assert str(check).endswith(f"1.00{note}")


def test_a_budget_of_nothing_allows_nothing() -> None:
    assert Check("other packages", 0, 0).is_within
    assert not Check("other packages", 1, 0).is_within


def test_an_error_cannot_be_too_small() -> None:
    assert str(Check("model", 1.0, 20, is_error=True)).endswith("20.00")
    assert not Check("model", 21.0, 20, is_error=True).is_within
