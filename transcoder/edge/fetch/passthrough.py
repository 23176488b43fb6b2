"""Files that are passed on unchanged, and the look that tells them from playlists."""

import mimetypes
import sys
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol

import httpx

from transcoder.core.answer.passthrough import OCTET_STREAM, SNIFFED_BYTES, FileHead, safe_content_type, should_pass_through
from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import local_files
from transcoder.edge.fetch.content_encoding import BodyDecoder
from transcoder.edge.fetch.retry import resource_name
from transcoder.edge.fetch.session import HttpSession
from transcoder.edge.fetch.transfer import ContentRange, Into, Transfer
from transcoder.errors import NotFoundError, UnsupportedSourceError, UpstreamError


class FileSink(Protocol):
    """Where a file goes."""

    async def start(self, head: FileHead) -> None:
        """Take note of what is coming; called once, when the first bytes are there."""

    async def write(self, chunk: bytes) -> None:
        """Take bytes; returns when it may be called again."""


class FileFoundError(UnsupportedSourceError):
    """What begins to arrive is no playlist."""

    def __init__(self, head: FileHead) -> None:
        """Keep what its header says."""
        super().__init__(f"{resource_name(head.url)} is not a playlist but a file ({head.content_type}).")
        self.head = head


class Sniffer:
    """Looks at the first bytes of what may be a playlist."""

    def __init__(self, url: str, response: httpx.Response, into: Into) -> None:
        """Pass what comes in answer to a request for `url` on into `into`."""
        self._head = replace(head_of(response), requested_url=url)
        self._type = response.headers.get("Content-Type", "")
        self._into = into
        self._first = b""

    async def write(self, piece: bytes) -> None:
        """Take bytes; raises `FileFoundError` once it is plain that they are no playlist's."""
        if len(self._first) < SNIFFED_BYTES:
            self._first += piece[:SNIFFED_BYTES]
            if len(self._first) >= SNIFFED_BYTES:
                self.end()
        await self._into(piece)

    def end(self) -> None:
        """Decide by what has come; raises `FileFoundError`."""
        if should_pass_through(self._first, self._type):
            raise FileFoundError(self._head)


def local_file_head(url: str) -> FileHead | None:
    """Describe a file on disk; None if it may be a playlist.

    Raises:
        NotFoundError: there is no such file.
        UpstreamError: it cannot be read.

    """
    path = local_files.path_of(url)
    if path is None:
        return None
    kind = mimetypes.guess_type(path.name)[0] or OCTET_STREAM
    try:
        with path.open("rb") as file:
            first = file.read(SNIFFED_BYTES)
        length = path.stat().st_size
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise UpstreamError(f"{path} cannot be read: {error.strerror}.") from error
    return (
        FileHead(local_files.address(url), HTTPStatus.OK, safe_content_type(kind), length, requested_url=url)
        if should_pass_through(first, OCTET_STREAM)
        else None
    )


def head_of(response: httpx.Response) -> FileHead:
    """Read what an answer's header says of its body."""
    packed = BodyDecoder(response).packed
    text = response.headers.get("Content-Length", "")
    return FileHead(
        url=str(response.url),
        status=HTTPStatus(response.status_code),
        content_type=safe_content_type(response.headers.get("Content-Type", "")),
        length=int(text) if text.isascii() and text.isdigit() and not packed else None,
        content_range=response.headers.get("Content-Range") if response.status_code != httpx.codes.OK else None,
        etag=None if packed else response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
        accepts_ranges=not packed
        and (response.status_code == httpx.codes.PARTIAL_CONTENT or response.headers.get("Accept-Ranges") == "bytes"),
    )


class FileTransfer:
    """One file on its way from its origin into a sink, however many answers that takes."""

    def __init__(self, exchange: HttpSession, url: str, asked: Mapping[str, str], into: FileSink) -> None:
        """Ask for `url` with the fields `asked`."""
        self._exchange = exchange
        self._url = url
        self._asked = asked
        self._into = into
        self._transfer: Transfer | None = None
        self._head: FileHead | None = None

    @property
    def done(self) -> int:
        """How many bytes have been passed on."""
        return self._transfer.done if self._transfer else 0

    async def once(self) -> None:
        """Ask once, for what is still missing."""
        fields = self._transfer.headers() if self._transfer and self._transfer.done else self._asked
        async with self._exchange.get(self._url, fields) as response:
            if self._transfer is None or not self._transfer.done:
                self._head, self._transfer = head_of(response), self._begun(response)
                if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    await self._into.start(self._head)
                    return
            await self._transfer.receive(response, self._push)

    def _begun(self, response: httpx.Response) -> Transfer:
        """Decide by the first answer what all of it is."""
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            return Transfer(self._url, None, limit=sys.maxsize)
        found = ContentRange.of(response)
        if found is None or "Range" not in self._asked:
            raise UpstreamError("The origin sent a part of the file, and does not say which.", origin_status=response.status_code)
        return Transfer(self._url, ByteRange(found.start, found.stop - found.start), limit=sys.maxsize)

    async def _push(self, piece: bytes) -> None:
        if not self.done and self._head:
            await self._into.start(self._head)
        await self._into.write(piece)
