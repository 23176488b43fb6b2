"""Faults in the bytes themselves: a piece is cut, doubled, exchanged or altered, and every length is right."""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from random import Random

from faults import borders
from faults.source import Piece, Role, Source
from peers.media_reader import listed_segments

Changed = Mapping[Piece, bytes]
"""What is sent instead of each of these pieces."""
Change = Callable[[Source, Piece, Random], Changed]
Borders = Callable[[bytes], list[int]]


def cut_at(find: Borders) -> Change:
    """Cut a segment at one of the places that `find` returns."""

    def cut(source: Source, piece: Piece, random: Random) -> Changed:
        clear = source.clear(piece)
        return {piece: source.sent(piece, clear[: random.choice(find(clear))])}

    return cut


def cut_anywhere(source: Source, piece: Piece, random: Random) -> Changed:
    """Cut what is sent, so that an encrypted segment rarely ends with a whole block."""
    content = source.content(piece)
    return {piece: content[: random.randrange(1, len(content))]}


def doubled(source: Source, piece: Piece, random: Random) -> Changed:  # noqa: ARG001  # a `Change`
    return {piece: source.sent(piece, source.clear(piece) * 2)}


def with_successor(source: Source, piece: Piece, random: Random) -> Changed:  # noqa: ARG001  # a `Change`
    return {piece: source.sent(piece, source.clear(piece) + source.clear(_neighbour(source, piece)))}


def swapped(source: Source, piece: Piece, random: Random) -> Changed:  # noqa: ARG001  # a `Change`
    """Exchange a segment and its successor."""
    other = _neighbour(source, piece)
    return {piece: source.sent(piece, source.clear(other)), other: source.sent(other, source.clear(piece))}


def another_segment(source: Source, piece: Piece, random: Random) -> Changed:
    """Send another segment of the same track."""
    other = random.choice([other for other in source.segments(piece.track) if other != piece])
    return {piece: source.sent(piece, source.clear(other))}


def _neighbour(source: Source, piece: Piece) -> Piece:
    return source.segments(piece.track)[piece.number + 1]


def random_bytes(source: Source, piece: Piece, random: Random) -> Changed:
    return {piece: random.randbytes(len(source.content(piece)))}


def altered_payload(source: Source, piece: Piece, random: Random) -> Changed:
    """Alter one byte of coded video or audio."""
    clear = bytearray(source.clear(piece))
    at = borders.payload_byte(bytes(clear), piece.suffix, random)
    clear[at] ^= 0x40 if clear[at] & 0x80 else 0x80  # neither makes a byte so small that it could be part of a start code
    return {piece: source.sent(piece, bytes(clear))}


def another_init(source: Source, piece: Piece, random: Random) -> Changed:
    """Send the initialization section of another rendition."""
    others = []
    for name in ("small.m3u8", "large.m3u8", "audio.m3u8"):
        init, _ = next(listed_segments(source.files[f"/{name}"].decode()))
        assert init is not None
        length, offset = map(int, init[1].split("@"))
        others.append(source.files[f"/{init[0]}"][offset : offset + length])
    return {piece: random.choice([other for other in others if other != source.content(piece)])}


class Cut(Enum):
    """Where a playlist is cut."""

    ENTRY = "after a whole entry"
    LINE = "after another line"
    TEXT = "inside a line"


def playlist_cut(where: Cut, *, typed: bool) -> Change:
    """Cut a Media Playlist somewhere after its first entry; unless `typed`, it does not say that it is VOD."""

    def cut(source: Source, piece: Piece, random: Random) -> Changed:
        text = source.content(piece).decode()
        text = text if typed else text.replace("#EXT-X-PLAYLIST-TYPE:VOD\n", "")
        entries = [match.end() for match in re.finditer(r"^[^#\n]+\n", text, re.MULTILINE)]
        lines = {match.end() for match in re.finditer(r"\n", text)}
        places = {
            Cut.ENTRY: entries[:-1],
            Cut.LINE: [at for at in sorted(lines - set(entries)) if entries[0] < at < entries[-1]],
            # "#EXT-X-ENDLIST" without its line feed is whole.
            Cut.TEXT: [at for at in range(entries[0], text.index("#EXT-X-ENDLIST") + len("#EXT-X-ENDLIST")) if at not in lines],
        }
        return {piece: text[: random.choice(places[where])].encode()}

    return cut


def entry_missing(source: Source, piece: Piece, random: Random) -> Changed:
    """Leave out an entry; in a source of one track one from the middle, because nothing shows that the first or the last is missing."""
    count = len(source.segments(piece.track)) - _ends_with_little(source, piece)
    alone = len(source.of(Role.PLAYLIST)) == 1
    return _without(source, piece, {random.randrange(1, count - 1) if alone else random.randrange(count)})


def thinned(source: Source, piece: Piece, random: Random) -> Changed:
    """Leave out the last entries of one of two renditions, or every other one."""
    count = len(source.segments(piece.track))
    last = set(range(count - random.randint(1, 4) - _ends_with_little(source, piece), count))
    return _without(source, piece, random.choice([last, set(range(1, count, 2))]))


def end_missing(source: Source, piece: Piece, random: Random) -> Changed:  # noqa: ARG001  # a `Change`
    return {piece: source.content(piece).replace(b"#EXT-X-ENDLIST\n", b"")}


def _ends_with_little(source: Source, piece: Piece) -> bool:
    """Return whether the last entry of a playlist has less than half the time of the first one, such as a single frame of audio.

    Audio may as well be so much longer than its video: nothing shows that such an entry alone is missing.
    """
    first, *_, last = re.findall(r"#EXTINF:([0-9.]+)", source.content(piece).decode())
    return float(last) < float(first) / 2


def _without(source: Source, piece: Piece, numbers: set[int]) -> Changed:
    """Return a playlist without some of its entries."""
    entries = re.compile(r"#EXTINF:[^\n]+\n(?:#EXT-X-BYTERANGE:[^\n]+\n)?[^#\n]+\n")
    text = source.content(piece).decode()
    for number, entry in enumerate(entries.findall(text)):
        text = text.replace(entry, "", 1) if number in numbers else text
    return {piece: text.encode()}
