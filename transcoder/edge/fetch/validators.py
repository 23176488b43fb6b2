"""The header fields that tell which bytes of which resource a response carries."""

import re
from typing import NamedTuple, Self

import httpx

from transcoder.edge.fetch.content_encoding import BodyDecoder


class ContentRange(NamedTuple):
    """A Content-Range (RFC 9110, 14.4); `stop` is the first byte after it."""

    start: int
    stop: int
    total: int | None
    """Length of the whole resource, if the origin gave it."""

    @classmethod
    def of(cls, response: httpx.Response) -> Self | None:
        """Read the Content-Range of `response`; None if it is missing or invalid."""
        match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", response.headers.get("Content-Range", "").strip(), re.ASCII)
        if match is None:
            return None
        found = cls(int(match[1]), int(match[2]) + 1, None if match[3] == "*" else int(match[3]))
        return found if found.start < found.stop <= (found.total or found.stop) else None


def length_after_416(response: httpx.Response) -> int | None:
    """Return the length of the whole resource that a 416 tells (RFC 9110, 15.5.17); None if it does not."""
    match = re.fullmatch(r"bytes \*/(\d{1,18})", response.headers.get("Content-Range", "").strip(), re.ASCII)
    return int(match[1]) if match else None


def content_length(response: httpx.Response) -> int | None:
    """Return how many bytes the body has by the Content-Length of `response`; None if there is none."""
    return int(response.headers["Content-Length"]) if "Content-Length" in response.headers else None


def total_length(response: httpx.Response) -> int | None:
    """Return the length of the whole resource, uncompressed; None if the response does not tell it."""
    if BodyDecoder(response).is_compressed:
        return None
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        served = ContentRange.of(response)
        return served.total if served else None
    return content_length(response) if response.status_code == httpx.codes.OK else None


class Validators(NamedTuple):
    """The header fields that show whether two responses carry the same resource (RFC 9110, 8.8)."""

    etag: str | None
    """Only a strong one: a weak ETag does not guarantee identical bytes."""
    modified: str | None
    length: int | None
    """Length of the whole resource, if it is known and the body is not compressed."""

    @classmethod
    def of(cls, response: httpx.Response, length: int | None) -> Self:
        """Read the validators of `response`, whose whole resource has that length."""
        etag = response.headers.get("ETag")
        return cls(None if etag is None or etag.startswith("W/") else etag, response.headers.get("Last-Modified"), length)

    def completed_by(self, other: Self) -> Self:
        """Return these fields, and the other's where these have none."""
        return type(self)(self.etag or other.etag, self.modified or other.modified, other.length if self.length is None else self.length)

    def allow_same(self, other: Self) -> bool:
        """Return whether both may describe the same bytes: no field that both have differs.

        The dates do not matter where both have the same ETag: servers that share a file need not have written it at the same time.
        """
        ours, theirs = (each._replace(modified=None) if self.etag and self.etag == other.etag else each for each in (self, other))
        return all(mine is None or yours is None or mine == yours for mine, yours in zip(ours, theirs, strict=True))
