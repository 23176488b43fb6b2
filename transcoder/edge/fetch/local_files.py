"""What needs no network: files that the user named, and data: URLs."""

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from transcoder.core.hls.plan import ByteRange
from transcoder.errors import NotFoundError, UnsupportedSourceError, UpstreamError

PIECE = 64 * 1024


def is_data(url: str) -> bool:
    """Tell whether `url` carries its content in itself."""
    return url[:5].lower() == "data:"


def data(url: str, part: ByteRange | None) -> bytes:
    """Decode a data: URL (RFC 2397), or cut a part out of it.

    Raises:
        UnsupportedSourceError: it is malformed.
    """
    head, comma, body = url[5:].partition(",")
    if not comma:
        raise UnsupportedSourceError("The source has a data: address with no content.")
    content = unquote_to_bytes(body)
    try:
        content = base64.b64decode(content, validate=True) if head.lower().endswith(";base64") else content
    except binascii.Error as error:
        raise UnsupportedSourceError("The source has a data: address that cannot be decoded.") from error
    return content if part is None else content[part.start : part.start + part.length]


def path_of(url: str) -> Path | None:
    """Return the file that a file: URL or a plain path names; None for any other address."""
    if url[:5].lower() == "file:":
        return Path(unquote(urlsplit(url).path))
    return None if "://" in url or is_data(url) else Path(url)


def address(url: str) -> str:
    """Return the URL that relative addresses in `url` are relative to."""
    path = path_of(url)
    return url if path is None else path.absolute().as_uri()


def pieces(path: Path, part: ByteRange | None, *, exact: bool) -> Iterator[bytes]:
    """Yield a file's bytes, or those of a part of it; if not `exact`, the file may end before the part does.

    Raises:
        NotFoundError: there is no such file.
        UpstreamError: it cannot be read, or is shorter than the part.
    """
    left = None if part is None else part.length
    try:
        with path.open("rb") as file:
            file.seek(0 if part is None else part.start)
            while left != 0 and (piece := file.read(PIECE if left is None else min(PIECE, left))):
                yield piece
                left = None if left is None else left - len(piece)
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise UpstreamError(f"{path} cannot be read: {error.strerror}.") from error
    if left and exact:
        raise UpstreamError(f"{path} is shorter than the playlist says.")
