"""Text in place of media: what origins send as error pages, whatever status and type they give them."""

import codecs

TEXT_BYTES = 64
"""The decision is made from this many first bytes. No container of media has so many without a control character, and of bytes that are
encrypted not one in 10^20 has."""
_CONTROL_CHARACTERS = frozenset({*range(0x20), 0x7F}) - frozenset(b"\t\n\f\r")


def is_text(first: bytes) -> bool:
    """Return whether the first bytes of a resource are text in UTF-8; false for no bytes."""
    text = first[:TEXT_BYTES]
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text)  # the last character may be cut off in the middle
    except UnicodeDecodeError:
        return False
    return bool(text) and _CONTROL_CHARACTERS.isdisjoint(text)
