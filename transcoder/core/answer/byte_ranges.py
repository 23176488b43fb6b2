"""Which part of a file of known length answers a request: Range, If-Range and If-None-Match (RFC 9110, 13 and 14)."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from transcoder.errors import RangeNotSatisfiableError, TooLargeError

_RANGE = r"(?ai)bytes=[ \t]*(\d{0,40})-(\d{0,40})[ \t]*"
"""Some clients ask for the rest of a file with the largest number that they know, which has 20 digits."""


class FilePart(NamedTuple):
    """The part that a response promises, and how much of it is sent."""

    status: HTTPStatus
    """200, 206 for a range, or 304 if the client has the file."""
    start: int
    stop: int
    """The first byte after the part."""
    end: int
    """Where sending stops: at `stop`, or before it if a response cannot be as long as that. Then it does not end as a whole one does."""

    def headers(self, length: int) -> list[tuple[str, str]]:
        """Return the headers that say which part of a file of `length` bytes it is; a 304 has none, or caches would keep its length."""
        if self.status is HTTPStatus.NOT_MODIFIED:
            return []
        found = [("content-range", f"bytes {self.start}-{self.stop - 1}/{length}")] if self.status is HTTPStatus.PARTIAL_CONTENT else []
        return [*found, ("x-content-length", str(self.stop - self.start))]


def requested_part(headers: Mapping[str, str], *, length: int, etag: str, limit: int, is_head: bool = False) -> FilePart:
    """Return the part of a file that a request with these headers gets, of which a response can have at most `limit` bytes.

    A range whose end the client named may be answered with less than that. One without an end must not: a client would take a shorter one
    for the rest of the file. Several ranges, or a malformed one, are as good as none.

    Raises:
        RangeNotSatisfiableError: the range has none of the bytes.
        TooLargeError: the whole file is asked for, and is longer than `limit`.
    """
    if not _tags(headers.get("if-none-match", "")).isdisjoint({etag, "*"}):
        return FilePart(HTTPStatus.NOT_MODIFIED, 0, 0, 0)
    text = headers.get("range", "") if headers.get("if-range", etag).strip() == etag and not is_head else ""
    match = re.fullmatch(_RANGE, text.strip()) if text else None
    if match and _is_range(match[1], match[2]):
        return _range(match[1], match[2], length, limit)
    if length > limit and not is_head:
        raise TooLargeError(
            f"The file has {length} bytes; one response can have at most {limit}. Request it in ranges (Range), each of at most 6 MiB, as "
            "`transcoder get --via` does."
        )
    return FilePart(HTTPStatus.OK, 0, length, length)


def _tags(text: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in text.split(",")}


def _is_range(first: str, last: str) -> bool:
    return bool(last) if not first else not last or int(last) >= int(first)


def _range(first: str, last: str, length: int, limit: int) -> FilePart:
    start = int(first) if first else max(0, length - int(last))
    if start >= length or (not first and not int(last)):
        raise RangeNotSatisfiableError(f"The file has {length} bytes; the requested range has none of them.")
    if first and last:
        stop = min(length, int(last) + 1, start + limit)
        return FilePart(HTTPStatus.PARTIAL_CONTENT, start, stop, stop)
    return FilePart(HTTPStatus.PARTIAL_CONTENT, start, length, min(length, start + limit))
