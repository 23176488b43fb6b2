"""Reports of progress as they are received, from whoever answers."""

import json

import pytest

from transcoder.core.answer.progress_report import ProgressReport, read_report


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


MEMBERS = {"seconds": 1.5, "total_seconds": 6, "bytes": 3, "estimated_bytes": 12, "bytes_per_second": 2.5, "seconds_left": 18.2}


def report(**members: object) -> ProgressReport:
    found = read_report(json.dumps({"event": "progress", **members}).encode())
    assert found is not None
    return found


def test_each_member_of_a_report_is_read() -> None:
    assert report(**MEMBERS) == ProgressReport(1.5, 6.0, 3, 12, 2.5, 18.2)
    assert report() == ProgressReport(None, None, 0, None, None, None)
    first = read_report(json.dumps({"event": "resolved", **MEMBERS}).encode())
    assert first == ProgressReport(None, 1.5, 3, 12, 2.5, 18.2)


@pytest.mark.parametrize(
    ("number", "read"),
    [(0, 0.0), (0.5, 0.5), (-0.5, None), (1e17, 1e17), (1e18, None), (float("inf"), None), (float("nan"), None), ("1", None), ([], None)],
)
@pytest.mark.parametrize("name", ["seconds", "total_seconds", "bytes_per_second", "seconds_left"])
def test_only_numbers_that_can_be_shown_are_read(name: str, number: object, read: float | None) -> None:
    assert getattr(report(**{name: number}), name) == read


def test_nothing_made_yet_is_said_as_well_as_no_speed_and_no_time_left() -> None:
    assert str(report(seconds=0, total_seconds=6, bytes=0, bytes_per_second=0, seconds_left=0)) == (
        "0.0 of 6.0 s, 0.0 MB, 0.0 MB/s, 0 s left"
    )
    assert str(report(seconds=0, total_seconds=0, estimated_bytes=0)) == "0.0 MB"
