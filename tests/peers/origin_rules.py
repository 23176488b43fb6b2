"""How an origin may misbehave, and what it notes of each request."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """One request as it came, and what became of it."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By lower-case name."""
    status: int = 0
    """What was answered; 0 while nothing was."""
    sent: int = 0
    """Body bytes that the kernel took."""
    body: bytes = b""
    """What came with a POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a path answers. The fields can be combined; the default is a good answer."""

    times: int | None = None
    """For how many requests the rule holds; None means for all."""
    when: Callable[[Request], bool] | None = None
    """For which requests it holds, such as `lambda r: bool(r.query)` or `lambda r: "range" in r.headers`."""

    status: int | None = None
    """Answer with this status (and `body`, or a line of text) instead of the file."""
    redirect: str | None = None
    """Answer with `Location` (any form) and 302, or `status`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Additional or replacing header fields; an empty value leaves a field out."""
    body: bytes | None = None
    """These bytes instead of the file's; `garbage` and `html` make some of the same length."""

    delay: float = 0.0
    """Seconds before the answer begins."""
    cut_after: int | None = None
    """Close the connection after so many body bytes."""
    reset: bool = False
    """Close by RST where `cut_after` says, not in order."""
    stall_after: int | None = None
    """Send nothing more after so many body bytes, and keep the connection open."""
    trickle: tuple[int, float] | None = None
    """So many bytes at a time, with so many seconds between."""

    ignore_range: bool = False
    """Answer a Range request with 200 and the whole file."""
    content_range: str | None = None
    """A Content-Range other than the true one."""
    content_length: int | None = None
    """A Content-Length other than the true one."""
    no_length: bool = False
    """No Content-Length: the end of the connection is the end of the body."""
    chunked: bool = False
    """Chunked transfer coding."""
    gzip: bool = False
    """Compress the body, whatever was asked for."""
    etag: str | None = None
    """An ETag other than the hash of the content, quotes included; "" means none."""


GOOD = Rule()


def garbage(length: int, seed: int = 1) -> bytes:
    """Make random bytes, the same for the same seed."""
    return random.Random(seed).randbytes(length)  # noqa: S311 - nothing secret


def html(length: int) -> bytes:
    """Make an HTML page of exactly that length."""
    head, tail = b"<!DOCTYPE html><html><body><h1>Sorry</h1><!--", b"--></body></html>"
    return (head + b" " * (length - len(head) - len(tail)) + tail)[:length]
