"""One segment while it arrives: its bytes in the clear, and what its head says."""

from collections.abc import Collection
from typing import NamedTuple, Protocol

from transcoder.core.hls.plan import Segment
from transcoder.core.media.aes128 import Decryptor
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Medium, Probe
from transcoder.edge.prefetch import TrackReader
from transcoder.pipeline.segment_names import about

_LONG_HEAD_BYTES, _VERY_LONG_HEAD_BYTES = 256 * 1024, 1024 * 1024


class ClearReader:
    """The bytes of the segment that a prefetching reader has begun, decrypted."""

    def __init__(self, reader: TrackReader, decryptor: Decryptor | None) -> None:
        """Read what `reader` returns until the end of its segment."""
        self._reader = reader
        self._decryptor = decryptor
        self._ended = False

    @property
    def is_padded(self) -> bool | None:
        """Whether the segment has the padding of an encrypted one, once all of it has been read; None if it is not encrypted."""
        return None if self._decryptor is None else self._decryptor.is_padded

    async def read(self) -> bytes:
        """Return the next bytes; empty only at the end, and from then on."""
        while not self._ended:
            piece = await self._reader.read()
            self._ended = not piece
            if self._decryptor:
                piece = self._decryptor.end() if self._ended else self._decryptor.feed(piece)
            if piece:
                return piece
        return b""


class LocatedSegment(Protocol):
    """A segment whose head has been probed, whether the rest of it arrives or not."""

    @property
    def period(self) -> int:
        """Index of the plan's period that it belongs to."""

    @property
    def segment(self) -> Segment:
        """What the playlist says of it."""

    @property
    def probe(self) -> Probe:
        """What its head says."""


class ArrivingSegment(NamedTuple):
    """A segment that has begun to arrive, as far as it has been read and not yet passed on."""

    period: int
    """Index of the plan's period that it belongs to."""
    segment: Segment
    init: bytes
    """Its initialization section, decrypted; empty if it has none."""
    head: bytes
    """The first bytes, decrypted."""
    rest: ClearReader
    """The bytes after `head`."""

    def probed(self, probe: Probe) -> "ProbedSegment":
        """Return the same with what it has been found to be."""
        return ProbedSegment(*self, probe)


class ProbedSegment(NamedTuple):
    """The same, once its head has been probed."""

    period: int
    segment: Segment
    init: bytes
    head: bytes
    rest: ClearReader
    probe: Probe

    @property
    def arriving(self) -> ArrivingSegment:
        """The same without what it has been found to be."""
        return ArrivingSegment(self.period, self.segment, self.init, self.head, self.rest)


async def probe_segment(arriving: ArrivingSegment, *, previous: Probe | None, media: Collection[Medium]) -> ProbedSegment:
    """Read as much of a segment as its probe needs, in a track that is listed for `media`.

    `previous` is the probe of the segment whose timeline it is expected to continue.

    Raises:
        UpstreamError: its bytes are not media, or cannot be fetched.
        UnsupportedSourceError: it is encrypted in a way that is not supported, or in a container that HLS does not have.

    """
    with about(arriving.segment):
        return await _probe(arriving, previous, media)


async def _probe(arriving: ArrivingSegment, previous: Probe | None, media: Collection[Medium]) -> ProbedSegment:
    head, whole = arriving.head, False
    while (found := probe(head, init=arriving.init, whole=whole, previous=previous, media=media)) is None:
        # Each probe begins at the first byte, so a head is not probed again for every piece that arrives, however small.
        wanted = len(head) + max(1, len(head) // _share(len(head)))
        while not whole and len(head) < wanted:
            piece = await arriving.rest.read()
            whole = not piece
            head += piece
    return arriving._replace(head=head).probed(found)


def _share(length: int) -> int:
    """Return by which part of its length a head grows before it is probed again."""
    if length > _LONG_HEAD_BYTES:
        return 1 if length > _VERY_LONG_HEAD_BYTES else 4
    return 16
