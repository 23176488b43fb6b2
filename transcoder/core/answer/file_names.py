"""Makes file names that Windows, macOS and Linux accept from titles and addresses, and the Content-Disposition header."""

import re
import unicodedata
from urllib.parse import quote, unquote, urlsplit

MAX_NAME_BYTES = 150
"""In UTF-8, including the extension: file systems allow 255, and what a browser adds to a name (` (1)`, `.crdownload`) must fit too."""
_MAX_TITLE_CHARACTERS = 1000
_FALLBACK = "video"
# Separators become hyphens; the other characters that Windows forbids are dropped, since nothing is lost by that.
_REPLACED = str.maketrans({**dict.fromkeys("/\\|:\N{FRACTION SLASH}\N{DIVISION SLASH}", "-"), **dict.fromkeys('<>*?"')})
_INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn"})  # beside those that become a space
_JOINER = "\N{ZERO WIDTH JOINER}"  # joins the parts of one emoji
_VARIATION = "\N{VARIATION SELECTOR-16}"
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
_LEADING = " ._-~" + _JOINER + _VARIATION
_TRAILING = " ." + _JOINER
_GENERIC_STEMS = re.compile(
    r"(?:hls|dash|cmaf)\w*+|(?:index|master|main|playlist|manifest|output|prog_index|chunklist|stream|video|media)(?:_?\d+)?",
    re.IGNORECASE,
)


def file_name(title: str, extension: str) -> str:
    """Return a safe file name for `title` with that extension (without its dot).

    It contains no path, no invisible characters and no name that an operating system reserves. If the title already ends with the
    extension, it is not repeated. The part before the extension is never empty, and the name is at most `MAX_NAME_BYTES` long.
    """
    suffix = f".{extension}"
    # No more is needed for a name, and putting many combining marks in order takes quadratic time.
    text = unicodedata.normalize("NFC", title.strip()[:_MAX_TITLE_CHARACTERS])
    if text.strip().lower().endswith(suffix.lower()):
        text = text.strip()[: -len(suffix)]
    text = "".join(_visible(character) for character in text).translate(_REPLACED)
    # Normalize again: a dropped character may have separated a letter and its combining mark.
    stem = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).lstrip(_LEADING).rstrip(_TRAILING)
    stem = stem.encode()[: MAX_NAME_BYTES - len(suffix.encode()) - 1].decode(errors="ignore")
    stem = stem.rstrip(_TRAILING) or _FALLBACK
    return f"_{stem}{suffix}" if _DEVICES.match(stem) else stem + suffix


def subtitle_file_name(given: str | None, title: str, language: str | None, extension: str) -> str:
    """Return the file name of subtitles: the `given` one, or the title and the language, as players look for it beside a video."""
    if given is not None or not re.fullmatch(r"[A-Za-z0-9-]{1,35}", language or ""):
        return file_name(given if given is not None else title, extension)
    return file_name(title, f"{language}.{extension}")


def title_from_url(url: str) -> str:
    """Return the last part of an address's path that is not a generic word such as `master` or `playlist`."""
    parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
    stems = [*parts[:-1], parts[-1].rpartition(".")[0] or parts[-1]] if parts else []
    return next((stem for stem in reversed(stems) if not _GENERIC_STEMS.fullmatch(stem)), _FALLBACK)


def content_disposition(name: str) -> str:
    """Return the header value that makes a browser save the response as `name` (RFC 6266, 4; RFC 8187, 3.2).

    `filename` is for clients without support for `filename*`: in ASCII, and without the characters that some of them unescape.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    ascii_name = re.sub(r"[^A-Za-z0-9 !#$&'()+,.;=@\[\]^_`{}~-]", "_", ascii_name).strip(" ")
    ascii_name = ascii_name if ascii_name.rpartition(".")[0].strip(" ._-~") else f"{_FALLBACK}.{name.rpartition('.')[2]}"
    header = f'attachment; filename="{ascii_name}"'
    return header if ascii_name == name else f"{header}; filename*=UTF-8''{quote(name, safe='!#$&+^`|')}"


def _visible(character: str) -> str:
    """Return a visible character unchanged, a space for a control character or any kind of space, and nothing for the rest."""
    category = unicodedata.category(character)
    if character.isspace() or category == "Cc":
        return " "
    # Marks that change the direction of writing can make one extension look like another.
    return "" if category in _INVISIBLE and character != _JOINER else character
