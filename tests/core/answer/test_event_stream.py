"""Events as clients take them: parsed here as the HTML standard says ("Server-sent events"), or as a line of JSON."""

import json

import pytest

from transcoder.core.answer.event_stream import END_ID, EventFormat, accepted_format

DOCUMENT: dict[str, str | float | int | None] = {"event": "progress", "title": "one\r\ntwo\u2028", "seconds": 1.5, "bytes": 3, "left": None}


def fields(event: bytes) -> dict[str, str]:
    """Return the fields of the only event that a client dispatches; comments are none of it."""
    text = event.decode()
    assert text.endswith("\n\n")
    lines = text.removesuffix("\n\n").split("\n")
    assert all(lines), "an empty line dispatches an event"
    return dict(line.split(": ", 1) for line in lines if not line.startswith(":"))


def test_an_event_has_its_id_its_kind_and_its_document() -> None:
    found = fields(EventFormat.EVENT_STREAM.encode(DOCUMENT, event_id="7"))
    assert json.loads(found.pop("data")) == DOCUMENT
    assert found == {"id": "7", "event": "progress"}


def test_a_document_is_one_line_of_json() -> None:
    line = EventFormat.NDJSON.encode(DOCUMENT, event_id="7")
    assert (line.count(b"\n"), line[-1:], json.loads(line)) == (1, b"\n", DOCUMENT)


def test_what_keeps_a_connection_alive_says_nothing() -> None:
    assert fields(EventFormat.EVENT_STREAM.keep_alive) == {}
    assert json.loads(EventFormat.NDJSON.keep_alive) == {"event": "waiting"}
    assert EventFormat.NDJSON.keep_alive.endswith(b"\n")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/event-stream, application/x-ndjson;q=0.1", "application/x-ndjson"),
        ("application/x-ndjson;q=0", "text/event-stream"),
        ("text/event-stream", "text/event-stream"),
        ("*/*", "text/event-stream"),
        ("", "text/event-stream"),
    ],
)
def test_lines_are_sent_to_whoever_names_them(accept: str, media_type: str) -> None:
    assert accepted_format(accept).value == media_type


def test_the_last_event_is_known_by_its_id() -> None:
    assert END_ID == "end"
