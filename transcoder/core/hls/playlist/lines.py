"""Splits the text of a playlist into the lines that mean something."""

import codecs
import re
from collections.abc import Iterator

from transcoder.core.hls.playlist.media_segments import TAGS
from transcoder.core.hls.playlist.normalization import HEADER_TAGS, VARIANT_AND_RENDITION_TAGS
from transcoder.core.hls.playlist.uris import without_query
from transcoder.errors import UnsupportedSourceError

_LINE = re.compile(r"(?<![^\r\n])(?:[^\r\n#]|#EXT)[^\r\n]*")
"""A line that is no comment and not blank. There may be millions of those, so that they are left out before anything is done with one."""
_LINE_END_BYTES = re.compile(rb"\r\n|\r|\n")
# str.splitlines, which the package m3u8 uses, also splits at these; RFC 8216 (4.1) allows only LF and CRLF.
_NOT_LINE_ENDS = str.maketrans(dict.fromkeys("\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", "\ufffd"))
_BLANK = " \t\ufeff\u00a0\u200b"
_USED_TAGS = VARIANT_AND_RENDITION_TAGS | HEADER_TAGS | TAGS | {"#EXT-X-DEFINE", "#EXT-X-TARGETDURATION"}

MAX_URIS = 50_000
"""A playlist with more segments or variants is refused."""
MAX_LINES = 300_000
"""A playlist with more lines is refused; comments and blank lines do not count."""
MAX_LINE_CHARACTERS = 64 * 1024
"""A longer line is refused, unless it has a data: address. No address that is longer can be fetched."""
MAX_DATA_CHARACTERS = 2 * 1024 * 1024
"""A longer line is refused in any case."""
_BLOCK_BYTES = 256 * 1024
"""So much of a text is decoded and split at once, or to the end of its last line."""


def significant_lines(body: bytes, url: str) -> list[str]:
    """Return the tags and URIs of a text, without byte order mark, blank lines and comments; any line ending is accepted.

    The text is UTF-8, of which invalid bytes are replaced.

    Raises:
        UnsupportedSourceError: the text is empty, a web page, clearly something else than a playlist, or too long.
    """
    where, lines, uris = without_query(url), list[str](), 0
    for block, is_cut in _blocks(body.removeprefix(codecs.BOM_UTF8)):
        found = _significant(block.decode("utf-8", "replace"))
        if any(len(line) > MAX_LINE_CHARACTERS for line in found):
            _refuse_other_text(lines + found, body, where)
            found = [line for line in found if not _is_long(line, where, is_cut=is_cut and line is found[-1])]
        lines += found
        uris += sum(line[0] != "#" for line in found)
        if len(lines) > MAX_LINES or uris > MAX_URIS:
            raise UnsupportedSourceError(f"{where} is too long: more than {MAX_URIS} segments or {MAX_LINES} lines.")
    _refuse_other_text(lines, body, where)
    return lines


def _significant(text: str) -> list[str]:
    stripped = (line.strip().strip(_BLANK) for line in _LINE.findall(text.translate(_NOT_LINE_ENDS)))
    return [line for line in stripped if line and (line[0] != "#" or line.startswith("#EXT"))]


def _blocks(body: bytes) -> Iterator[tuple[bytes, bool]]:
    """Cut a text at ends of lines, so that no more than a part of it is held in lines that nobody needs.

    The rest of a line is left out that is too long in any case; the flag says so.
    """
    at = 0
    while at < len(body):
        end = _LINE_END_BYTES.search(body, at + _BLOCK_BYTES)
        start, at = at, end.end() if end else len(body)
        last = start + _BLOCK_BYTES + MAX_DATA_CHARACTERS
        yield body[start : min(at, last)], at > last


def _is_long(line: str, where: str, *, is_cut: bool) -> bool:
    """Return whether a line is too long and can be left out; raises `UnsupportedSourceError` if it would have to be read."""
    if len(line) <= MAX_LINE_CHARACTERS:
        return False
    is_used = line[0] != "#" or line[:MAX_LINE_CHARACTERS].partition(":")[0] in _USED_TAGS
    if is_used and (is_cut or len(line) > MAX_DATA_CHARACTERS or "data:" not in line[:MAX_LINE_CHARACTERS]):
        raise _line_error(where)
    return not is_used


def _line_error(where: str) -> UnsupportedSourceError:
    return UnsupportedSourceError(
        f"{where} is not a playlist that can be read: it has a line of more than {MAX_LINE_CHARACTERS} characters."
    )


def _refuse_other_text(lines: list[str], body: bytes, where: str) -> None:
    if not lines:
        raise UnsupportedSourceError(f"{where} is empty, not a playlist.")
    start = lines[0][:200].lower()
    if start.startswith("<mpd") or (start.startswith("<?xml") and b"<mpd" in body[:2000].lower()):
        raise UnsupportedSourceError(f"{where} is a DASH manifest, not an HLS playlist.")
    if start.startswith(("<!doctype html", "<html", "<head", "<body", "<script", "<!--", "<?xml")):
        raise UnsupportedSourceError(f"{where} is a web page, not a playlist.")
    if not any(line.startswith("#EXT") for line in lines):
        raise UnsupportedSourceError(f"{where} is not an HLS playlist.")
