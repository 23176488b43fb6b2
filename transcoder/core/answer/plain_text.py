"""Makes texts that strangers have written fit to be shown."""

import re

_CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"
_SURROGATE = r"[\ud800-\udfff]"


def one_line(text: str) -> str:
    """Return a text without line breaks, repeated spaces and control characters, with which it could change what a terminal shows."""
    return " ".join(re.sub(_CONTROL, " ", text).split())


def without_surrogates(text: str) -> str:
    """Return a text that can be encoded: JSON can escape one half of a character (RFC 8259, 8.2), which is replaced by U+FFFD."""
    return re.sub(_SURROGATE, "\N{REPLACEMENT CHARACTER}", text)
