"""Files that are passed through unchanged, and the check of their first bytes that tells them from playlists."""

import mimetypes
from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

import httpx

from transcoder.core.answer.passthrough import OCTET_STREAM, SNIFFED_BYTES, FileHead, safe_content_type, should_pass_through
from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import local_files
from transcoder.edge.fetch.content_encoding import BodyDecoder
from transcoder.edge.fetch.session import HttpSession
from transcoder.edge.fetch.transfer import ByteSink, Transfer
from transcoder.edge.fetch.validators import ContentRange, content_length
from transcoder.edge.resource_name import resource_name
from transcoder.errors import NotFoundError, UnsupportedSourceError, UpstreamError


class FileSink(Protocol):
    """Receives a file."""

    async def start(self, head: FileHead) -> None:
        """Receive the file's description; called once, when its first bytes have arrived."""

    async def write(self, chunk: bytes) -> None:
        """Receive the next bytes; returns when it may be called again."""


class NotAPlaylistError(UnsupportedSourceError):
    """The resource is a file, not a playlist."""

    def __init__(self, head: FileHead) -> None:
        """Keep the file's description."""
        super().__init__(f"{resource_name(head.url)} is not a playlist but a file ({head.content_type}).")
        self.head = head


class PlaylistSniffer:
    """Passes on the body of a possible playlist, and checks its first bytes."""

    def __init__(self, url: str, response: httpx.Response, sink: ByteSink, *, limit: int) -> None:
        """Check the response to a request for `url`, and push its body into `sink`: at most `limit` bytes, unless it is a file."""
        self._head = read_file_head(response)._replace(requested_url=url)
        self._limit = limit
        self._passed_on = 0
        self._content_type = response.headers.get("Content-Type", "")
        self._sink = sink
        self._first_bytes = b""

    async def write(self, chunk: bytes) -> None:
        """Push `chunk` into the sink.

        Raises:
            NotAPlaylistError: the first bytes show that this is not a playlist.
            UnsupportedSourceError: it is one, and too long.
        """
        if len(self._first_bytes) < SNIFFED_BYTES:
            self._first_bytes += chunk[:SNIFFED_BYTES]
            if len(self._first_bytes) >= SNIFFED_BYTES:
                self.end()
        self._passed_on += len(chunk)
        is_decided = len(self._first_bytes) >= SNIFFED_BYTES
        if self._passed_on > self._limit or (is_decided and (self._head.length or 0) > self._limit):
            raise UnsupportedSourceError(f"{resource_name(self._head.url)} is longer than {self._limit} bytes, the limit for a playlist.")
        await self._sink(chunk)

    def end(self) -> None:
        """Decide by the bytes that have arrived; raises `NotAPlaylistError` if this is not a playlist."""
        if should_pass_through(self._first_bytes, self._content_type):
            raise NotAPlaylistError(self._head._replace(first_bytes=self._first_bytes[:SNIFFED_BYTES]))


def local_file_head(url: str) -> FileHead | None:
    """Describe a local file; None if it may be a playlist.

    Raises:
        NotFoundError: the file does not exist.
        UpstreamError: it is no file, or cannot be read.

    """
    path = local_files.path_of(url)
    if path is None:
        return None
    content_type = mimetypes.guess_type(path.name)[0] or OCTET_STREAM
    try:
        with local_files.open_file(path) as file:
            first_bytes = file.read(SNIFFED_BYTES)
        length = path.stat().st_size
    except FileNotFoundError as error:
        raise NotFoundError(f"{path} does not exist.") from error
    except OSError as error:
        raise UpstreamError(f"{path} cannot be read: {error.strerror}.") from error
    if not should_pass_through(first_bytes, OCTET_STREAM):
        return None
    content_type = safe_content_type(content_type)
    return FileHead(local_files.base_url(url), HTTPStatus.OK, content_type, length, requested_url=url, first_bytes=first_bytes)


def refuse_local_file(url: str) -> None:
    """Raise `NotAPlaylistError` if `url` names a local file that is not a playlist."""
    if head := local_file_head(url):
        raise NotAPlaylistError(head)


def read_file_head(response: httpx.Response) -> FileHead:
    """Read from a response's headers what they say about the file."""
    compressed = BodyDecoder(response).is_compressed
    return FileHead(
        url=str(response.url),
        status=HTTPStatus(response.status_code),
        content_type=safe_content_type(response.headers.get("Content-Type", "")),
        length=None if compressed else content_length(response),
        content_range=response.headers.get("Content-Range") if response.status_code != httpx.codes.OK else None,
        etag=None if compressed else response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
        accepts_ranges=not compressed
        and (response.status_code == httpx.codes.PARTIAL_CONTENT or response.headers.get("Accept-Ranges") == "bytes"),
    )


class FileTransfer:
    """One file on its way from its origin into a sink, over as many responses as that takes."""

    def __init__(self, session: HttpSession, url: str, headers: Mapping[str, str], sink: FileSink, *, limit: int) -> None:
        """Fetch at most `limit` bytes of `url`; `headers` go with the first request, and may ask for a range."""
        self._session = session
        self._url = url
        self._headers = headers
        self._sink = sink
        self._limit = limit
        self._transfer: Transfer | None = None
        self._head: FileHead | None = None

    @property
    def delivered(self) -> int:
        """How many bytes have been written to the sink."""
        return self._transfer.delivered if self._transfer else 0

    async def attempt(self) -> None:
        """Send one request for the bytes that are still missing.

        Raises:
            TransientError: the attempt failed, and may be retried.
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: the file cannot be fetched.
        """
        headers = self._transfer.headers() if self._transfer and self._transfer.delivered else self._headers
        async with self._session.stream(self._url, headers) as response:
            if self._transfer is None or not self._transfer.delivered:
                self._head, self._transfer = read_file_head(response), self._transfer_for(response)
                if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    await self._sink.start(self._head)
                    return
            await self._transfer.receive(response, self._write)

    def _transfer_for(self, response: httpx.Response) -> Transfer:
        """Make the transfer of what the first response offers: the whole file, or the range in its Content-Range."""
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            return Transfer(self._url, None, limit=self._limit)
        served = ContentRange.of(response)
        if served is None or "Range" not in self._headers:
            what = "the origin answered 206 without a valid Content-Range, or without being asked for a range"
            raise UpstreamError(f"{resource_name(self._url)}: {what}.", origin_status=response.status_code)
        return Transfer(self._url, ByteRange(served.start, served.stop - served.start), limit=self._limit)

    async def _write(self, chunk: bytes) -> None:
        if not self.delivered and self._head:
            await self._sink.start(self._head)
        await self._sink.write(chunk)
