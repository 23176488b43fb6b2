"""Reads members of a JSON document that may have any type or be missing.

Every function takes a path: the names and indices that lead to the member.
"""

from collections.abc import Mapping
from typing import cast

from transcoder.core.answer.plain_text import without_surrogates
from transcoder.core.media.character_references import unescape

_MAX_NUMBER = 1e11
_EMPTY_OBJECT: Mapping[str, object] = {}


def get_member(value: object, *path: str | int) -> object:
    """Return the member at `path`; None if there is none."""
    for name in path:
        if isinstance(name, str):
            value = cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
        else:
            value = value[name] if isinstance(value, list) and -len(value) <= name < len(value) else None
    return value


def get_object(value: object, *path: str | int) -> Mapping[str, object]:
    """Return the object at `path`; an empty one if there is none."""
    found = get_member(value, *path)
    return cast("dict[str, object]", found) if isinstance(found, dict) else _EMPTY_OBJECT


def get_array(value: object, *path: str | int) -> list[object]:
    """Return the array at `path`; an empty one if there is none."""
    found = get_member(value, *path)
    return found if isinstance(found, list) else []


def get_string(value: object, *path: str | int) -> str:
    """Return the string at `path`, with HTML entities decoded and no half of a character; an empty one if there is none."""
    found = get_member(value, *path)
    return without_surrogates(unescape(found)) if isinstance(found, str) else ""


def get_positive_number(value: object, *path: str | int, limit: float = _MAX_NUMBER) -> float | None:
    """Return the number at `path`; None if there is none, or if it is not above 0 or not below `limit`."""
    found = get_member(value, *path)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) and 0 < found < limit else None
