"""Character references of HTML, which WebVTT has too, in texts from strangers."""

import html
import re

_ZEROS = re.compile(r"&#0+(?=[0-9])")
_TOO_LARGE = re.compile(r"&#[0-9]{8,};?")
"""No character has a number of so many digits, and Python refuses to read one of more than 4,300."""


def unescape(text: str) -> str:
    """Return a text with its character references replaced; those that stand for no character become U+FFFD."""
    return html.unescape(with_possible_references(text))


def with_possible_references(text: str) -> str:
    """Return a text whose references by number can be read; for a parser that replaces them itself."""
    return _TOO_LARGE.sub("\N{REPLACEMENT CHARACTER}", _ZEROS.sub("&#", text))
