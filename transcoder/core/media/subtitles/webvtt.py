"""Parses one WebVTT text: a segment of a rendition of subtitles, or all of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from transcoder.core.media.timestamps import CLOCK_HZ
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

MAX_CUES = 50_000
"""Subtitles with more cues are refused: so many are shown in a day."""
MAX_LINES = 200_000
"""A text with more lines is refused."""
MAX_CUE_CHARACTERS = 10_000
"""A text with a longer cue is refused."""
_TIME = r"(?:(\d{1,6}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})"
_CLOCK = re.compile(_TIME, re.ASCII)
_TIMING = re.compile(rf"\s*({_TIME})\s*-->\s*({_TIME})(?:\s+(.*))?", re.ASCII)
_MAP = re.compile(r"X-TIMESTAMP-MAP\s*=", re.IGNORECASE)
_MPEGTS = re.compile(r"MPEGTS:\s*(\d{1,19})(?:,|$)", re.ASCII | re.IGNORECASE)
_LOCAL = re.compile(rf"LOCAL:\s*({_TIME})\s*(?:,|$)", re.ASCII | re.IGNORECASE)
_BOXES = frozenset({b"ftyp", b"styp", b"sidx", b"moof", b"moov", b"emsg", b"prft", b"mdat"})
_ARROW = "-->"


@dataclass(frozen=True, slots=True)
class Cue:
    """One cue. Times are in seconds, on the clock of its text."""

    start: float
    end: float
    text: str
    """Its lines, with WebVTT's tags and character references."""
    settings: str = ""
    """Where it is shown, as WebVTT writes it."""
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class WebVtt:
    """The contents of one text, comments left out."""

    cues: tuple[Cue, ...]
    blocks: tuple[str, ...] = ()
    """The style sheets (STYLE) and regions (REGION), each with its first line."""
    zero: float | None = None
    """When its clock shows zero, in seconds on the clock of the media, by X-TIMESTAMP-MAP; None if it has none."""
    local: float = 0.0
    """The LOCAL of X-TIMESTAMP-MAP, in seconds."""


def parse_webvtt(content: bytes) -> WebVtt:
    """Parse a text; cues that show nothing are left out, and invalid UTF-8 is replaced.

    Raises:
        UnsupportedSourceError: it is an MP4 or TTML, or too long.
        DamagedMediaError: it is not WebVTT, or a cue in it is cut.

    """
    if content[4:8] in _BOXES:
        raise UnsupportedSourceError("The subtitles are in MP4 segments (wvtt or stpp), which is not supported; only WebVTT as text is.")
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if re.match(r"\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?tt[\s>]", text):
        raise UnsupportedSourceError("The subtitles are TTML, which is not supported; only WebVTT is.")
    if not re.match(r"WEBVTT(?:[ \t\n]|$)", text):
        raise DamagedMediaError("The origin sent something other than WebVTT as subtitles.")
    # Counted first, because each line and each cue takes far more memory than it has bytes.
    if text.count(_ARROW) > MAX_CUES or text.count("\n") > MAX_LINES:
        raise UnsupportedSourceError(f"The subtitles have more than {MAX_CUES} cues or {MAX_LINES} lines.")
    head, *blocks = re.split(r"\n{2,}", text.rstrip("\n"))
    header = head.split("\n")[1:]
    first_cue = next((index for index, line in enumerate(header) if _ARROW in line), len(header))
    lines = [*header[:first_cue], *(line for block in blocks if _ARROW not in block for line in block.split("\n"))]
    zero, local = _timestamp_map(lines)
    cues = [*_cues(header[first_cue:]), *(cue for block in blocks if not _is_comment(block) for cue in _cues(block.split("\n")))]
    _check_end(blocks[-1] if blocks else head, is_header=not blocks, ended=text.endswith("\n"))
    kept = tuple(block for block in blocks if re.match(r"(?:STYLE|REGION)[ \t]*\n", block) and _ARROW not in block)
    return WebVtt(tuple(cue for cue in cues if cue.end > cue.start and cue.text), kept, zero, local)


def _is_comment(block: str) -> bool:
    return re.match(r"NOTE(?:[ \t\n]|$)", block) is not None


def _timestamp_map(lines: Sequence[str]) -> tuple[float | None, float]:
    """Return when the text's clock shows zero, on the clock of the media, and LOCAL (RFC 8216, 3.5)."""
    line = next((line for line in lines if _MAP.match(line)), None)
    if line is None:
        return None, 0.0
    value = line.partition("=")[2].strip()
    mpegts, local = _MPEGTS.search(value), _LOCAL.search(value)
    if mpegts is None or ("LOCAL" in value.upper() and local is None):
        raise DamagedMediaError(f"The subtitles have an invalid X-TIMESTAMP-MAP: {value[:100]!r}.")
    local_seconds = parse_time(local[1]) if local else 0.0
    return int(mpegts[1]) / CLOCK_HZ - local_seconds, local_seconds


def _cues(lines: Sequence[str]) -> Iterator[Cue]:
    """Yield the cues of a block: usually one, more if no blank line stands between them."""
    places = [index for index, line in enumerate(lines) if _ARROW in line]
    for place, following in pairwise([*places, len(lines)]):
        timing = _TIMING.fullmatch(lines[place])
        if timing is None:
            raise DamagedMediaError(f"The subtitles are damaged: {lines[place][:100]!r} is not the timing of a cue.")
        identifier = lines[0].strip() if place == places[0] == 1 else ""
        text = "\n".join(lines[place + 1 : following]).strip()
        if len(text) > MAX_CUE_CHARACTERS:
            raise UnsupportedSourceError(f"The subtitles have a cue of more than {MAX_CUE_CHARACTERS} characters.")
        yield Cue(parse_time(timing[1]), parse_time(timing[6]), text, (timing[11] or "").strip(), identifier)


def _check_end(block: str, *, is_header: bool, ended: bool) -> None:
    """Raise `DamagedMediaError` if the last block is the beginning of a cue."""
    lines = block.split("\n")
    is_other = is_header or _is_comment(block) or lines[0].strip() in {"STYLE", "REGION"} or _MAP.match(block)
    has_no_timing = not is_other and not any(_ARROW in line for line in lines)
    if has_no_timing or (_ARROW in lines[-1] and not ended and not _is_comment(block)):
        raise DamagedMediaError("The subtitles are cut: they end in the middle of a cue.")


def parse_time(text: str) -> float:
    """Return a valid time of WebVTT in seconds."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hours, minutes, seconds, fraction = match.groups()
    return (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000
