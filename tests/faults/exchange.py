"""One request for a piece of a source, and the faults of the transfer that carries it."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from faults.borders import PACKET_BYTES
from faults.source import MOVED, Piece
from peers.origin_content import etag_of
from peers.origin_rules import Request, Rule, html

ByteSpan = tuple[int, int]
"""Start and stop."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and the response that an undisturbed origin would send."""

    request: Request
    piece: Piece
    base: str
    """The origin's address."""
    body: bytes
    """The resource that the response is taken from."""
    served: ByteSpan | None
    """The requested range of it; None if the origin sends the whole resource."""
    compressed: bool

    @property
    def size(self) -> int:
        """How long the response body is."""
        if self.compressed:
            return len(gzip.compress(self.body, compresslevel=1))
        return len(self.body) if self.served is None else self.served[1] - self.served[0]

    def offset(self, fraction: float) -> int:
        """Return where in the response body a fraction of the piece has been sent."""
        length = len(self.body) if self.piece.stop is None else self.piece.stop - self.piece.start
        if self.served is not None:
            return int(fraction * self.size)
        return int((self.piece.start + fraction * length) / max(1, len(self.body)) * self.size)


Transport = Callable[[Rule, Exchange], Rule]
"""Returns the rule of an undisturbed response with a fault in its transfer."""
TransportMaker = Callable[[Random], Transport]
"""Draws the details of a fault."""


def undisturbed(rule: Rule, exchange: Exchange) -> Rule:  # noqa: ARG001  # a `Transport`
    return rule


def status(code: int) -> TransportMaker:
    return lambda _: lambda rule, _: replace(rule, status=code, body=None)


def reset(random: Random) -> Transport:
    fraction = random.choice([0.0, random.random()])
    return lambda rule, exchange: replace(rule, cut_after=exchange.offset(fraction), reset=True)


def close_early(random: Random) -> Transport:
    fraction = random.random()
    return lambda rule, exchange: replace(rule, cut_after=exchange.offset(fraction))


def stall(random: Random) -> Transport:
    fraction = random.random()
    return lambda rule, exchange: replace(rule, stall_after=exchange.offset(fraction))


def trickle(random: Random) -> Transport:
    chunks = random.randint(4, 40)
    return lambda rule, exchange: replace(rule, trickle=(exchange.size // chunks + 1, 0.02))


def delay(random: Random) -> Transport:
    seconds = random.choice([0.2, 0.5, 1.5])
    return lambda rule, _: replace(rule, delay=seconds)


def chunked_cut(random: Random) -> Transport:
    fraction = random.random()
    return lambda rule, exchange: replace(rule, chunked=True, cut_after=exchange.offset(fraction))


def cut_without_length(random: Random) -> Transport:
    fraction = random.random()
    return lambda rule, exchange: replace(rule, no_length=True, cut_after=exchange.offset(fraction))


def length_more(random: Random) -> Transport:
    count = random.choice([1, 188, random.randint(2, 50_000)])
    return lambda rule, exchange: replace(rule, content_length=exchange.size + count)


def length_less(random: Random) -> Transport:
    fraction = random.random()
    return lambda rule, exchange: replace(rule, content_length=max(1, exchange.offset(fraction)))


def empty(random: Random) -> Transport:  # noqa: ARG001  # a `TransportMaker`
    return lambda rule, _: replace(rule, status=None, body=b"", ignore_range=True, gzip=False)


def web_page(random: Random) -> Transport:
    length = random.choice([500, random.randint(200, 60_000)])
    fields = {"Content-Type": "text/html", "Content-Range": ""}
    return lambda rule, _: replace(rule, status=200, body=html(length), headers={**rule.headers, **fields})


def range_ignored(random: Random) -> Transport:  # noqa: ARG001  # a `TransportMaker`
    return lambda rule, _: replace(rule, ignore_range=True)


def wrong_content_range(random: Random) -> Transport:
    """Label the range that was asked for as another one."""
    shift = random.choice([-188, -1, 1, 188])

    def labelled(rule: Rule, exchange: Exchange) -> Rule:
        if exchange.served is None:
            return rule
        start, stop = exchange.served[0] + shift, exchange.served[1] + shift
        return replace(rule, content_range=f"bytes {max(0, start)}-{max(0, stop) - 1}/{max(stop, len(exchange.body))}")

    return labelled


def shifted_range(random: Random) -> Transport:
    """Send other bytes, labelled as the range that was asked for."""
    shift = random.randint(1, PACKET_BYTES - 1)

    def shifted(rule: Rule, exchange: Exchange) -> Rule:
        if exchange.served is None:
            return rule
        start, stop = exchange.served
        at = start - shift if start >= shift else start + shift
        return _partial(rule, exchange, exchange.body[at : at + stop - start])

    return shifted


def short_range(random: Random) -> Transport:
    """Send less than the range that was asked for, labelled correctly."""
    fraction = random.uniform(0.05, 0.95)

    def short(rule: Rule, exchange: Exchange) -> Rule:
        if exchange.served is None:
            return rule
        start, stop = exchange.served
        return _partial(rule, exchange, exchange.body[start : start + max(1, int(fraction * (stop - start)))])

    return short


def _partial(rule: Rule, exchange: Exchange, part: bytes) -> Rule:
    assert exchange.served is not None
    start = exchange.served[0]
    fields = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(exchange.body)}", "Content-Type": "application/octet-stream"}
    fields |= {"ETag": etag_of(exchange.body)} if rule.etag is None else {}
    return replace(rule, status=206, body=part, headers={**rule.headers, **fields})


def gzip_cut(random: Random) -> Transport:
    """Send the beginning of a compressed body, with the right length of that beginning."""
    fraction = random.uniform(0.02, 0.98)

    def compressed(rule: Rule, exchange: Exchange) -> Rule:
        body = gzip.compress(exchange.body, compresslevel=1)
        whole = replace(exchange, served=None, compressed=True)
        fields = {"Content-Encoding": "gzip", "Content-Type": "application/octet-stream"}
        return replace(rule, status=200, body=body[: whole.offset(fraction)], headers={**rule.headers, **fields})

    return compressed


def redirect_relative(random: Random) -> Transport:  # noqa: ARG001  # a `TransportMaker`
    return lambda rule, exchange: replace(rule, redirect=f"{MOVED[1:]}{exchange.piece.path}")


def redirect_absolute(random: Random) -> Transport:
    code = random.choice([301, 302, 303, 307, 308])
    return lambda rule, exchange: replace(rule, redirect=f"{exchange.base}{MOVED}{exchange.piece.path}", status=code)


def redirect_loop(random: Random) -> Transport:  # noqa: ARG001  # a `TransportMaker`
    return lambda rule, exchange: replace(rule, redirect=exchange.piece.path)
