"""Times and sizes as people write them."""

import pytest

from transcoder.core.request.values import byte_count, moment
from transcoder.errors import BadRequestError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("90.5", 90.5), ("1:30", 90), ("01:02:03.250", 3723.25), ("0:05", 5), ("100000", 100_000), (" 7 ", 7)],
)
def test_reads_a_time(text: str, seconds: float) -> None:
    assert moment("start", text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:60", "1:2:3:4", "soon", "1e3", "nan", "1:99:00", "1.", "٣", "99999999"])
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"^start: .* is not a time"):
        moment("start", text)


@pytest.mark.parametrize(
    ("text", "count"),
    [("8MB", 8_000_000), ("8mb", 8_000_000), ("1.5 GB", 1_500_000_000), ("900kB", 900_000), ("500", 500), ("25M", 25_000_000)],
)
def test_reads_a_size(text: str, count: int) -> None:
    assert byte_count("fit", text) == count


@pytest.mark.parametrize("text", ["", "0", "0MB", "-8MB", "8 MiB", "big", "1e6", "8TB"])
def test_refuses_what_is_no_size(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"^fit: .* is not a size"):
        byte_count("fit", text)
