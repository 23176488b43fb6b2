"""Reads off the end of a playlist's text whether the text is whole or was cut."""

from enum import Enum

_ENDLIST = "#EXT-X-ENDLIST"
_SEGMENT_TAGS = frozenset(
    {
        "#EXTINF",
        "#EXT-X-BITRATE",
        "#EXT-X-BYTERANGE",
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-GAP",
        "#EXT-X-KEY",
        "#EXT-X-MAP",
        "#EXT-X-PROGRAM-DATE-TIME",
    }
)
"""Tags that apply to the segment after them (RFC 8216, 4.3.2)."""


class TextEnd(Enum):
    """What the end of a playlist's text says."""

    WHOLE = "whole"
    """The playlist ends here: EXT-X-ENDLIST, or a line end in a Multivariant Playlist, which has no tag for its end."""
    OPEN = "open"
    """The last entry is whole, but nothing says that it is the last one."""
    CUT = "cut"
    """The text ends inside a line or inside an entry."""


def media_text_end(last: str, lines: list[str]) -> TextEnd:
    """Return how the text of a Media Playlist ends; `last` is its `unterminated_line`, `lines` are its tags and URIs.

    An EXTINF without a URI means a cut even in front of EXT-X-ENDLIST. Other tags of a segment may stand there: some packagers end every
    run of segments with EXT-X-DISCONTINUITY. A URI without a line end is whole if it repeats the one before: byte ranges of one file.
    """
    ended = any(line.startswith(_ENDLIST) for line in lines)
    last_uri = max((index for index, line in enumerate(lines) if line[0] != "#"), default=-1)
    after = [line.partition(":")[0] for line in lines[last_uri + 1 :]]
    if "#EXTINF" in after:
        return TextEnd.CUT
    if _ENDLIST in after:
        return TextEnd.WHOLE
    if _SEGMENT_TAGS.intersection(after) or not _last_line_is_whole(last, lines):
        return TextEnd.CUT
    return TextEnd.WHOLE if ended else TextEnd.OPEN


def multivariant_text_end(last: str, lines: list[str]) -> TextEnd:
    """Return how the text of a Multivariant Playlist ends; `last` is its `unterminated_line`, `lines` are its tags and URIs.

    About one in eight of those that are published has no line end after its last line, so that alone is no cut.
    """
    if lines[-1].startswith("#EXT-X-STREAM-INF"):
        return TextEnd.CUT
    if last.startswith("#") and last.count('"') % 2:
        return TextEnd.CUT
    return TextEnd.OPEN if last else TextEnd.WHOLE


def unterminated_line(body: bytes) -> str:
    """Return what stands after the last line end of a text, without white space; empty if there is nothing."""
    return body[max(body.rfind(b"\r"), body.rfind(b"\n")) + 1 :].decode("utf-8", "replace").strip()


def _last_line_is_whole(last: str, lines: list[str]) -> bool:
    if not last:
        return True
    uris = [line for line in lines if line[0] != "#"]
    return not last.startswith("#") and uris[-1:] == uris[-2:-1]
