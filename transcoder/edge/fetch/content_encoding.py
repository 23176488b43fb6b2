"""Content-Encoding: response bodies that an origin compressed, whether or not it was asked to."""

import zlib
from collections.abc import Iterator

import httpx

from transcoder.edge.fetch.retry import TransientError
from transcoder.edge.resource_name import resource_name
from transcoder.errors import UpstreamError

CHUNK_BYTES = 64 * 1024
"""How many bytes are decompressed at once: a small body may expand to a very large one."""
MAX_EXPANSION = 100
"""A body that expands to more than so many times its length is refused. Playlists expand to 30 times theirs at most, media to about 1."""
FREE_BYTES = 1024 * 1024
"""A body may expand to so many bytes more, whatever its length."""

_NOT_COMPRESSED = frozenset({"", "identity"})
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB_WBITS = 32 + zlib.MAX_WBITS
"""Makes zlib detect gzip or zlib by the body's first bytes."""


class BodyDecoder:
    """Undoes the Content-Encoding of one body (RFC 9110, 8.4), chunk by chunk.

    Every body that is decoded is decoded here: one layer of compression at most, and no more bytes than `MAX_EXPANSION` allows.
    """

    def __init__(self, response: httpx.Response) -> None:
        """Read the Content-Encoding of `response`.

        Raises:
            UpstreamError: the body has a content coding that was not requested.
        """
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        self._url = response.url
        if coding not in _NOT_COMPRESSED | _COMPRESSED:
            message = f"{self._name}: the origin sent Content-Encoding {coding[:20]!r}, which was not requested."
            raise UpstreamError(message, origin_status=response.status_code)
        self._decompressor = zlib.decompressobj(_GZIP_OR_ZLIB_WBITS) if coding in _COMPRESSED else None
        self._status = response.status_code
        self._room = FREE_BYTES
        """To how many more bytes the body may expand."""

    @property
    def _name(self) -> str:
        return resource_name(str(self._url))

    @property
    def is_compressed(self) -> bool:
        """Whether the body has to be decompressed."""
        return self._decompressor is not None

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the next bytes of the body decode to.

        Raises:
            TransientError: the compressed data is invalid.
            UpstreamError: it expands too much.
        """
        if self._decompressor is None:
            yield chunk
            return
        self._room += MAX_EXPANSION * len(chunk)
        while chunk and not self._decompressor.eof:
            try:
                decoded = self._decompressor.decompress(chunk, CHUNK_BYTES)
            except zlib.error as error:
                raise TransientError(UpstreamError(f"{self._name}: the compressed body cannot be decompressed.")) from error
            chunk = self._decompressor.unconsumed_tail
            self._room -= len(decoded)
            if self._room < 0:
                message = f"{self._name}: the compressed body expands to more than {MAX_EXPANSION} times its length."
                raise UpstreamError(message, origin_status=self._status)
            if decoded:
                yield decoded

    def finish(self) -> None:
        """Check that the compressed data is complete.

        Raises:
            TransientError: the data ended early.
        """
        if self._decompressor is not None and not self._decompressor.eof:
            raise TransientError(UpstreamError(f"{self._name}: the compressed body ended early."))
