"""The kinds of faults, and what each can happen to."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from faults import borders, changes, exchange
from faults.changes import Change
from faults.exchange import TransportMaker
from faults.source import Piece, Role, Source

Targets = Callable[[Source], list[Piece]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: a change of bytes, a fault of their transfer, or both."""

    targets: Targets
    change: Change | None = None
    transport: TransportMaker | None = None
    weight: float = 1.0
    """How often it is drawn, relative to the others."""
    undecodable: bool = False
    """Only decoding the output could show it: sizes, times and counts are intact."""
    of_ranges: bool = False
    """It concerns only responses to range requests; a transfer of a whole file is interrupted first."""


def anything(source: Source) -> list[Piece]:
    """Return all pieces; segments are the most likely to be hit."""
    segments = source.segments()
    return [*segments * 3, *source.of(Role.PLAYLIST, Role.MULTIVARIANT, Role.KEY, Role.INIT) * 2]


def media(source: Source) -> list[Piece]:
    """Return the segments; the first and the last of each track are as likely as all others together."""
    found = []
    for track in {piece.track: None for piece in source.segments()}:
        first, *middle, last = source.segments(track)
        found += [first, last] * (len(middle) // 2) + middle
    return found


def with_borders(find: changes.Borders, *suffixes: str) -> Targets:
    """Return the segments of these containers in which `find` finds a place."""
    return lambda source: [piece for piece in media(source) if piece.suffix in suffixes and find(source.clear(piece))]


def not_last(source: Source) -> list[Piece]:
    return [piece for piece in media(source) if piece.number + 1 < len(source.segments(piece.track))]


def alterable(source: Source) -> list[Piece]:
    """Return the segments with a payload that can be altered; audio in a transport stream has headers at any place."""
    return [piece for piece in media(source) if not (piece.suffix == "ts" and piece.track == "audio")]


def media_playlists(source: Source) -> list[Piece]:
    return source.of(Role.PLAYLIST)


def paired_playlists(source: Source) -> list[Piece]:
    found = source.of(Role.PLAYLIST)
    return found if len(found) > 1 else []


def init_sections(source: Source) -> list[Piece]:
    return source.of(Role.INIT)


def exchangeable_inits(source: Source) -> list[Piece]:
    return source.of(Role.INIT) if source.name == "faults-cmaf-byterange" else []


def framed(source: Source) -> list[Piece]:
    """Return the segments in which every few hundred bytes show where they belong; those of an MP4 are one large payload."""
    return [piece for piece in source.segments() if piece.suffix in {"ts", "aac"}]


STATUSES = (403, 404, 408, 410, 429, 500, 502, 503, 504)
TRANSFERS: dict[str, Kind] = {f"status-{code}": Kind(anything, transport=exchange.status(code), weight=0.4) for code in STATUSES} | {
    "reset": Kind(anything, transport=exchange.reset),
    "close-early": Kind(anything, transport=exchange.close_early),
    "stall": Kind(anything, transport=exchange.stall),
    "trickle": Kind(anything, transport=exchange.trickle, weight=0.5),
    "delay": Kind(anything, transport=exchange.delay, weight=0.5),
    "chunked-cut": Kind(anything, transport=exchange.chunked_cut),
    "no-length-cut": Kind(anything, transport=exchange.cut_without_length),
    "length-more": Kind(anything, transport=exchange.length_more),
    "length-less": Kind(anything, transport=exchange.length_less),
    "empty-200": Kind(anything, transport=exchange.empty),
    "html-200": Kind(anything, transport=exchange.web_page),
    "gzip-cut": Kind(anything, transport=exchange.gzip_cut),
    "range-ignored": Kind(Source.segments, transport=exchange.range_ignored, of_ranges=True),
    "range-mislabelled": Kind(Source.segments, transport=exchange.wrong_content_range, of_ranges=True),
    "range-shifted": Kind(framed, transport=exchange.shifted_range, of_ranges=True),
    "range-short": Kind(Source.segments, transport=exchange.short_range, of_ranges=True),
    "redirect-relative": Kind(anything, transport=exchange.redirect_relative, weight=0.5),
    "redirect-absolute": Kind(anything, transport=exchange.redirect_absolute, weight=0.5),
    "redirect-loop": Kind(anything, transport=exchange.redirect_loop, weight=0.5),
}
CHANGES: dict[str, Kind] = {
    "random-bytes": Kind(anything, changes.random_bytes),
    "cut-byte": Kind(media, changes.cut_anywhere),
    "cut-ts-packet": Kind(with_borders(borders.ts_packets, "ts"), changes.cut_at(borders.ts_packets)),
    "cut-pes": Kind(with_borders(borders.pes_starts, "ts"), changes.cut_at(borders.pes_starts)),
    "cut-frame": Kind(with_borders(borders.audio_frames, "aac"), changes.cut_at(borders.audio_frames)),
    "cut-box": Kind(with_borders(borders.boxes, "m4s", "mp4"), changes.cut_at(borders.boxes)),
    "cut-fragment": Kind(with_borders(borders.fragments, "m4s", "mp4"), changes.cut_at(borders.fragments)),
    "doubled": Kind(media, changes.doubled),
    "with-successor": Kind(not_last, changes.with_successor),
    "swapped": Kind(not_last, changes.swapped),
    "another-segment": Kind(media, changes.another_segment, weight=2.0),
    "init-cut": Kind(init_sections, changes.cut_anywhere),
    "init-swapped": Kind(exchangeable_inits, changes.another_init),
    **{
        f"playlist-cut-{cut.name.lower()}{'' if typed else '-untyped'}": Kind(
            media_playlists, changes.playlist_cut(cut, typed=typed), weight=0.7 if typed else 0.3
        )
        for cut in changes.Cut
        for typed in (True, False)
    },
    "entry-missing": Kind(media_playlists, changes.entry_missing),
    "playlist-thinned": Kind(paired_playlists, changes.thinned),
    "endlist-missing": Kind(media_playlists, changes.end_missing, weight=0.5),
    "payload-altered": Kind(alterable, changes.altered_payload, undecodable=True),
}
KINDS: dict[str, Kind] = TRANSFERS | CHANGES


def draw_kind(random: Random) -> str:
    """Draw the name of a kind."""
    return random.choices(list(KINDS), [kind.weight for kind in KINDS.values()])[0]
