"""Finds the functions that a change of a module's source is in, so that they can be changed in a process that has imported it."""

import gc
import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType

_Place = tuple[str, str, int]
"""The file, the qualified name and the first line of a function."""
Functions = Mapping[_Place, list[FunctionType]]


def functions_of(package: Path) -> Functions:
    """Return all functions of a package that are there, by their place."""
    found = defaultdict[_Place, list[FunctionType]](list)
    gc.unfreeze()  # what the program has frozen when it was imported would not be listed
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename.startswith(f"{package}/"):
            found[_place(each.__code__)].append(each)
    return found


def changed_functions(file: str, before: bytes, after: bytes, functions: Functions) -> list[tuple[FunctionType, CodeType]]:
    """Return the functions that differ, and their new code; none if it is not functions alone that differ, or they cannot be changed."""
    old, new = (compile(source, file, "exec", dont_inherit=True) for source in (before, after))
    changes = []
    if not _is_same_outside(old, new):
        return []
    known = _by_place(old)
    for place, codes in _by_place(new).items():
        if place not in known or codes == known[place]:
            continue
        if len(codes) > 1 or len(known[place]) > 1 or codes[0].co_freevars != known[place][0].co_freevars:
            return []
        changes += [(function, codes[0]) for function in functions.get(place, ())]
    return changes


def _is_same_outside(old: CodeType, new: CodeType) -> bool:
    """Return whether modules, or classes, do the same when they are imported, whatever their functions do."""
    if old.co_code != new.co_code or old.co_names != new.co_names or len(old.co_consts) != len(new.co_consts):
        return False
    for one, other in zip(old.co_consts, new.co_consts, strict=True):
        if not isinstance(one, CodeType) or not isinstance(other, CodeType):
            if one != other or type(one) is not type(other):
                return False
        elif not _is_function(one) and not _is_same_outside(one, other):
            return False
    return True


def _is_function(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_NEWLOCALS and code.co_flags & inspect.CO_OPTIMIZED)


def _by_place(code: CodeType) -> Mapping[_Place, list[CodeType]]:
    found = defaultdict[_Place, list[CodeType]](list)
    for each in _within(code):
        if _is_function(each):
            found[_place(each)].append(each)
    return found


def _within(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _within(each)


def _place(code: CodeType) -> _Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno
