"""Reports of progress as they are received, from whoever answers."""

import pytest

from transcoder.core.answer.progress_report import read_report


@pytest.mark.parametrize(
    ("body", "line"),
    [
        pytest.param(
            '{"event": "progress", "seconds": 1.5, "total_seconds": 6, "bytes": 1500000, "estimated_bytes": 6000000, '
            '"bytes_per_second": 250000, "seconds_left": 18.2}',
            "1.5 of 6.0 s, 1.5 of about 6.0 MB, 0.2 MB/s, 18 s left",
            id="all",
        ),
        pytest.param('{"event": "resolved", "seconds": 6, "title": "x"}', "0.0 of 6.0 s, 0.0 MB", id="the first"),
        pytest.param('{"event": "progress", "bytes": 2000000, "seconds_left": null}', "2.0 MB", id="what is not known"),
        pytest.param('{"event": "progress", "bytes": -1, "seconds": "x", "total_seconds": 1e300, "seconds_left": NaN}', "0.0 MB", id="odd"),
    ],
)
def test_a_report_is_a_line(body: str, line: str) -> None:
    assert str(read_report(body.encode())) == line


@pytest.mark.parametrize("body", ["", "[]", "7", '{"event": "other"}', '{"bytes": 1}', "[" * 100_000, "\xff"])
def test_what_is_no_report_is_none(body: str) -> None:
    assert read_report(body.encode("latin-1")) is None
