"""Titles and addresses → file names that Windows, macOS and Linux take, and the header that carries one."""

import re
import unicodedata
from urllib.parse import quote, unquote, urlsplit

MAX_NAME_BYTES = 150
"""In UTF-8, with the ending: file systems allow 255, and what a browser adds to a name (` (1)`, `.crdownload`) has to fit too."""
_FALLBACK = "video"
# Separators become hyphens; the rest of what Windows forbids says nothing that is missed.
_REPLACED = str.maketrans({**dict.fromkeys("/\\|:\N{FRACTION SLASH}\N{DIVISION SLASH}", "-"), **dict.fromkeys('<>*?"')})
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINER = "\N{ZERO WIDTH JOINER}"  # holds emoji of several parts together
_VARIATION = "\N{VARIATION SELECTOR-16}"
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
_LEADING = " ._-~" + _JOINER + _VARIATION
_TRAILING = " ." + _JOINER
_GENERIC_STEMS = re.compile(
    r"(index|master|main|playlist|manifest|output|prog_index|chunklist|hls_?\w*|dash_?\w*|cmaf_?\w*|stream|video|media)(_?\d+)?",
    re.IGNORECASE,
)


def file_name(title: str, extension: str) -> str:
    """Make `title` a file name with that extension (without its dot): no path, nothing invisible, nothing that a system reserves.

    The title may end with the extension already. What is left of it is never empty, and the name is at most `MAX_NAME_BYTES` long.
    """
    ending = f".{extension}"
    text = unicodedata.normalize("NFC", title)
    if text.strip().lower().endswith(ending.lower()):
        text = text.strip()[: -len(ending)]
    text = "".join(_visible(character) for character in text).translate(_REPLACED)
    # Again, for what was taken out may have stood between a letter and its mark.
    stem = _ends_clean(re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).lstrip(_LEADING))
    stem = stem.encode()[: MAX_NAME_BYTES - len(ending.encode()) - 1].decode(errors="ignore")
    stem = _ends_clean(stem) or _FALLBACK
    return f"_{stem}{ending}" if _DEVICES.match(stem) else stem + ending


def title_from_url(url: str) -> str:
    """Find the most telling part of an address's path: the last that is not a word such as `master` or `playlist`."""
    parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
    stems = [*parts[:-1], parts[-1].rpartition(".")[0] or parts[-1]] if parts else []
    return next((stem for stem in reversed(stems) if not _GENERIC_STEMS.fullmatch(stem)), _FALLBACK)


def content_disposition(name: str) -> str:
    """Write the header that makes a browser save what comes under `name` (RFC 6266, 4; RFC 8187, 3.2).

    `filename` is for those that do not know `filename*`: in ASCII, and without the characters that some of them unescape.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 !#$&'()+,.;=@\[\]^_`{}~-]", "_", plain).strip(" ")
    plain = plain if plain.rpartition(".")[0].strip(" ._-~") else f"{_FALLBACK}.{name.rpartition('.')[2]}"
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='!#$&+^`|')}"


def _visible(character: str) -> str:
    """Keep what can be seen, make a blank of a control character or any space, leave out the rest."""
    category = unicodedata.category(character)
    if character.isspace() or category == "Cc":
        return " "
    # Marks that turn the direction of writing can make an ending look like another one.
    return "" if category in _INVISIBLE and character != _JOINER else character


def _ends_clean(stem: str) -> str:
    return stem.rstrip(_TRAILING)
