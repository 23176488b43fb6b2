"""EXT-X-DEFINE: variables in a playlist, and their substitution (RFC 8216bis, 4.3 and 4.4.2.3)."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from transcoder.core.hls.playlist.normalization import attributes
from transcoder.errors import UnsupportedSourceError

_TAG = "#EXT-X-DEFINE:"
_REFERENCE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")
MAX_CHARACTERS = 16 * 1024 * 1024
"""A playlist into which variables put more than this is refused: a few of them doubling each other could fill the memory."""


def substitute(lines: list[str], url: str, imported: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Put the values of variables in place of `{$name}`; return the lines and the variables defined.

    A text without EXT-X-DEFINE is returned as it is: before version 8 such letters mean themselves.

    Raises:
        UnsupportedSourceError: a variable is used, imported or taken from the query, and has no value, or a line is nothing but empty ones.
    """
    variables: dict[str, str] = {}
    if not any(line.startswith(_TAG) for line in lines):
        return lines, variables
    substituted = []
    room = MAX_CHARACTERS
    for line in lines:
        values = [_value(variables, name) for name in _REFERENCE.findall(line)] if "{$" in line else []
        room -= sum(map(len, values))
        if room < 0:
            raise UnsupportedSourceError(f"Variables put more than {MAX_CHARACTERS} characters into the playlist.")
        new = _REFERENCE.sub(lambda match: variables[match[1]], line) if values else line
        if not new.strip():
            raise UnsupportedSourceError("Of a line of the playlist its variables leave nothing.")
        if new.startswith(_TAG):
            _define(variables, attributes(new[len(_TAG) :]), url, imported)
        substituted.append(new)
    return substituted, variables


def _value(variables: Mapping[str, str], name: str) -> str:
    """Look a variable up."""
    if name not in variables:
        raise UnsupportedSourceError(f"The playlist uses the variable {name!r}, which has no value.")
    return variables[name]


def _define(variables: dict[str, str], tag: Mapping[str, str], url: str, imported: Mapping[str, str]) -> None:
    """Carry out one EXT-X-DEFINE tag; one without a known form defines nothing, and its uses are refused."""
    if "NAME" in tag:
        variables[tag["NAME"]] = tag.get("VALUE", "")
    elif "IMPORT" in tag:
        variables[tag["IMPORT"]] = _value(imported, tag["IMPORT"])
    elif "QUERYPARAM" in tag:
        variables[tag["QUERYPARAM"]] = _value(_query(url), tag["QUERYPARAM"])


def _query(url: str) -> dict[str, str]:
    """Read the query's parameters, unescaped; `+` means itself, for it stands in signatures more often than for a space."""
    try:
        query = urlsplit(url).query
    except ValueError:
        return {}
    pairs = (pair.partition("=") for pair in query.split("&"))
    return {unquote(name): unquote(value) for name, _, value in pairs if value}
