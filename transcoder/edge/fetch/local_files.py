"""Sources that need no network: local files that the user named, and data: URLs."""

import base64
import binascii
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from transcoder.core.hls.plan import ByteRange
from transcoder.errors import ForbiddenSourceError, NotFoundError, UnsupportedSourceError, UpstreamError

CHUNK_BYTES = 64 * 1024


def is_data_url(url: str) -> bool:
    """Return whether `url` is a data: URL, which contains the content itself."""
    return url[:5].lower() == "data:"


class LocalSources:
    """What needs no network: data: URLs, and local files as long as they are allowed."""

    def __init__(self, *, files_allowed: bool) -> None:
        """Allow local files or not."""
        self.files_allowed = files_allowed
        self._last = ("", b"")
        """A data: URL and its content. A segment is looked at, read, and checked, and one of 2 MiB takes long to decode."""

    def chunks(self, url: str, byte_range: ByteRange | None, *, exact: bool) -> Iterator[bytes] | None:
        """Return the bytes of a data: URL or a local file; None if `url` needs the network.

        Raises:
            ForbiddenSourceError: it is a local file, and they are not allowed.
            UnsupportedSourceError: the data: URL is malformed.
        """
        if is_data_url(url):
            return iter([_part(self._content(url), byte_range)])
        if (path := path_of(url)) is None:
            return None
        if not self.files_allowed:
            raise ForbiddenSourceError("The source leads to a local file, which may not be read.")
        return read_chunks(path, byte_range, exact=exact)

    def _content(self, url: str) -> bytes:
        if url != self._last[0]:
            self._last = (url, decode_data_url(url))
        return self._last[1]


def _part(content: bytes, byte_range: ByteRange | None) -> bytes:
    return content if byte_range is None else content[byte_range.start : byte_range.start + byte_range.length]


def decode_data_url(url: str) -> bytes:
    """Return the content of a data: URL (RFC 2397).

    Raises:
        UnsupportedSourceError: the URL is malformed.
    """
    head, comma, body = url[5:].partition(",")
    if not comma:
        raise UnsupportedSourceError("The source contains a data: URL without content.")
    content = b"".join(map(unquote_to_bytes, _parts(body)))
    try:
        return base64.b64decode(content, validate=True) if head.lower().endswith(";base64") else content
    except binascii.Error as error:
        raise UnsupportedSourceError("The source contains a data: URL that is not valid base64.") from error


def _parts(text: str) -> Iterator[str]:
    """Cut a percent-encoded text, not inside an escape: each escape takes much memory while it is decoded."""
    at = 0
    while at < len(text):
        end = at + CHUNK_BYTES
        escape = text.find("%", end - 2, end)
        start, at = at, end if escape < 0 else escape
        yield text[start:at]


def path_of(url: str) -> Path | None:
    """Return the path that a file: URL or a plain path names; None for any other address.

    Raises:
        NotFoundError: no file can have that path.
    """
    if url[:5].lower() == "file:":
        try:
            path = urlsplit(url).path
        except ValueError as error:
            raise NotFoundError(f"{url!r} is not the address of a file.") from error
        return _possible(unquote(path, errors="surrogateescape"))  # a path is bytes, which need not be UTF-8
    return None if "://" in url or is_data_url(url) else _possible(url)


def can_be_path(text: str) -> bool:
    """Return whether a file can have that path: it has no NUL, and only characters that the system can write."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _possible(path: str) -> Path:
    if not can_be_path(path):
        raise NotFoundError(f"{path!r} does not exist: no path has such a character.")
    return Path(path)


def base_url(url: str) -> str:
    """Return the URL that relative references in the resource at `url` are resolved against."""
    path = path_of(url)
    return url if path is None else path.absolute().as_uri()


def open_file(path: Path) -> BufferedReader:
    """Open a file to read from; a pipe is none, since it could be waited for without end.

    Raises:
        UpstreamError: there is something else.
        OSError: it cannot be opened.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise UpstreamError(f"{path} is not a file.")
    return path.open("rb")


def read_chunks(path: Path, byte_range: ByteRange | None, *, exact: bool) -> Iterator[bytes]:
    """Yield the bytes of a file, or of a byte range of it; if not `exact`, the file may end before the range does.

    Raises:
        NotFoundError: the file does not exist.
        UpstreamError: it is no file, cannot be read, or ends before the range does.
    """
    remaining = None if byte_range is None else byte_range.length
    try:
        with open_file(path) as file:
            file.seek(0 if byte_range is None else byte_range.start)
            while remaining != 0 and (chunk := file.read(CHUNK_BYTES if remaining is None else min(CHUNK_BYTES, remaining))):
                yield chunk
                remaining = None if remaining is None else remaining - len(chunk)
    except FileNotFoundError as error:
        raise NotFoundError(f"{path} does not exist.") from error
    except OSError as error:
        raise UpstreamError(f"{path} cannot be read: {error.strerror}.") from error
    if byte_range and remaining and exact:
        raise UpstreamError(f"{path} has only {byte_range.length - remaining} of {byte_range.length} bytes from {byte_range.start} on.")
