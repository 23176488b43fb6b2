"""The beginning of a streamed answer as an SDK gets it: the prelude is in front of the body, and a Function URL alone takes it off."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES, PRELUDE_END
from transcoder.errors import InvocationError


@dataclass(frozen=True, slots=True)
class ReceivedHead:
    """Status and headers of an answer, as its receiver sees them."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""


class PreludeReader:
    """Takes a payload in any pieces, reads the prelude and gives what is body."""

    def __init__(self) -> None:
        """Begin before the prelude."""
        self._held = bytearray()
        self.head: ReceivedHead | None = None
        """None until the prelude is complete."""

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece, and give the part of it that is body.

        Raises:
            InvocationError: the payload does not begin with a prelude of at most `MAX_PRELUDE_BYTES`.
        """
        if self.head is not None:
            return piece
        self._held += piece
        end = self._held.find(PRELUDE_END, 0, MAX_PRELUDE_BYTES)
        if end < 0:
            if len(self._held) >= MAX_PRELUDE_BYTES:
                raise InvocationError(f"The answer has no prelude in its first {MAX_PRELUDE_BYTES} bytes.")
            return b""
        self.head = _head(bytes(self._held[:end]))
        body = bytes(self._held[end + len(PRELUDE_END) :])
        self._held.clear()
        return body


def _head(prelude: bytes) -> ReceivedHead:
    try:
        fields = json.loads(prelude)
        headers = {str(name).lower(): str(value) for name, value in (fields.get("headers") or {}).items()}
        return ReceivedHead(int(fields.get("statusCode", 200)), headers)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvocationError(f"The answer's prelude makes no sense: {prelude[:100]!r}.") from error
