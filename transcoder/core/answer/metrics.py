"""The log line of an invocation: one line of JSON from which CloudWatch extracts metrics, so that no agent is needed.

Source: Amazon CloudWatch user guide, "Specification: Embedded metric format".
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NAMESPACE = "Transcoder"
UNITS = {
    "first_byte_ms": "Milliseconds",
    "total_ms": "Milliseconds",
    "bytes": "Bytes",
    "segments": "Count",
    "retries": "Count",
    "peak_rss_mib": "Megabytes",
    "cold_start": "Count",
}
"""The fields that are metrics, and their units."""

_SMALL_BYTES = 100_000

Value = str | int | float
OK = "ok"
"""The outcome of an invocation whose response is complete."""


class Record(NamedTuple):
    """The measurements of one finished invocation."""

    function: str
    request_id: str
    outcome: str
    """`ok`, or the slug of the failure."""
    status: int | None
    """The HTTP status, if a response was started."""
    first_byte_ms: float | None
    """From the event to the first byte of the response, if there was one."""
    total_ms: float
    bytes: int
    """The size of the response body."""
    peak_rss_mib: float
    """The peak resident memory of this process, plus that of its largest child process."""
    cold_start: int
    """1 for the first invocation of a process, otherwise 0."""
    notes: Mapping[str, Value] = MappingProxyType({})
    """Fields that the application adds; they override the fields above."""


def metric_line(record: Record, *, epoch_ms: int) -> str:
    """Return `record` as one line in the embedded metric format, with metrics per function and per function and outcome."""
    values = {name: value for name, value in record._asdict().items() if name != "notes" and value is not None} | dict(record.notes)
    metrics = [{"Name": name, "Unit": unit} for name, unit in UNITS.items() if isinstance(values.get(name), int | float)]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["function"], ["function", "outcome"]], "Metrics": metrics}
    return json.dumps({"_aws": {"Timestamp": epoch_ms, "CloudWatchMetrics": [directive]}, **values})


def text_line(record: Record, request: str) -> str:
    """Return `record` as one line for people: what was asked for, how it ended, how much was sent, and how long it took."""
    source, outcome = record.notes.get("source_host", ""), record.notes.get("outcome", record.outcome)
    status = "" if record.status is None else f"{record.status} "
    sent = f"{record.bytes / 1e6:.1f} MB" if record.bytes >= _SMALL_BYTES else f"{record.bytes} bytes"
    return f"{request}{f' ({source})' if source else ''}: {status}{outcome}, {sent} in {record.total_ms / 1000:.2f} s"
