"""The origin of one run: what it answers is a function of the run, the requested bytes and the number of earlier requests for them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from faults.drawing import Feature, Run
from faults.exchange import Exchange
from faults.source import MOVED, Piece, Role
from peers.origin import Origin, origin
from peers.origin_content import etag_of, parse_range
from peers.origin_rules import Request, Rule

_WITHOUT_RANGES = Rule(ignore_range=True, headers={"Accept-Ranges": ""})
FEATURES = {
    Feature.PLAIN: Rule(),
    Feature.NO_VALIDATORS: Rule(etag=""),
    Feature.NO_RANGES: _WITHOUT_RANGES,
    Feature.NEITHER: replace(_WITHOUT_RANGES, etag=""),
    # What is compressed on the way out has no ranges, as with nginx.
    Feature.GZIP: replace(_WITHOUT_RANGES, gzip=True),
}


@contextmanager
def faulty_origin(run: Run) -> Iterator[Origin]:
    """Serve the source of a run, with its fault, for the length of a block."""
    files = run.source.files
    with origin(files | {MOVED + path: content for path, content in files.items()}) as server:
        behaviour = _Behaviour(run, server.base)
        server.resource_of = behaviour.resource_of
        server.decide = behaviour.decide
        yield server


class _Behaviour:
    def __init__(self, run: Run, base: str) -> None:
        self._run = run
        self._base = base

    def resource_of(self, request: Request) -> str:
        """Name a piece and the purpose of its request: probes and the transfer overlap, and so their order is not certain."""
        return f"{request.path} {self._piece(request)} {self._purpose(request)}"

    def decide(self, request: Request, earlier: int) -> Rule:
        """Return the rule for a request for a resource that was asked for `earlier` times."""
        piece, fault, plain = self._piece(request), self._run.fault, self._plain(request)
        if piece not in fault.pieces or request.path.startswith(MOVED):
            return plain
        exchange = self._exchange(request, piece, plain)
        if fault.of_ranges and piece.stop is None and self._purpose(request) == "transfer":
            if earlier == 0:
                return replace(plain, cut_after=exchange.offset(0.5))  # only what was interrupted is resumed by a range
            earlier -= 1
        if fault.lasts is not None and earlier >= fault.lasts:
            return plain
        changed = fault.changed.get(piece)
        return fault.transport(plain if changed is None else _changed(plain, exchange, changed), exchange)

    def _plain(self, request: Request) -> Rule:
        """Return the rule for an undisturbed response; origins compress playlists and media, and leave keys as they are."""
        rule, piece = FEATURES[self._run.feature], self._piece(request)
        return replace(rule, gzip=False) if piece and piece.role is Role.KEY else rule

    def _piece(self, request: Request) -> Piece | None:
        first = re.match(r"bytes=(\d+)-", request.headers.get("range", ""))
        return self._run.source.piece_at(request.path.removeprefix(MOVED), int(first[1]) if first else 0)

    def _purpose(self, request: Request) -> str:
        piece, requested = self._piece(request), request.headers.get("range", "")
        if requested.startswith("bytes=-"):
            return "end"
        return "start" if piece and piece.stop is None and re.fullmatch(r"bytes=0-\d+", requested) else "transfer"

    def _exchange(self, request: Request, piece: Piece, plain: Rule) -> Exchange:
        body, requested = self._run.source.files[piece.path], request.headers.get("range")
        served = None if requested is None or plain.ignore_range else parse_range(requested, len(body))
        return Exchange(request, piece, self._base, body, served, plain.gzip)


def _changed(plain: Rule, exchange: Exchange, changed: bytes) -> Rule:
    """Return the rule for a response in which a piece has other bytes."""
    piece, body = exchange.piece, exchange.body
    if piece.stop is None:
        return replace(plain, body=changed)
    if exchange.served is None:
        return replace(plain, body=body[: piece.start] + changed + body[piece.stop :])
    # A range reaches to the end of the other bytes if the end of the piece was asked for.
    start, stop = exchange.served
    part = changed[start - piece.start : None if stop >= piece.stop else stop - piece.start]
    if not part:
        return replace(plain, status=416)
    fields = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(body)}", "Content-Type": "video/mp4"}
    validator = {"ETag": etag_of(changed)} if plain.etag is None else {}
    return replace(plain, status=206, body=part, headers={**plain.headers, **fields, **validator})
