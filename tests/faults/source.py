"""The sources of the harness: the files of a set, and the pieces of them that a job asks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache

import fault_sets
import make_media
from peers.media_reader import Resource, listed_segments
from peers.source_files import files_in

MOVED = "/moved"
"""Every file is served under this folder too, which is where redirects lead."""
TRACKS = {
    "faults-ts-muxed": {"muxed": "main.m3u8"},
    "faults-ts-separate": {"video": "large.m3u8", "audio": "audio.m3u8"},
    "faults-cmaf-byterange": {"video": "large.m3u8", "audio": "audio.m3u8"},
    "faults-packed-aac": {"video": "large.m3u8", "audio": "audio.m3u8"},
    "faults-fragments": {"muxed": "main.m3u8"},
    "faults-aes-ts": {"muxed": "main.m3u8"},
    "faults-ts-hevc": {"muxed": "main.m3u8"},
    "faults-ts-camera": {"muxed": "main.m3u8"},
}
"""For each set, the Media Playlist of each track that a job for its best variant fetches."""


class Role(Enum):
    """What a piece is for."""

    MULTIVARIANT = "multivariant playlist"
    PLAYLIST = "playlist"
    INIT = "init"
    SEGMENT = "segment"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one entry of a playlist names: a file, or the bytes of it from `start` to `stop`."""

    path: str
    role: Role
    track: str = ""
    number: int = 0
    start: int = 0
    stop: int | None = None
    """None: the piece is the whole file."""

    def __str__(self) -> str:
        """Name the piece for a person."""
        return self.path if self.stop is None else f"{self.path}[{self.start}:{self.stop}]"

    @property
    def suffix(self) -> str:
        """The end of the file's name, which tells the container: ts, m4s, mp4, aac."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Source:
    """One set: its files by path, and its pieces in the order of the playlists."""

    name: str
    files: dict[str, bytes]
    pieces: tuple[Piece, ...]

    def content(self, piece: Piece) -> bytes:
        """Return the bytes of a piece as they are sent."""
        return self.files[piece.path][piece.start : piece.stop]

    def clear(self, piece: Piece) -> bytes:
        """Return the bytes of a piece before encryption."""
        return self.files[piece.path.replace("segment", "clear")] if self._is_encrypted(piece) else self.content(piece)

    def sent(self, piece: Piece, clear: bytes) -> bytes:
        """Return how `clear` would be sent in the place of a piece: encrypted, if the piece is."""
        return fault_sets.encrypt(clear, number=piece.number) if self._is_encrypted(piece) else clear

    def _is_encrypted(self, piece: Piece) -> bool:
        return self.name == "faults-aes-ts" and piece.role is Role.SEGMENT

    def segments(self, track: str = "") -> list[Piece]:
        """Return the segments of a track, or of all tracks."""
        return [piece for piece in self.of(Role.SEGMENT) if track in {"", piece.track}]

    def of(self, *roles: Role) -> list[Piece]:
        """Return the pieces that have one of these roles."""
        return [piece for piece in self.pieces if piece.role in roles]

    def piece_at(self, path: str, start: int) -> Piece | None:
        """Return the piece that byte `start` of a file belongs to; None if no job needs it."""
        for piece in self.pieces:
            if piece.path == path and (piece.stop is None or piece.start <= start < piece.stop):
                return piece
        return None


@cache
def source(name: str) -> Source:
    """Return a set by its name, which is made first if necessary."""
    files = files_in(make_media.media(name))
    return Source(name, files, tuple(dict.fromkeys(_pieces(files, TRACKS[name]))))


def _pieces(files: dict[str, bytes], tracks: dict[str, str]) -> Iterator[Piece]:
    if len(tracks) > 1:
        yield Piece("/main.m3u8", Role.MULTIVARIANT)
    for track, playlist in tracks.items():
        yield Piece(f"/{playlist}", Role.PLAYLIST, track)
        for number, (init, segment) in enumerate(listed_segments(files[f"/{playlist}"].decode())):
            if init is not None:
                yield _listed(init, Role.INIT, track, 0)
            yield _listed(segment, Role.SEGMENT, track, number)
    yield from (Piece(path, Role.KEY) for path in files if path.endswith(".key"))


def _listed(resource: Resource, role: Role, track: str, number: int) -> Piece:
    uri, byte_range = resource
    if not byte_range:
        return Piece(f"/{uri}", role, track, number)
    length, offset = map(int, byte_range.split("@"))
    return Piece(f"/{uri}", role, track, number, offset, offset + length)
