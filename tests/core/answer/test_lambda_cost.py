"""What a download costs on AWS, by hand."""

import re
from pathlib import Path

import pytest

from transcoder.core.answer.lambda_cost import CALIBRATION_SECONDS, download_cost, lambda_seconds, processor_seconds

MIB = 1024 * 1024
OPERATING = (Path(__file__).resolve().parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("mib", "dollars"),
    [pytest.param(10, 0.90, id="10 MiB"), pytest.param(100, 9.68, id="100 MiB"), pytest.param(190, 18.45, id="190 MiB")],
)
def test_a_thousand_clips_cost_what_the_table_in_the_documents_says(mib: int, dollars: float) -> None:
    assert 1000 * download_cost(mib * MIB, fragmented=False).total == pytest.approx(dollars, abs=0.01)


def test_nothing_beyond_the_burst_is_streamed_or_waited_for() -> None:
    cost = download_cost(6 * MIB, fragmented=True, memory_mib=1024)
    assert cost.gib_seconds == pytest.approx(1 + processor_seconds(6 * MIB, fragmented=True) * 1769 / 1024)
    assert cost.on_lambda == pytest.approx(0.0000002 + cost.gib_seconds * 0.0000133334)
    assert cost.on_cloudfront == pytest.approx(0.000001 + 6 / 1024 * 0.085)


def test_with_little_memory_the_processor_is_slower_than_the_response_is_sent() -> None:
    small, one, two = (download_cost(5 * MIB, fragmented=False, memory_mib=mib).gib_seconds * 1024 / mib for mib in (128, 1769, 3538))
    assert small == pytest.approx(1 + processor_seconds(5 * MIB, fragmented=False) * 1769 / 128)
    assert one == two == pytest.approx(1 + processor_seconds(5 * MIB, fragmented=False))


def test_a_long_response_takes_as_long_as_it_is_sent() -> None:
    cost = download_cost(100 * MIB, fragmented=False, memory_mib=1024)
    assert cost.gib_seconds == 1 + lambda_seconds(100 * MIB) == 48


def test_transport_streams_take_more_processor_time_than_fragments() -> None:
    assert processor_seconds(10**9, fragmented=False) > 1.5 * processor_seconds(10**9, fragmented=True)


def test_the_processor_time_is_that_of_the_documents() -> None:
    found = re.search(r"cpu += ([\d.]+) \+ B \S ([\d.]+) / GB .*; ([\d.]+) instead of \2 for fragmented MP4", OPERATING)
    assert found
    once, streams, fragments = map(float, found.groups())
    for size in (0, 3 * 10**8):
        assert processor_seconds(size, fragmented=False) == pytest.approx(once + streams * size / 10**9)
        assert processor_seconds(size, fragmented=True) == pytest.approx(once + fragments * size / 10**9)
    assert f"on which `bench/calibration.py` takes {CALIBRATION_SECONDS} s" in " ".join(OPERATING.split())


@pytest.mark.parametrize(("size", "seconds"), [(0, 0.0), (6 * MIB, 0.0), (6 * MIB + 1, 1 / (2 * MIB)), (8 * MIB, 1.0), (106 * MIB, 50.0)])
def test_lambda_streams_two_mebibytes_a_second_after_the_first_six(size: int, seconds: float) -> None:
    """AWS Lambda developer guide, "Response streaming"."""
    assert lambda_seconds(size) == pytest.approx(seconds)
