"""Events as a client takes them: `text/event-stream` (HTML standard, "Server-sent events"), or one JSON text a line (NDJSON)."""

import json
from collections.abc import Mapping
from enum import Enum

from transcoder.core.answer.accept import names_type

END_ID = "end"
"""The id of the last event. A client that sends it back as Last-Event-ID has everything."""


class EventFormat(Enum):
    """A format of events; its value is the media type."""

    EVENT_STREAM = "text/event-stream"
    NDJSON = "application/x-ndjson"

    @property
    def keep_alive(self) -> bytes:
        """What is sent while there is nothing to say: a comment, or a line that says so, since NDJSON has no comments."""
        return b": waiting\n\n" if self is EventFormat.EVENT_STREAM else b'{"event": "waiting"}\n'

    def encode(self, document: Mapping[str, str | float | int | None], *, event_id: str) -> bytes:
        """Return an event; its member `event` is its kind."""
        text = json.dumps(document)  # without line breaks
        if self is EventFormat.NDJSON:
            return f"{text}\n".encode()
        return f"id: {event_id}\nevent: {document['event']}\ndata: {text}\n\n".encode()


def accepted_format(accept: str) -> EventFormat:
    """Return the format that an Accept header names; an event stream if it names none of them."""
    return EventFormat.NDJSON if names_type(accept, EventFormat.NDJSON.value) else EventFormat.EVENT_STREAM
