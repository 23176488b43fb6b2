"""Tests times and sizes as people write them."""

import pytest

from transcoder.core.request.values import parse_size, parse_time
from transcoder.errors import BadRequestError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("90.5", 90.5), ("1:30", 90), ("01:02:03.250", 3723.25), ("0:05", 5), ("100000", 100_000), (" 7 ", 7)],
)
def test_parses_a_time(text: str, seconds: float) -> None:
    assert parse_time("start", text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:60", "1:2:3:4", "soon", "1e3", "nan", "1:99:00", "1.", "٣", "99999999"])
def test_refuses_other_text_as_a_time(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"^start: .* is not a time"):
        parse_time("start", text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("8MiB", 8 * 2**20),
        ("1.5 KiB", 1536),
        ("8MB", 8_000_000),
        ("8mb", 8_000_000),
        ("1.5 GB", 1_500_000_000),
        ("900kB", 900_000),
        ("500", 500),
        ("25M", 25_000_000),
    ],
)
def test_parses_a_size(text: str, count: int) -> None:
    assert parse_size("fit", text) == count


@pytest.mark.parametrize("text", ["", "0", "0MB", "-8MB", "8 Mi", "8ib", "big", "1e6", "8TB"])
def test_refuses_other_text_as_a_size(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"^fit: .* is not a size"):
        parse_size("fit", text)
