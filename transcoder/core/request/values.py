"""Times, sizes and words as people write them → numbers and members of enumerations."""

import re
from enum import Enum
from typing import TypeVar

from transcoder.errors import BadRequestError

E = TypeVar("E", bound=Enum)

_MOMENT = re.compile(r"(?:(?:([0-9]{1,4}):)?([0-5]?[0-9]):)?([0-9]{1,7}(?:\.[0-9]{1,9})?)", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([kmg]?b?)", re.ASCII | re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_MINUTE = 60


def moment(name: str, text: str) -> float:
    """Read a time as seconds (`90`, `90.5`) or `h:mm:ss[.fff]`, `m:ss`.

    Raises:
        BadRequestError: it is none; the sentence begins with `name`.

    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None or (match[2] is not None and float(match[3]) >= _MINUTE):
        raise BadRequestError(f"{name}: {text[:100]!r} is not a time; write seconds (90.5) or h:mm:ss (1:02:03.5).")
    return int(match[1] or 0) * _MINUTE * _MINUTE + int(match[2] or 0) * _MINUTE + float(match[3])


def byte_count(name: str, text: str) -> int:
    """Read a size: bytes, or with kB, MB, GB (powers of 1000).

    Raises:
        BadRequestError: it is none, or zero.

    """
    match = _SIZE.fullmatch(text.strip())
    count = int(float(match[1]) * _FACTORS[match[2].lower().removesuffix("b")]) if match else 0
    if not count:
        raise BadRequestError(f"{name}: {text[:100]!r} is not a size; write it like 8MB.")
    return count


def one_of(kind: type[E], name: str, text: str) -> E:
    """Read a word as the member of `kind` that has it as its value.

    Raises:
        BadRequestError: no member has; the sentence lists those that there are.

    """
    try:
        return kind(text.lower())
    except ValueError as error:
        raise BadRequestError(f"{name}: {text[:100]!r} is none of {', '.join(str(each.value) for each in kind)}.") from error
