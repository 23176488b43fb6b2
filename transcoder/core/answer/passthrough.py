"""A file as its origin serves it, which is passed on unchanged: told from a playlist by its first bytes, and described by its header."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from transcoder.core.answer.file_names import content_disposition
from transcoder.core.answer.function_url import ResponseHead

SNIFFED_BYTES = 512
"""So many bytes are looked at before a decision is made, or all where there are fewer."""
OPAQUE = "application/octet-stream"
_MEDIA = ("video/", "audio/", "image/", "font/")
_TELLS_NOTHING = frozenset(
    {
        "",
        "text/plain",
        "text/html",
        "text/xml",
        "application/xml",
        "application/json",
        "application/dash+xml",
        OPAQUE,
        "binary/octet-stream",
    }
)
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
_RANGE = re.compile(r"bytes=(\d{1,18}-\d{0,18}|-\d{1,18})", re.ASCII)
_EXTENSIONS = {"video/mp4": "mp4", "audio/mp4": "m4a", "audio/mpeg": "mp3", "video/webm": "webm", "video/mp2t": "ts", "image/jpeg": "jpg"}


@dataclass(frozen=True, slots=True)
class FileHead:
    """What an origin's header says of the bytes behind it."""

    url: str
    """Where it is, after redirects."""
    status: HTTPStatus
    """200, 206, or 416 where the range that was asked for does not exist."""
    content_type: str
    length: int | None
    """Bytes that come."""
    content_range: str | None = None
    etag: str | None = None
    modified: str | None = None
    ranges: bool = False
    """Whether the origin serves parts."""
    asked: str = ""
    """Where it was asked for: what proves who is asking may go there, and not where that redirects to."""

    def head(self, name: str) -> ResponseHead:
        """Write the header of an answer that passes it on; Content-Length is not ours to write on Lambda."""
        headers = [
            ("content-type", self.content_type),
            ("content-disposition", content_disposition(name)),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("accept-ranges", "bytes" if self.ranges else "none"),
            ("content-range", self.content_range),
            ("etag", self.etag),
            ("last-modified", self.modified),
            ("x-content-length-estimate", None if self.length is None else str(self.length)),
        ]
        return ResponseHead(
            self.status, tuple((name, value) for name, value in headers if value and value.isascii() and value.isprintable())
        )


def is_file(first: bytes, content_type: str) -> bool:
    """Tell from its first bytes and its type whether something is to be passed on as a file; what else it is, its reader will say.

    A text of no type in particular is none: it is an error page, or a playlist that is broken.
    """
    kind = content_type.partition(";")[0].strip().lower()
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text or "mpegurl" in kind or text.startswith((b"#EXT", b"<")):
        return False
    if kind.startswith(_MEDIA) or b"\0" in first:
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)  # the last character may be cut in two
    except UnicodeDecodeError:
        return True
    return kind not in _TELLS_NOTHING


def media_type(text: str) -> str:
    """Return a Content-Type that can be passed on: without parameters, and opaque where it makes no sense or could run as a page."""
    kind = text.partition(";")[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) and kind not in {"text/html", "application/xhtml+xml", "image/svg+xml"} else OPAQUE


def requested_range(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a request that ask for a part, as an origin is to get them; several parts at once are not asked for."""
    part = headers.get("range", "").replace(" ", "")
    if not _RANGE.fullmatch(part):
        return {}
    condition = headers.get("if-range", "")
    return {"Range": part, "If-Range": condition} if condition.isascii() and condition.isprintable() and condition else {"Range": part}


def file_extension(head: FileHead) -> str:
    """Return the ending of a file's name: that of its address, or one for its type."""
    match = re.search(r"\.([A-Za-z0-9]{1,8})$", unquote(urlsplit(head.url).path))
    return match[1].lower() if match else _EXTENSIONS.get(head.content_type, "bin")
