"""Boxes, the boxes inside them, and the numbers in them (ISO/IEC 14496-12, 4.2)."""

import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple, Self

from transcoder.core.media.mp4.box_header import HEADER, HEADER_BYTES, BoxHeader, is_box_type, parse_header
from transcoder.core.media.mp4.box_limits import MAX_CHILDREN, are_too_many

_TWO_WORDS = struct.Struct(">II")


class Mp4Error(Exception):
    """These bytes are not valid MP4. `offset` counts from the first byte of the stream or the buffer that was read."""

    def __init__(self, offset: int, what: str) -> None:
        """Keep where the grammar is broken, and how."""
        super().__init__(f"at byte {offset}, {what}")
        self.offset = offset
        self.what = what


def read_box_header(data: bytes | bytearray, at: int = 0, *, end: int | None = None, origin: int = 0) -> BoxHeader | None:
    """Return the box header at `at`; None if `data`, or the box around it that ends at `end`, ends inside the header.

    `origin` is where `data` begins in its stream. Raises Mp4Error if no box begins there.
    """
    header = parse_header(data, at, len(data) if end is None else end)
    if header is None:
        return None
    if not is_box_type(header.type):
        raise Mp4Error(origin + at, "no MP4 box begins")
    if not header.is_possible:
        raise Mp4Error(origin + at, f"the box {_name(header.type)} is shorter than its own header")
    return header


class Box(NamedTuple):
    """One box inside bytes at hand."""

    type: bytes
    data: bytes
    """The buffer that it lies in."""
    start: int
    """Where its header begins in `data`."""
    body: int
    """Where its content begins in `data`."""
    end: int
    """Where it ends in `data`; beyond it if the rest has not arrived."""
    origin: int = 0
    """Where `data` begins in its stream."""

    @classmethod
    def whole(cls, data: bytes) -> Self:
        """Return the one box that `data` consists of. Raises Mp4Error if it is not one whole box."""
        header = read_box_header(data)
        if header is None or header.size != len(data):
            raise Mp4Error(0, "the bytes are not one whole box")
        return cls(header.type, data, 0, header.header_bytes, len(data))

    @property
    def position(self) -> int:
        """Where it begins in its stream."""
        return self.origin + self.start

    @property
    def content(self) -> bytes:
        """The bytes after its header."""
        return self.data[self.body : self.end]

    @property
    def raw(self) -> bytes:
        """All of it, header included."""
        return self.data[self.start : self.end]

    @property
    def version(self) -> int:
        """The version of a full box."""
        return self.uint(0, 1)

    @property
    def flags(self) -> int:
        """The 24 flags of a full box."""
        return self.uint(1, 3)

    def uint(self, at: int, size: int) -> int:
        """Return the big-endian number of `size` bytes at offset `at` of the content.

        Raises:
            Mp4Error: the box ends before it.
        """
        first = self._offset(at, size)
        return int.from_bytes(self.data[first : first + size], "big")

    def two_words(self) -> tuple[int, int]:
        """Return the first two numbers of 32 bits: of a full box, version and flags, and what follows them. Raises what `uint` does."""
        found: tuple[int, int] = _TWO_WORDS.unpack_from(self.data, self._offset(0, _TWO_WORDS.size))
        return found

    def sint(self, at: int, size: int) -> int:
        """Return the number as `uint` does, in two's complement."""
        first = self._offset(at, size)
        return int.from_bytes(self.data[first : first + size], "big", signed=True)

    def numbers(self, layout: str, count: int, at: int) -> tuple[int, ...]:
        """Return `count` numbers of the `struct` format character `layout`, big-endian, from offset `at` of the content.

        Raises:
            Mp4Error: the box ends before the last one.
        """
        form = f">{count}{layout}"
        found: tuple[int, ...] = struct.unpack_from(form, self.data, self._offset(at, struct.calcsize(form)))
        return found

    def _offset(self, at: int, size: int) -> int:
        first = self.body + at
        stop = first + size
        if stop > self.end or stop > len(self.data):
            raise Mp4Error(self.position, f"the box {_name(self.type)} ends too early")
        return first

    def children(self, *, skip: int = 0) -> Iterator["Box"]:
        """Iterate over the boxes inside, behind `skip` bytes of other content.

        Raises:
            Mp4Error: they do not fill the box exactly, or there are more than `MAX_CHILDREN`.
        """
        data, at, end = self.data, self.body + skip, self.end
        last = end - HEADER_BYTES if end <= len(data) else -1
        for _ in range(MAX_CHILDREN + 1):
            if at >= end:
                return
            if at <= last:
                # Nearly every header is like this one, and there are many of them.
                size, kind = HEADER.unpack_from(data, at)
                if HEADER_BYTES <= size <= end - at and is_box_type(kind):
                    yield Box(kind, data, at, at + HEADER_BYTES, at + size, self.origin)
                    at += size
                    continue
            child = self._child_at(at)
            yield child
            at = child.end
        raise Mp4Error(self.position, f"the box {_name(self.type)} has more than {MAX_CHILDREN} boxes inside")

    def _child_at(self, at: int) -> "Box":
        data, end = self.data, self.end
        header = read_box_header(data, at, end=end, origin=self.origin)
        stop = end if header and not header.size else at + (header.size if header else 0)
        if header is None or stop > end:
            raise Mp4Error(self.origin + at, f"a box is larger than the box {_name(self.type)} around it")
        return Box(header.type, data, at, at + header.header_bytes, stop, self.origin)

    def find(self, *path: bytes) -> "Box | None":
        """Return the first box down a path of types; None if there is none. Raises Mp4Error as `children` does."""
        here = self
        for kind in path:
            for child in here.children():
                if child.type == kind:
                    here = child
                    break
            else:
                return None
        return here

    def require(self, *path: bytes) -> "Box":
        """Return the first box down a path of types.

        Raises:
            Mp4Error: there is none, or the boxes on the way are broken.
        """
        found = self.find(*path)
        if found is None:
            raise Mp4Error(self.position, f"the box {_name(self.type)} has no {'/'.join(map(_name, path))} inside")
        return found

    def search(self, kind: bytes, *, skip: int = 0) -> "Box | None":
        """Return the first box of that type at any depth, found by its four letters; for content whose layout varies."""
        at = self.body + skip
        while (letters := self.data.find(kind, at + 4, self.end)) >= 0:
            at = letters - 4
            header = parse_header(self.data, at, self.end)
            if header and header.is_possible:
                stop = min(at + header.size, self.end) if header.size else self.end
                return Box(kind, self.data, at, at + header.header_bytes, stop, self.origin)
            at += 1
        return None


def boxes_of(data: bytes) -> Iterator[Box]:
    """Iterate over the top-level boxes of a whole file. Raises Mp4Error as `Box.children` does."""
    return Box(b"file", data, 0, 0, len(data)).children()


def leading_boxes(data: bytes) -> Iterator[Box]:
    """Iterate over the top-level boxes that begin in the first bytes of a file; the last may end beyond `data`.

    Raises:
        Mp4Error: no box begins where one should, or there are too many small ones.
    """
    at = count = 0
    while (header := read_box_header(data, at)) is not None:
        count += 1
        if are_too_many(count, at):
            raise Mp4Error(at, "there are too many small boxes")
        end = at + header.size if header.size else sys.maxsize
        yield Box(header.type, data, at, at + header.header_bytes, end)
        at = end


def box(kind: bytes, *content: bytes) -> bytes:
    """Write a box."""
    return b"".join((HEADER.pack(HEADER_BYTES + sum(map(len, content)), kind), *content))


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Write a box with a version and 24 bits of flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def _name(kind: bytes) -> str:
    return kind.decode("latin-1")
