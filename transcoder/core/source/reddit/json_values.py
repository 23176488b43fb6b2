"""Members of a JSON document that may be of any type, or missing."""

import html
from collections.abc import Mapping
from typing import cast

_LARGEST = 1e11
EMPTY: Mapping[str, object] = {}


def member(value: object, *names: str | int) -> object:
    """Go down a document by names and places; None where it does not go on."""
    for name in names:
        if isinstance(name, str):
            value = cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
        else:
            value = value[name] if isinstance(value, list) and -len(value) <= name < len(value) else None
    return value


def mapping(value: object, *names: str | int) -> Mapping[str, object]:
    """Return an object in a document, empty where there is none."""
    found = member(value, *names)
    return cast("dict[str, object]", found) if isinstance(found, dict) else EMPTY


def listed(value: object, *names: str | int) -> list[object]:
    """Return an array in a document, empty where there is none."""
    found = member(value, *names)
    return found if isinstance(found, list) else []


def text(value: object, *names: str | int) -> str:
    """Return a string in a document, its HTML entities undone; empty where there is none."""
    found = member(value, *names)
    return html.unescape(found) if isinstance(found, str) else ""


def number(value: object, *names: str | int) -> float | None:
    """Return a number above 0 in a document; None where there is none."""
    found = member(value, *names)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) and 0 < found < _LARGEST else None
