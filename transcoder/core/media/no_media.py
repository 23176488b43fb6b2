"""Segments that carry no media, as some packagers write one at the end of a track."""

from transcoder.core.media.audio_tags import tags_length
from transcoder.core.media.mp4_source import has_no_samples
from transcoder.core.media.mpegts import has_tables_only, is_transport_init
from transcoder.core.media.probe import begins_with_box
from transcoder.errors import DamagedMediaError

MAX_EMPTY_SECONDS = 0.1
"""A segment without media is none that was lost only if the playlist gives it no more time."""
MAX_SECONDS_OF_NOTHING = 0.02
"""The same for a segment of no bytes: nothing in it says that it is meant to have no media, so it must be shorter than a usual frame.

One frame of AAC lasts 0.0213 s at 48 kHz, and one of video 0.0333 s at 30 a second; packagers give an empty end up to 0.02 s.
"""


def carries_no_media(segment: bytes, *, init: bytes = b"") -> bool:
    """Tell whether a whole segment, decrypted, is undamaged and has no sample: only program tables, empty fragments or tags, or nothing.

    Args:
        segment: all of its bytes.
        init: its initialization section, decrypted.

    Raises:
        UnsupportedSourceError: it is protected.

    """
    if not segment:
        return True
    try:
        if is_transport_init(init):
            return has_tables_only(segment, tables=init)
        if init or begins_with_box(segment):
            return has_no_samples(segment, init=init)
        return tags_length(segment, whole=True) == len(segment) or has_tables_only(segment)
    except DamagedMediaError:
        return False
