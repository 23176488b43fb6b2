"""Playlist text as it is found in the wild → lines that the m3u8 package reads without stumbling.

The package raises ValueError, KeyError or TypeError on bad versions, dates, sequence numbers and attributes, most of which mean
nothing here. So only the tags that this project uses reach it, with values it can read; every other line is left out. What would
lose media if it were left out (a byte range, a duration below zero) is refused.
"""

import math
import re
from collections.abc import Callable

from transcoder.core.hls.playlist.uris import shown
from transcoder.errors import UnsupportedSourceError

_LINE_END = re.compile(r"\r\n|\r|\n")
# str.splitlines, which the package uses, cuts at these too; RFC 8216 (4.1) knows LF and CRLF only.
_NOT_LINE_ENDS = str.maketrans(dict.fromkeys("\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", "\ufffd"))
_BLANK = " \t\ufeff\u00a0\u200b"
_ATTRIBUTE = re.compile(r'(?<![A-Za-z0-9_-])([A-Za-z0-9_-]++)\s*+=\s*+("[^"]*"|[^,]*+)')
_NEEDS_QUOTES = re.compile(r"[,'=\s]")
_NUMBER = re.compile(r"[0-9]{1,15}")
_SEQUENCE = re.compile(r"[0-9]{1,20}")
_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,15})?")
_DURATION = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?|[+-]?(?:nan|inf))", re.IGNORECASE)
_BYTERANGE = re.compile(r"\s*([0-9]{1,18})\s*(?:@\s*([0-9]{1,18})?\s*)?")
_NUMERIC = {"BANDWIDTH": _NUMBER, "AVERAGE-BANDWIDTH": _NUMBER, "PROGRAM-ID": _NUMBER, "FRAME-RATE": _DECIMAL}

MAX_URIS = 100_000
"""A playlist that lists more segments or variants is refused."""
MAX_LINES = 500_000
"""A playlist of more lines is refused, comments and blank ones not counted."""

OF_MULTIVARIANT = frozenset({"#EXT-X-STREAM-INF", "#EXT-X-MEDIA"})
_ONLY_IN_MULTIVARIANT = OF_MULTIVARIANT | {"#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY"}


def attributes(text: str) -> dict[str, str]:
    """Read an attribute list (RFC 8216, 4.2), quoted where it should be or not; a later attribute of the same name wins."""
    return {name.upper(): value.strip().strip('"') for name, value in _ATTRIBUTE.findall(text)}


def byte_range(text: str) -> tuple[int, int | None]:
    """Read `length[@offset]` in bytes (RFC 8216, 4.3.2.2); an `@` with nothing after it counts as none.

    Raises:
        UnsupportedSourceError: it is not of that form; without its range, a segment would be the whole file.
    """
    match = _BYTERANGE.fullmatch(text.strip('"'))
    if match is None:
        raise UnsupportedSourceError(f"The playlist is broken: {text[:100]!r} is not a byte range.")
    return int(match[1]), int(match[2]) if match[2] else None


def lines_of(text: str, url: str) -> list[str]:
    """Cut a text into its tags and URIs: without byte order mark, blank lines, comments, and whatever the line ends are.

    Raises:
        UnsupportedSourceError: the text is empty, a web page, something else that is plainly not a playlist, or too long.
    """
    stripped = (line.strip().strip(_BLANK) for line in _LINE_END.split(text.translate(_NOT_LINE_ENDS)))
    lines = [line for line in stripped if line and (line[0] != "#" or line.startswith("#EXT"))]
    where = shown(url)
    if not lines:
        raise UnsupportedSourceError(f"{where} is empty, not a playlist.")
    start = lines[0][:200].lower()
    if start.startswith("<mpd") or (start.startswith("<?xml") and "<mpd" in text[:2000].lower()):
        raise UnsupportedSourceError(f"{where} is a DASH manifest, not an HLS playlist.")
    if start.startswith(("<!doctype html", "<html", "<head", "<body", "<script", "<!--", "<?xml")):
        raise UnsupportedSourceError(f"{where} is a web page, not a playlist.")
    if not any(line.startswith("#EXT") for line in lines):
        raise UnsupportedSourceError(f"{where} is not an HLS playlist.")
    if len(lines) > MAX_LINES or sum(line[0] != "#" for line in lines) > MAX_URIS:
        raise UnsupportedSourceError(f"{where} is too long: {MAX_URIS} segments and {MAX_LINES} lines are the most.")
    return lines


def is_multivariant(lines: list[str]) -> bool:
    """Tell a Multivariant Playlist from a Media Playlist; one that mixes both kinds of tags is the former, if it names variants."""
    names = {line.partition(":")[0] for line in lines if line[0] == "#"}
    if "#EXT-X-STREAM-INF" in names:
        return True
    return not names & {"#EXTINF", "#EXT-X-TARGETDURATION"} and bool(names & _ONLY_IN_MULTIVARIANT)


def multivariant_lines(lines: list[str]) -> list[str]:
    """Keep what names variants and renditions, its attributes rewritten so that the package reads them."""
    kept = []
    for line in lines:
        name, _, value = line.partition(":")
        if line[0] != "#":
            kept.append(line)
        elif name in OF_MULTIVARIANT:
            kept.append(f"{name}:{_rewritten(value)}")
    return kept


def _rewritten(text: str) -> str:
    """Write an attribute list again: quotes where they are needed and nowhere else, numbers that are none left out."""
    written = []
    for name, value in attributes(text).items():
        number = _NUMERIC.get(name)
        if number is not None:
            match = number.match(value)
            if match is None:
                continue
            value = match[0]  # noqa: PLW2901 - "1280000.5" and "30 fps" are numbers with something after them
        value = value.replace('"', "")  # noqa: PLW2901 - one in the middle of an unquoted value ends nothing
        written.append(f'{name}="{value}"' if _NEEDS_QUOTES.search(value) else f"{name}={value}")
    return ",".join(written)


def media_lines(lines: list[str]) -> list[str]:
    """Keep what tells where the media is, so that each URI has its EXTINF and each value can be read.

    A segment without a duration, or with one that is no number, is given the target duration: its media is there all the same.

    Raises:
        UnsupportedSourceError: a duration is below zero or not finite, a byte range is none, or a duration is missing everywhere.
    """
    target = _target_seconds(lines)
    kept = [f"#EXT-X-TARGETDURATION:{target}"]
    timed = False
    for line in lines:
        if line[0] != "#":
            if not timed:
                kept.append(f"#EXTINF:{_default(target)},")
            kept.append(line)
            timed = False
            continue
        name, _, value = line.partition(":")
        clean = _MEDIA_TAGS.get(name)
        tag = None if clean is None else clean(name, value)
        if tag is not None:
            kept.append(tag)
            timed = timed or name == "#EXTINF"
    return kept


def _default(target: int) -> int:
    """Give the duration of a segment that has none."""
    if not target:
        raise UnsupportedSourceError("The playlist is broken: it gives neither the durations of its segments nor a target duration.")
    return target


def _target_seconds(lines: list[str]) -> int:
    """Read EXT-X-TARGETDURATION; where it is missing or no number, the longest EXTINF, and 0 where there is none either."""
    target = 0
    for line in lines:
        if line.startswith("#EXT-X-TARGETDURATION:"):
            match = _DECIMAL.match(line.partition(":")[2].strip())
            target = math.ceil(float(match[0])) if match else target
    if target:
        return target
    durations = (seconds for line in lines if line.startswith("#EXTINF:") and (seconds := _seconds(line[8:])) is not None)
    return math.ceil(max(durations, default=0))


def _seconds(value: str) -> float | None:
    """Read the number that EXTINF begins with; None if it begins with none.

    Raises:
        UnsupportedSourceError: it is not finite, or below zero (which lists of radio stations use for "without an end").
    """
    match = _DURATION.match(value)
    if match is None:
        return None
    seconds = float(match[1])
    if not math.isfinite(seconds) or seconds < 0:
        raise UnsupportedSourceError(f"The playlist is broken: a segment lasts {match[1][:40]} seconds.")
    return seconds


def _extinf(name: str, value: str) -> str | None:
    """Keep a duration without its title."""
    seconds = _seconds(value)
    return None if seconds is None else f"{name}:{seconds!r},"


def _byterange(name: str, value: str) -> str:
    """Check a byte range."""
    length, offset = byte_range(value)
    return f"{name}:{length}" if offset is None else f"{name}:{length}@{offset}"


def _sequence(name: str, value: str) -> str | None:
    """Keep a number that is one."""
    match = _SEQUENCE.fullmatch(value.strip())
    return f"{name}:{match[0]}" if match else None


def _bare(name: str, _value: str) -> str:
    """Keep a tag that has no value."""
    return name


def _whole(name: str, value: str) -> str:
    """Keep the tag as it is."""
    return f"{name}:{value}"


_MEDIA_TAGS: dict[str, Callable[[str, str], str | None]] = {
    "#EXTINF": _extinf,
    "#EXT-X-BYTERANGE": _byterange,
    "#EXT-X-DISCONTINUITY": _bare,
    "#EXT-X-DISCONTINUITY-SEQUENCE": _sequence,
    "#EXT-X-ENDLIST": _bare,
    "#EXT-X-GAP": _bare,
    "#EXT-X-I-FRAMES-ONLY": _bare,
    "#EXT-X-IMAGES-ONLY": _bare,
    "#EXT-X-KEY": _whole,
    "#EXT-X-MAP": _whole,
    "#EXT-X-MEDIA-SEQUENCE": _sequence,
    "#EXT-X-PLAYLIST-TYPE": _whole,
    "#EXT-X-SKIP": _bare,
}
