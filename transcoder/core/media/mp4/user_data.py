"""The metadata of a file: title, comment and date, in the list that iTunes reads, as ffmpeg writes it."""

import struct
from collections.abc import Mapping

from transcoder.core.media.mp4.boxes import box, full_box

_NAMES = {"title": b"\xa9nam", "comment": b"\xa9cmt", "date": b"\xa9day"}
"""The box of each tag, by ffmpeg's name of it."""
_TEXT = 1
"""The type of a `data` box that has text in UTF-8."""


def write_tags(tags: Mapping[str, str]) -> bytes:
    """Write the `udta` with the tags that have a box; nothing if there are none."""
    items = [box(_NAMES[name], box(b"data", struct.pack(">II", _TEXT, 0), text.encode())) for name, text in tags.items() if name in _NAMES]
    if not items:
        return b""
    handler = full_box(b"hdlr", 0, 0, bytes(4), b"mdir", b"appl", bytes(9))
    return box(b"udta", full_box(b"meta", 0, 0, handler, box(b"ilst", *items)))
