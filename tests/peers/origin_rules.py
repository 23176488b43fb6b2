"""How a test origin misbehaves, and what it records about each request."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """One request, and how it was answered."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By lower-case name."""
    status: int = 0
    """Status of the response; 0 before it is sent."""
    sent: int = 0
    """Body bytes that the kernel accepted."""
    body: bytes = b""
    """Body of a POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How the origin answers a path. The fields can be combined; the default is a correct response."""

    times: int | None = None
    """How many requests the rule applies to; None means all."""
    when: Callable[[Request], bool] | None = None
    """Which requests the rule applies to, such as `lambda r: bool(r.query)` or `lambda r: "range" in r.headers`."""

    status: int | None = None
    """Answer with this status (and `body`, or one line of text) instead of the file."""
    redirect: str | None = None
    """Answer with this `Location` (absolute or relative) and 302, or `status`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header fields to add or replace; an empty value removes a field."""
    body: bytes | None = None
    """These bytes instead of the file's; `garbage` and `html` make bytes of a given length."""

    delay: float = 0.0
    """Seconds before the response begins."""
    cut_after: int | None = None
    """Close the connection after so many body bytes."""
    reset: bool = False
    """Close with RST where `cut_after` says, instead of an orderly close."""
    stall_after: int | None = None
    """Stop sending after so many body bytes, and keep the connection open."""
    trickle: tuple[int, float] | None = None
    """Bytes per chunk, and seconds between chunks."""
    trickle_head: tuple[int, float] | None = None
    """The same for the status line and the headers."""
    continues: float | None = None
    """Send `100 Continue` every so many seconds, and never a response."""

    ignore_range: bool = False
    """Answer a Range request with 200 and the whole file."""
    content_range: str | None = None
    """Replaces the correct Content-Range."""
    content_length: int | None = None
    """Replaces the correct Content-Length."""
    no_length: bool = False
    """No Content-Length: the body ends when the connection does."""
    chunked: bool = False
    """Chunked transfer coding."""
    gzip: bool = False
    """Compress the body, whatever the request accepts."""
    etag: str | None = None
    """Replaces the ETag, which is a hash of the content; with quotes; "" means none."""

    @property
    def has_dense_chunks(self) -> bool:
        """Whether chunks follow one another without a pause, and all of them are sent."""
        stops = self.cut_after is not None or self.stall_after is not None
        return self.chunked and self.trickle is not None and not self.trickle[1] and not stops


GOOD = Rule()


def garbage(length: int, seed: int = 1) -> bytes:
    """Return random bytes, the same for the same seed."""
    return random.Random(seed).randbytes(length)  # noqa: S311 - nothing secret


def html(length: int) -> bytes:
    """Return an HTML page of exactly that length."""
    head, tail = b"<!DOCTYPE html><html><body><h1>Sorry</h1><!--", b"--></body></html>"
    return (head + b" " * (length - len(head) - len(tail)) + tail)[:length]
