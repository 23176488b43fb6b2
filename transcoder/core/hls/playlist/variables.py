"""Substitutes the variables that a playlist defines with EXT-X-DEFINE (RFC 8216bis, 4.3 and 4.4.2.3)."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from transcoder.core.hls.playlist.lines import MAX_LINE_CHARACTERS
from transcoder.core.hls.playlist.normalization import attributes
from transcoder.errors import UnsupportedSourceError

_TAG = "#EXT-X-DEFINE:"
_REFERENCE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")
MAX_CHARACTERS = 16 * 1024 * 1024
"""A playlist whose variables add more characters is refused: a few variables that double each other could exhaust the memory."""


def substitute(lines: list[str], url: str, imported: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the lines with `{$name}` replaced by the variables' values, and the variables defined.

    Text without EXT-X-DEFINE is returned unchanged: before version 8, `{$name}` has no special meaning.

    Raises:
        UnsupportedSourceError: a variable that is used, imported or taken from the query has no value, or a line is empty after the
            substitution.
    """
    variables: dict[str, str] = {}
    if not any(line.startswith(_TAG) for line in lines):
        return lines, variables
    substituted = []
    remaining = MAX_CHARACTERS
    for line in lines:
        values = [_value(variables, name) for name in _REFERENCE.findall(line)] if "{$" in line[:MAX_LINE_CHARACTERS] else []
        remaining -= sum(map(len, values))
        if remaining < 0:
            raise UnsupportedSourceError(f"The playlist's variables expand to more than {MAX_CHARACTERS} characters.")
        new = _REFERENCE.sub(lambda match: variables[match[1]], line) if values else line
        if values and len(new) > MAX_LINE_CHARACTERS:
            raise UnsupportedSourceError(f"The playlist's variables make a line of more than {MAX_LINE_CHARACTERS} characters.")
        if not new.strip():
            raise UnsupportedSourceError("A line of the playlist is empty after its variables are replaced by their values.")
        if new.startswith(_TAG):
            _define(variables, attributes(new[len(_TAG) :]), url, imported)
        substituted.append(new)
    return substituted, variables


def _value(variables: Mapping[str, str], name: str) -> str:
    if name not in variables:
        raise UnsupportedSourceError(f"The playlist uses the variable {name!r}, which has no value.")
    return variables[name]


def _define(variables: dict[str, str], tag: Mapping[str, str], url: str, imported: Mapping[str, str]) -> None:
    """Apply one EXT-X-DEFINE tag; a tag of unknown form defines nothing, so that references to it are refused."""
    if "NAME" in tag:
        variables[tag["NAME"]] = tag.get("VALUE", "")
    elif "IMPORT" in tag:
        variables[tag["IMPORT"]] = _value(imported, tag["IMPORT"])
    elif "QUERYPARAM" in tag:
        variables[tag["QUERYPARAM"]] = _value(_query_parameters(url), tag["QUERYPARAM"])


def _query_parameters(url: str) -> dict[str, str]:
    """Return the query's parameters, unescaped; `+` is kept, since it is part of a signature more often than it means a space."""
    try:
        query = urlsplit(url).query
    except ValueError:
        return {}
    pairs = (pair.partition("=") for pair in query.split("&"))
    return {unquote(name): unquote(value) for name, _, value in pairs if value}
