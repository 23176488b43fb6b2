"""Files that are passed through unchanged: how to tell them from playlists, and the response head to send for them."""

import codecs
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple
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
_SAFE_TYPE = r"(video|audio|image)/[a-z0-9!#$&^_.+-]{1,100}"
_ETAG = r'(W/)?"[\x21\x23-\x7e]{0,250}"'
_DATE = r"[A-Za-z0-9 ,:+-]{10,40}"
_CONTENT_RANGE = r"(?a)bytes (\d{1,18}-\d{1,18}/(\d{1,18}|\*)|\*/\d{1,18})"
MAX_CONDITION_CHARACTERS = 260
"""With a longer If-Range, no range is asked for."""
_RANGE = r"(?a)bytes=(\d{1,18}-\d{0,18}|-\d{1,18})"
_EXTENSIONS = {"video/mp4": "mp4", "audio/mp4": "m4a", "audio/mpeg": "mp3", "video/webm": "webm", "video/mp2t": "ts", "image/jpeg": "jpg"}
_IMAGE_EXTENSIONS = frozenset({"gif", "jpg", "jpeg", "png", "webp"})


class FileHead(NamedTuple):
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
    first_bytes: bytes = b""
    """Up to `SNIFFED_BYTES`, if they have been fetched."""

    @property
    def version(self) -> str:
        """What tells it from an earlier or a later file at the same address, as far as the origin and the first bytes say."""
        return repr((self.length, self.etag or self.last_modified, self.first_bytes))

    def response_head(self, name: str) -> ResponseHead:
        """Return the head of a response that passes the file through as `name`; Lambda does not let a function set Content-Length.

        Whatever the file is, a browser saves it and runs nothing in it. Of what the origin says, only valid fields are passed on.
        """
        headers = [
            ("content-type", self.content_type),
            ("content-disposition", content_disposition(name)),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox"),
            ("accept-ranges", "bytes" if self.accepts_ranges else "none"),
            ("content-range", _valid(_CONTENT_RANGE, self.content_range)),
            ("etag", _valid(_ETAG, self.etag)),
            ("last-modified", _valid(_DATE, self.last_modified)),
            ("x-content-length-estimate", None if self.length is None else str(self.length)),
        ]
        return ResponseHead(self.status, tuple((name, value) for name, value in headers if value))


def _valid(pattern: str, value: str | None) -> str | None:
    return value if value and re.fullmatch(pattern, value) else None


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
    """Return the type without parameters if it is one of video, audio or an image that is no document; or `application/octet-stream`."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind if re.fullmatch(_SAFE_TYPE, kind) and not kind.endswith("xml") else OCTET_STREAM


def range_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the Range and If-Range headers of a request, to send to the origin; empty unless it asks for exactly one range."""
    part = headers.get("range", "").replace(" ", "")
    if not re.fullmatch(_RANGE, part):
        return {}
    condition = headers.get("if-range", "")
    if not condition:
        return {"Range": part}
    is_usable = condition.isascii() and condition.isprintable() and len(condition) <= MAX_CONDITION_CHARACTERS
    return {"Range": part, "If-Range": condition} if is_usable else {}  # a condition that cannot be checked is not met


def file_extension(head: FileHead) -> str:
    """Return the file's extension: that of its address, or else one for its type; a video from the address of an image is no image."""
    match = re.search(r"\.([A-Za-z0-9]{1,8})$", unquote(urlsplit(head.url).path))
    extension, by_type = match[1].lower() if match else "", _EXTENSIONS.get(head.content_type)
    if by_type and extension in _IMAGE_EXTENSIONS and not head.content_type.startswith("image/"):
        return by_type
    return extension or by_type or "bin"
