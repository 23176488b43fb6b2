"""Parses parameter values as people write them: times, sizes, numbers, flags, choices and texts."""

import re
from enum import Enum
from typing import TypeVar

from transcoder.errors import BadRequestError

E = TypeVar("E", bound=Enum)

_TIME = r"(?a)(?:(?:([0-9]{1,4}):)?([0-5]?[0-9]):)?([0-9]{1,7}(?:\.[0-9]{1,9})?)"
_SIZE = r"(?ai)([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*(b|[kmg](?:i?b)?|)"
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_MINUTE = 60
_MAX_TEXT_CHARACTERS = 500
_CONTROL = r"[\x00-\x1f\x7f\ud800-\udfff]"
"""What no text has: control characters, and halves of characters, which are what Python makes of bytes that are not UTF-8."""


def parse_time(name: str, text: str) -> float:
    """Return a time in seconds, written as seconds (`90`, `90.5`) or as `h:mm:ss[.fff]` or `m:ss`.

    Raises:
        BadRequestError: the text is not a time; the message begins with `name`.

    """
    match = re.fullmatch(_TIME, text.strip())
    if match is None or (match[2] is not None and float(match[3]) >= _MINUTE):
        raise BadRequestError(f"{name}: {text[:100]!r} is not a time; write seconds (90.5) or h:mm:ss (1:02:03.5).")
    return int(match[1] or 0) * _MINUTE * _MINUTE + int(match[2] or 0) * _MINUTE + float(match[3])


def parse_size(name: str, text: str) -> int:
    """Return a size in bytes, written as bytes, with kB, MB or GB (powers of 1000), or with KiB, MiB or GiB (powers of 1024).

    Raises:
        BadRequestError: the text is not a size, or it is zero.

    """
    match = re.fullmatch(_SIZE, text.strip())
    count = int(float(match[1]) * _FACTORS[match[2].lower().removesuffix("b")]) if match else 0
    if not count:
        raise BadRequestError(f"{name}: {text[:100]!r} is not a size; write it like 8MB (10^6 bytes) or 8MiB (2^20).")
    return count


def parse_choice(kind: type[E], name: str, text: str) -> E:
    """Return the member of `kind` whose value is the text.

    Raises:
        BadRequestError: no member has that value; the message lists the valid ones.

    """
    try:
        return kind(text.lower())
    except ValueError as error:
        raise BadRequestError(f"{name}: {text[:100]!r} is not one of {', '.join(str(each.value) for each in kind)}.") from error


def choices(kind: type[Enum]) -> str:
    """Return the values that `parse_choice` takes, as usage texts write them: `{copy,h264}`."""
    return f"{{{','.join(str(each.value) for each in kind)}}}"


def parse_positive_int(name: str, text: str, expected: str) -> int:
    """Return a number above 0 of at most five digits.

    Raises:
        BadRequestError: the text is not such a number; the message says that it is not `expected`.

    """
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) == 0:
        raise BadRequestError(f"{name}: {text[:100]!r} is not {expected}.")
    return int(text)


def parse_height(name: str, text: str) -> int:
    """Return a number of pixels, written as `720` or as `720p`.

    Raises:
        BadRequestError: the text is neither.

    """
    text = text.strip()
    return parse_positive_int(name, text[:-1] if text[-1:] in {"p", "P"} else text, "a number of pixels, such as 720")


def parse_text(name: str, text: str) -> str:
    """Return a short text of one line, without surrounding spaces.

    Raises:
        BadRequestError: it is empty, too long, or contains control characters.

    """
    if not text.strip() or len(text) > _MAX_TEXT_CHARACTERS or re.search(_CONTROL, text):
        raise BadRequestError(f"{name}: must be a text of one line with at most {_MAX_TEXT_CHARACTERS} characters.")
    return text.strip()


def parse_flag(name: str, text: str) -> bool:
    """Return whether a flag is set: `1` or `0`.

    Raises:
        BadRequestError: the text is neither.

    """
    if text not in {"0", "1"}:
        raise BadRequestError(f"{name}: {text[:100]!r} is neither 1 nor 0.")
    return text == "1"
