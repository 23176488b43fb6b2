import json

import pytest

from transcoder.core.answer.metrics import OK, Record, metric_line, text_line


def record(**notes: str | float) -> Record:
    return Record("f", "id", OK, 200, 12.5, 100.0, 5, 80.0, 1, notes)


def test_a_line_is_one_json_text_in_the_embedded_metric_format() -> None:
    line = metric_line(record(source_host="cdn.example", segments=3), epoch_ms=7)
    assert "\n" not in line
    values = json.loads(line)
    (directive,) = values["_aws"]["CloudWatchMetrics"]
    assert values["_aws"]["Timestamp"] == 7
    metrics = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert metrics["total_ms"] == "Milliseconds"
    assert metrics["segments"] == "Count"
    assert "source_host" not in metrics
    # CloudWatch drops a line that names a metric or a dimension without a value.
    assert all(isinstance(values[name], int | float) for name in metrics)
    assert all(isinstance(values[name], str) for names in directive["Dimensions"] for name in names)


def test_missing_measurements_are_left_out() -> None:
    values = json.loads(metric_line(Record("f", "id", "internal-error", None, None, 1.0, 0, 80.0, 0), epoch_ms=7))
    assert "first_byte_ms" not in values
    assert "status" not in values
    assert "first_byte_ms" not in json.dumps(values["_aws"])


def test_notes_override_other_fields() -> None:
    assert json.loads(metric_line(record(outcome="not-found"), epoch_ms=7))["outcome"] == "not-found"


def test_a_line_for_people() -> None:
    assert text_line(record(source_host="cdn.example"), "GET /download") == "GET /download (cdn.example): 200 ok, 5 bytes in 0.10 s"
    unanswered = Record("f", "id", "internal-error", None, None, 1500.0, 5_000_000, 80.0, 0)
    assert text_line(unanswered, "GET /info") == "GET /info: internal-error, 5.0 MB in 1.50 s"


@pytest.mark.parametrize(("sent", "text"), [(99_999, "99999 bytes"), (100_000, "0.1 MB")])
def test_people_read_megabytes_from_a_tenth_of_one_on(sent: int, text: str) -> None:
    assert text_line(record()._replace(bytes=sent), "GET /info") == f"GET /info: 200 ok, {text} in 0.10 s"


def test_a_line_has_all_measurements_and_the_unit_of_each() -> None:
    """The units are those of CloudWatch ("MetricDatum"): a metric of another one is dropped."""
    values = json.loads(metric_line(record(source_host="cdn.example", segments=3, retries=0), epoch_ms=7))
    (directive,) = values.pop("_aws")["CloudWatchMetrics"]
    assert values == {
        "function": "f",
        "request_id": "id",
        "outcome": "ok",
        "status": 200,
        "first_byte_ms": 12.5,
        "total_ms": 100.0,
        "bytes": 5,
        "peak_rss_mib": 80.0,
        "cold_start": 1,
        "source_host": "cdn.example",
        "segments": 3,
        "retries": 0,
    }
    assert (directive["Namespace"], directive["Dimensions"]) == ("Transcoder", [["function"], ["function", "outcome"]])
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        **dict.fromkeys(("first_byte_ms", "total_ms"), "Milliseconds"),
        **dict.fromkeys(("segments", "retries", "cold_start"), "Count"),
        "bytes": "Bytes",
        "peak_rss_mib": "Megabytes",
    }
