"""Normalizes playlist text as it is found in the wild, so that the m3u8 package can parse it.

The package raises ValueError, KeyError or TypeError on bad versions, dates, sequence numbers and attributes, most of which do not
matter here. So it gets only the tags that this project uses, with values that it can parse; every other line is dropped. Values that
would lose media if they were dropped (a byte range) are refused.
"""

import math
import re
import statistics
from collections.abc import Callable
from datetime import UTC, datetime

from transcoder.errors import UnsupportedSourceError

_ATTRIBUTE = re.compile(r'(?<![A-Za-z0-9_-])([A-Za-z0-9_-]++)\s*+=\s*+("[^"]*"|[^,]*+)')
_NEEDS_QUOTES = re.compile(r"[,'=\s]")
_NUMBER = re.compile(r"[0-9]{1,15}")
_SEQUENCE = re.compile(r"[0-9]{1,20}")
_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,15})?")
_DURATION = re.compile(r"\s*+([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?|[+-]?(?:nan|inf))", re.IGNORECASE)
_FRACTION = re.compile(r"#EXTINF:\s*+[0-9]*+\.([0-9]+)")
_BYTERANGE = re.compile(r"\s*+([0-9]{1,18})\s*+(?:@\s*+(?:([0-9]{1,18})\s*+)?)?")
_LONGEST_DATE = 64
"""Characters; no valid date has more."""
_TOO_LONG = 1e9
"""Seconds: 31 years."""
_NUMERIC = {"BANDWIDTH": _NUMBER, "AVERAGE-BANDWIDTH": _NUMBER, "PROGRAM-ID": _NUMBER, "FRAME-RATE": _DECIMAL}

VARIANT_AND_RENDITION_TAGS = frozenset({"#EXT-X-STREAM-INF", "#EXT-X-MEDIA"})
"""The tags of a Multivariant Playlist that are read."""
_MULTIVARIANT_ONLY_TAGS = VARIANT_AND_RENDITION_TAGS | {"#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY"}


def attributes(text: str) -> dict[str, str]:
    """Parse an attribute list (RFC 8216, 4.2), with quotes in the right places or not; the last of several equal names wins."""
    return {name.upper(): value.strip().strip('"') for name, value in _ATTRIBUTE.findall(text)}


def byte_range(text: str) -> tuple[int, int | None]:
    """Parse `length[@offset]` in bytes (RFC 8216, 4.3.2.2); an `@` with nothing after it is ignored.

    Raises:
        UnsupportedSourceError: the text has another form. Without its byte range, the segment would be the whole file.
    """
    match = _BYTERANGE.fullmatch(text.strip('"'))
    if match is None:
        raise UnsupportedSourceError(f"The playlist is broken: {text[:100]!r} is not a byte range.")
    return int(match[1]), int(match[2]) if match[2] else None


def is_multivariant(lines: list[str]) -> bool:
    """Whether this is a Multivariant Playlist and not a Media Playlist; a mixture of both counts as the former if it has variants."""
    names = {line.partition(":")[0] for line in lines if line[0] == "#"}
    if "#EXT-X-STREAM-INF" in names:
        return True
    return not names & {"#EXTINF", "#EXT-X-TARGETDURATION"} and bool(names & _MULTIVARIANT_ONLY_TAGS)


def multivariant_lines(lines: list[str]) -> list[str]:
    """Return the lines for variants and renditions, with attributes rewritten so that the package can parse them."""
    kept = []
    for line in lines:
        name, _, value = line.partition(":")
        if line[0] != "#":
            kept.append(line)
        elif name in VARIANT_AND_RENDITION_TAGS:
            kept.append(f"{name}:{_rewrite_attributes(value)}")
    return kept


def _rewrite_attributes(text: str) -> str:
    """Return an attribute list with quotes only where they are needed, and without numeric attributes that are not numbers."""
    written = []
    for name, value in attributes(text).items():
        number = _NUMERIC.get(name)
        if number is not None:
            match = number.match(value)
            if match is None:
                continue
            value = match[0]  # noqa: PLW2901 - "1280000.5" and "30 fps" begin with a usable number
        value = value.replace('"', "")  # noqa: PLW2901 - a quote in the middle of an unquoted value has no meaning
        written.append(f'{name}="{value}"' if _NEEDS_QUOTES.search(value) else f"{name}={value}")
    return ",".join(written)


def header_lines(lines: list[str]) -> list[str]:
    """Return the tags that apply to a whole Media Playlist, wherever they are, such that each value can be parsed."""
    kept = []
    for line in lines:
        name, _, value = line.partition(":")
        normalize = _HEADER_TAGS.get(name)
        tag = None if normalize is None else normalize(name, value)
        if tag is not None:
            kept.append(tag)
    return kept


def usual_seconds(lines: list[str], target: int) -> float:
    """Return the duration to use for a segment without one: the median of the others, or the target duration if most have none.

    Raises:
        UnsupportedSourceError: there is neither.
    """
    if not target:
        raise UnsupportedSourceError("The playlist is broken: it has neither segment durations nor a target duration.")
    known = [seconds for line in lines if line.startswith("#EXTINF:") and (seconds := duration(line[8:]))]
    segments = sum(line[0] != "#" for line in lines)
    return statistics.median(known) if 2 * len(known) >= segments else float(target)


def target_seconds(lines: list[str]) -> int:
    """Return EXT-X-TARGETDURATION; if it is missing or not a number, the longest EXTINF, or 0 if there is none."""
    target = 0
    for line in lines:
        if line.startswith("#EXT-X-TARGETDURATION:"):
            match = _DECIMAL.match(line.partition(":")[2].strip())
            target = math.ceil(float(match[0])) if match else target
    if target:
        return target
    durations = (seconds for line in lines if line.startswith("#EXTINF:") and (seconds := duration(line[8:])) is not None)
    return math.ceil(max(durations, default=0))


def duration(value: str) -> float | None:
    """Return the number at the beginning of an EXTINF value; None if there is none that could be a duration.

    Packagers write a negative one where timestamps jump back, and lists of radio stations for endless streams. Of one that is too long for
    any source it is enough to know that: sums of larger numbers are none.
    """
    match = _DURATION.match(value)
    seconds = float(match[1]) if match else -1.0
    return min(seconds, _TOO_LONG) if math.isfinite(seconds) and seconds >= 0 else None


def date(value: str) -> float | None:
    """Return a date and time of ISO 8601 in seconds since 1970; None if it is none, or earlier, or after the year 9999.

    One without a time zone, which the tag should have, is taken to be UTC.
    """
    try:
        moment = datetime.fromisoformat(value.strip()[:_LONGEST_DATE])
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if seconds >= 0 else None


def duration_rounding(lines: list[str]) -> float:
    """Return by how many seconds a duration may be rounded: half a unit of the last decimal place with which any of them is written.

    Protocol versions before 3 require whole seconds (RFC 8216, 7).
    """
    decimals = max((len(match[1]) for line in lines if (match := _FRACTION.match(line))), default=0)
    return 10.0**-decimals / 2


def _number(name: str, value: str) -> str | None:
    """Keep the tag if its value is a number."""
    match = _SEQUENCE.fullmatch(value.strip())
    return f"{name}:{match[0]}" if match else None


def _without_value(name: str, _value: str) -> str:
    """Keep a tag that has no value."""
    return name


def _unchanged(name: str, value: str) -> str:
    """Keep the tag unchanged."""
    return f"{name}:{value}"


_HEADER_TAGS: dict[str, Callable[[str, str], str | None]] = {
    "#EXT-X-DISCONTINUITY-SEQUENCE": _number,
    "#EXT-X-ENDLIST": _without_value,
    "#EXT-X-I-FRAMES-ONLY": _without_value,
    "#EXT-X-IMAGES-ONLY": _without_value,
    "#EXT-X-MEDIA-SEQUENCE": _number,
    "#EXT-X-PLAYLIST-TYPE": _unchanged,
}
"""What is kept of each tag that applies to the whole playlist."""
HEADER_TAGS = frozenset(_HEADER_TAGS)
"""The tags that apply to a whole Media Playlist."""
