"""Writes and reads `multipart/mixed` (RFC 2046, 5.1): several bodies in one, each with its own headers, as they come.

A body is whole only with its closing boundary: one that was cut has none, wherever it was cut.
"""

from collections.abc import Iterable, Mapping
from email.message import Message
from email.parser import BytesHeaderParser
from enum import Enum, auto
from typing import NamedTuple

from transcoder.core.answer.accept import MULTIPART_MIXED
from transcoder.errors import InvocationError

MAX_HEADER_BYTES = 16 * 1024
"""The headers of a part may have so many bytes together."""
_MAX_PADDING_BYTES = 64
"""So much white space may follow a boundary on its line."""


def part_head(boundary: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return what precedes the body of a part, which `PART_END` must follow."""
    lines = "".join(f"{name}: {text}\r\n" for name, text in headers)
    return f"--{boundary}\r\n{lines}\r\n".encode("ascii")


PART_END = b"\r\n"
"""What follows the body of a part. It belongs to the boundary after it."""


def closing_boundary(boundary: str) -> bytes:
    """Return what follows the last part."""
    return f"--{boundary}--\r\n".encode("ascii")


def boundary_of(content_type: str) -> str | None:
    """Return the boundary that a Content-Type names; None if it is not that of `multipart/mixed`, or names none."""
    message = Message()
    message["content-type"] = content_type
    return message.get_boundary() if message.get_content_type() == MULTIPART_MIXED else None


class PartStart(NamedTuple):
    """A part begins."""

    headers: Mapping[str, str]
    """Keyed by lower-case name."""


class PartEnd:
    """The part that has begun ends."""


Event = PartStart | PartEnd | bytes
"""What a reader finds; bytes are the next ones of the body of the part that has begun."""


class _At(Enum):
    PREAMBLE = auto()
    LINE = auto()
    """Behind a boundary, on its line."""
    HEADERS = auto()
    BODY = auto()
    END = auto()


class MultipartReader:
    """Takes a multipart body in pieces of any size. It holds the headers of one part, or as much as a boundary has."""

    def __init__(self, boundary: str) -> None:
        """Expect the parts that `boundary` separates."""
        self._delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
        self._buffer = bytearray(b"\r\n")  # the first boundary needs no line before it
        self._at = _At.PREAMBLE

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next piece; return what it completes.

        Raises:
            InvocationError: it is not the body of a multipart message, or a part has too many headers.
        """
        self._buffer += piece
        events: list[Event] = []
        while self._step(events):
            pass
        return events

    def end(self) -> None:
        """Take the end of the body.

        Raises:
            InvocationError: it has no closing boundary.
        """
        if self._at is not _At.END:
            raise InvocationError("The response broke off: it has no closing boundary.")

    def _step(self, events: list[Event]) -> bool:
        """Take what is next in the buffer; return whether more of it may be taken."""
        match self._at:
            case _At.PREAMBLE | _At.BODY:
                return self._take_body(events)
            case _At.LINE:
                return self._take_line()
            case _At.HEADERS:
                return self._take_headers(events)
            case _At.END:
                self._buffer.clear()
                return False

    def _take_body(self, events: list[Event]) -> bool:
        found = self._buffer.find(self._delimiter)
        # Without a boundary, all goes on but what may be the beginning of one.
        stop = found if found >= 0 else max(0, len(self._buffer) - len(self._delimiter) + 1)
        in_part = self._at is _At.BODY
        if in_part and stop:
            events.append(bytes(self._buffer[:stop]))
        del self._buffer[:stop]
        if found < 0:
            return False
        del self._buffer[: len(self._delimiter)]
        events += [PartEnd()] if in_part else []
        self._at = _At.LINE
        return True

    def _take_line(self) -> bool:
        if self._buffer.startswith(b"--"):
            self._at = _At.END
            return True
        end = self._buffer.find(b"\r\n")
        if end < 0 and len(self._buffer) <= _MAX_PADDING_BYTES:
            return False
        if end < 0 or self._buffer[:end].strip(b" \t"):
            raise InvocationError("The response is not valid: text follows a boundary.")
        del self._buffer[:end]  # the line break stays: headers that are none begin with an empty line
        self._at = _At.HEADERS
        return True

    def _take_headers(self, events: list[Event]) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if (end if end >= 0 else len(self._buffer)) > MAX_HEADER_BYTES:
            raise InvocationError(f"The response is not valid: the headers of a part have more than {MAX_HEADER_BYTES} bytes.")
        if end < 0:
            return False
        message = BytesHeaderParser().parsebytes(bytes(self._buffer[2 : end + 2]))
        events.append(PartStart({name.lower(): str(text) for name, text in message.items()}))
        del self._buffer[: end + 4]
        self._at = _At.BODY
        return True
