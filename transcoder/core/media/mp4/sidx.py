"""The `sidx`: how long a fragmented MP4 file is, from the index at its beginning (ISO/IEC 14496-12, 8.16.3)."""

from transcoder.core.media.mp4.boxes import Box, Mp4Error, leading_boxes

_REFERENCE_WORDS = 3


def indexed_seconds(head: bytes) -> float | None:
    """Return the sum of the durations in the first `sidx` among the top-level boxes of `head`; None if it is not there as a whole."""
    try:
        for box in leading_boxes(head):
            if box.type == b"sidx" and box.end <= len(head):
                return _read_seconds(box)
            if box.type in {b"moof", b"mdat"}:
                return None
    except Mp4Error:
        return None
    return None


def _read_seconds(sidx: Box) -> float | None:
    timescale = sidx.uint(8, 4)
    count_at = 12 + (16 if sidx.version else 8) + 2
    references = sidx.numbers("I", _REFERENCE_WORDS * sidx.uint(count_at, 2), count_at + 2)
    return sum(references[1::_REFERENCE_WORDS]) / timescale if timescale else None
