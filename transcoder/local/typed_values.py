"""Whether the values that a program in Python passes are of the types that their parameters have."""

import os
from collections.abc import Mapping
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin

from transcoder.edge.fetch.local_files import can_be_path
from transcoder.errors import BadRequestError

_NAMES = {str: "a text", bool: "True or False", int: "a whole number", float: "a number", NoneType: "None", os.PathLike: "a path"}
_SHOWN_CHARACTERS = 100


def check_type(name: str, value: object, hint: object) -> None:
    """Find nothing wrong with a value that a parameter with such a type hint may have.

    Raises:
        BadRequestError: the value is of another type; the message begins with the name of the parameter.

    """
    if not _is_of(value, hint):
        raise BadRequestError(f"{name}: {repr(value)[:_SHOWN_CHARACTERS]} is not {_described(hint)}.")
    if os.PathLike in _kinds(hint) and value is not None:
        _check_path(name, value)


def _check_path(name: str, value: object) -> None:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise BadRequestError(f"{name}: {path!r} is a path of bytes, not of text.")
    if not can_be_path(path):
        raise BadRequestError(f"{name}: {path!r} has a character that no path has.")


def _is_of(value: object, hint: object) -> bool:
    """Return whether a value is of a type; an int is a float, as in type hints, but True and False are neither."""
    kinds, (kind, *inner) = _kinds(hint), (get_origin(hint) or hint, *get_args(hint))
    if len(kinds) > 1:
        return any(_is_of(value, each) for each in get_args(hint))
    if kind is Literal:
        return isinstance(value, str)  # whoever reads it says which texts it may be
    if kind is Mapping:
        return isinstance(value, Mapping) and all(_is_of(key, inner[0]) and _is_of(each, inner[1]) for key, each in value.items())
    if kind in {int, float}:
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    return isinstance(value, kind) if isinstance(kind, type) else callable(value)


def _kinds(hint: object) -> tuple[object, ...]:
    """Return the alternatives of a union, without their parameters; of any other hint, itself."""
    alternatives = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    return tuple(get_origin(each) or each for each in alternatives)


def _described(hint: object) -> str:
    """Return the types of a hint in words; None, which any choice may be, is not worth a word."""
    alternatives = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    words = [_word(each) for each in alternatives if each is not NoneType]
    return " or ".join(words)


def _word(hint: object) -> str:
    kind = get_origin(hint) or hint
    if kind is Literal:
        return f"one of {', '.join(map(repr, get_args(hint)))}"
    if kind is Mapping:
        values = get_args(hint)[1]
        return "a dictionary of texts" if values is str else "a dictionary of dictionaries of texts"
    if isinstance(kind, type):
        return _NAMES.get(kind, f"a {kind.__name__}")
    return "a function"
