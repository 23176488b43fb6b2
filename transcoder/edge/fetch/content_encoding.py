"""Bodies that an origin packed, asked or unasked."""

import zlib
from collections.abc import Iterator

import httpx

from transcoder.edge.fetch.retry import TransientError, resource_name
from transcoder.errors import UpstreamError

PIECE = 64 * 1024
"""How many bytes are unpacked at once: a small body may hide a very large one."""

_PLAIN = frozenset({"", "identity"})
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_EITHER = 32 + zlib.MAX_WBITS
"""zlib's word for: gzip or zlib, as the body's first bytes say."""


class BodyDecoder:
    """Undoes the Content-Encoding of one body (RFC 9110, 8.4), a piece at a time."""

    def __init__(self, response: httpx.Response) -> None:
        """Look at the header.

        Raises:
            UpstreamError: it is packed in a way that nobody asked for.
        """
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        self._name = resource_name(str(response.url))
        if coding not in _PLAIN | _PACKED:
            raise UpstreamError(f"{self._name}: the origin packed it with {coding[:20]!r}, unasked.", origin_status=response.status_code)
        self._inflater = zlib.decompressobj(_EITHER) if coding in _PACKED else None

    @property
    def packed(self) -> bool:
        """Is anything to be undone."""
        return self._inflater is not None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what the next bytes of the body stand for.

        Raises:
            Hiccup: they stand for nothing.
        """
        if self._inflater is None:
            yield piece
            return
        while piece and not self._inflater.eof:
            try:
                clear = self._inflater.decompress(piece, PIECE)
            except zlib.error as error:
                raise TransientError(UpstreamError(f"{self._name}: what the origin packed cannot be unpacked.")) from error
            piece = self._inflater.unconsumed_tail
            if clear:
                yield clear

    def finish(self) -> None:
        """Check that the body was whole.

        Raises:
            Hiccup: it was not.
        """
        if self._inflater is not None and not self._inflater.eof:
            raise TransientError(UpstreamError(f"{self._name}: what the origin packed ends too early."))
