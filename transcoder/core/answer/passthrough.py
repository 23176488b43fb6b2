"""Files that are passed through unchanged: how to tell them from playlists, and the response head to send for them."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from transcoder.core.answer.file_names import content_disposition
from transcoder.core.answer.function_url import ResponseHead

SNIFFED_BYTES = 512
"""The decision is made from this many first bytes, or from all bytes of a shorter file."""
OCTET_STREAM = "application/octet-stream"
_MEDIA_TYPE_PREFIXES = ("video/", "audio/", "image/", "font/")
_AMBIGUOUS_TYPES = frozenset(
    {
        "",
        "text/plain",
        "text/html",
        "text/xml",
        "application/xml",
        "application/json",
        "application/dash+xml",
        OCTET_STREAM,
        "binary/octet-stream",
    }
)
"""Types that playlists and error pages are served with too."""
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
_RANGE = re.compile(r"bytes=(\d{1,18}-\d{0,18}|-\d{1,18})", re.ASCII)
_EXTENSIONS = {"video/mp4": "mp4", "audio/mp4": "m4a", "audio/mpeg": "mp3", "video/webm": "webm", "video/mp2t": "ts", "image/jpeg": "jpg"}
_IMAGE_EXTENSIONS = frozenset({"gif", "jpg", "jpeg", "png", "webp"})


@dataclass(frozen=True, slots=True)
class FileHead:
    """What an origin's response headers say about a file."""

    url: str
    """Its address, after redirects."""
    status: HTTPStatus
    """200, 206, or 416 if the requested range does not exist."""
    content_type: str
    length: int | None
    """The number of bytes in the body."""
    content_range: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    accepts_ranges: bool = False
    """Whether the origin serves byte ranges."""
    requested_url: str = ""
    """Its address before redirects. Credentials may be sent there, but not to the address that it redirects to."""

    def response_head(self, name: str) -> ResponseHead:
        """Return the head of a response that passes the file through as `name`; Lambda does not let a function set Content-Length."""
        headers = [
            ("content-type", self.content_type),
            ("content-disposition", content_disposition(name)),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("accept-ranges", "bytes" if self.accepts_ranges else "none"),
            ("content-range", self.content_range),
            ("etag", self.etag),
            ("last-modified", self.last_modified),
            ("x-content-length-estimate", None if self.length is None else str(self.length)),
        ]
        return ResponseHead(
            self.status, tuple((name, value) for name, value in headers if value and value.isascii() and value.isprintable())
        )


def should_pass_through(first: bytes, content_type: str) -> bool:
    """Whether a resource is a file to pass through, by its first bytes and its type; anything else is left to the playlist parser.

    Text of an ambiguous type is not passed through: it is an error page, or a broken playlist.
    """
    kind = content_type.partition(";")[0].strip().lower()
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text or "mpegurl" in kind or text.startswith((b"#EXT", b"<")):
        return False
    if kind.startswith(_MEDIA_TYPE_PREFIXES) or b"\0" in first:
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)  # the last character may be cut off in the middle
    except UnicodeDecodeError:
        return True
    return kind not in _AMBIGUOUS_TYPES


def safe_content_type(content_type: str) -> str:
    """Return the type without parameters; `application/octet-stream` if it is malformed or a browser could run it as a web page."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind if _CONTENT_TYPE.fullmatch(kind) and kind not in {"text/html", "application/xhtml+xml", "image/svg+xml"} else OCTET_STREAM


def range_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the Range and If-Range headers of a request, to send to the origin; empty unless it asks for exactly one range."""
    part = headers.get("range", "").replace(" ", "")
    if not _RANGE.fullmatch(part):
        return {}
    condition = headers.get("if-range", "")
    return {"Range": part, "If-Range": condition} if condition.isascii() and condition.isprintable() and condition else {"Range": part}


def file_extension(head: FileHead) -> str:
    """Return the file's extension: that of its address, or else one for its type; a video from the address of an image is no image."""
    match = re.search(r"\.([A-Za-z0-9]{1,8})$", unquote(urlsplit(head.url).path))
    extension, by_type = match[1].lower() if match else "", _EXTENSIONS.get(head.content_type)
    if by_type and extension in _IMAGE_EXTENSIONS and not head.content_type.startswith("image/"):
        return by_type
    return extension or by_type or "bin"
