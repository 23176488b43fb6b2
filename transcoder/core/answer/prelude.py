"""Reads the prelude of a streamed response as an SDK receives it: in front of the body. Only a Function URL removes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES, PRELUDE_END
from transcoder.errors import InvocationError


@dataclass(frozen=True, slots=True)
class ReceivedHead:
    """The status and headers of a received response."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Keyed by lower-case name."""


class PreludeReader:
    """Separates the prelude from the body of a payload that arrives in pieces of any size."""

    def __init__(self) -> None:
        """Start at the beginning of a payload."""
        self._buffer = bytearray()
        self.head: ReceivedHead | None = None
        """None until the prelude is complete."""

    def feed(self, piece: bytes) -> bytes:
        """Return the part of the next piece that belongs to the body.

        Raises:
            InvocationError: the payload does not begin with a valid prelude of at most `MAX_PRELUDE_BYTES`.
        """
        if self.head is not None:
            return piece
        self._buffer += piece
        end = self._buffer.find(PRELUDE_END, 0, MAX_PRELUDE_BYTES)
        if end < 0:
            if len(self._buffer) >= MAX_PRELUDE_BYTES:
                raise InvocationError(f"The response has no prelude in its first {MAX_PRELUDE_BYTES} bytes.")
            return b""
        self.head = _parse_head(bytes(self._buffer[:end]))
        body = bytes(self._buffer[end + len(PRELUDE_END) :])
        self._buffer.clear()
        return body


def _parse_head(prelude: bytes) -> ReceivedHead:
    try:
        fields = json.loads(prelude)
        headers = {str(name).lower(): str(value) for name, value in (fields.get("headers") or {}).items()}
        return ReceivedHead(HTTPStatus(fields.get("statusCode", 200)), headers)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvocationError(f"The response's prelude is not valid: {prelude[:100]!r}.") from error
