"""Finds the first audio frame of an elementary stream: a program map does not say all of its format, and some say it wrong."""

from collections.abc import Callable

from transcoder.core.media.audio_headers import HEADER_BYTES, HEADER_READERS, FrameHeader, HeaderReader
from transcoder.core.media.header_search import header_offsets
from transcoder.core.media.reencoded_audio import LONG_HEADER_BYTES, is_loas, read_dts_header, read_loas_header, read_s302m_header

MAX_SEARCH_BYTES = 16 * 1024
"""A stream without a frame in so many bytes is taken as the program map announces it."""
_LONG_READERS: dict[str, HeaderReader] = {"aac_latm": read_loas_header, "dts": read_dts_header, "s302m": read_s302m_header}
_READERS = HEADER_READERS | _LONG_READERS
_IN_AAC = ("aac", "aac_latm", "mp2", "ac3")
"""What packagers put under either stream type of AAC, by one codec of each kind of header; ffmpeg believes the bytes there."""
_KINDS = {"mp1": "mp2", "mp3": "mp2", "eac3": "ac3"} | dict.fromkeys(_IN_AAC[:2], "aac")
"""Codecs that a program map does not tell apart for certain, by one of them."""


def has_readable_frames(announced: str) -> bool:
    """Return whether the frames of a stream say more than the program map, which announces that codec."""
    return announced in _READERS


def may_be(announced: str, codec: str) -> bool:
    """Return whether a stream may turn out to have a codec, as which the program map announces another one."""
    kind, other = (_KINDS.get(each, each) for each in (announced, codec))
    return kind == other or (kind == "aac" and other in _IN_AAC)


def first_frame(announced: str, data: bytes) -> FrameHeader | None:
    """Return the header of the first frame in `data`, which begins where a PES packet does; None if none is there yet.

    If it is not at the very start, another one must follow it. Its sampling rate is 0 if only later frames may say it.
    """
    codec = _codec(announced, data)
    read_header = _READERS.get(codec) if codec else None
    if read_header is None:
        return None
    is_long, begins, unknown = codec in _LONG_READERS, _beginning(codec or ""), None
    for at in header_offsets(read_header, data, 0, len(data) - (LONG_HEADER_BYTES if is_long else HEADER_BYTES) + 1):
        frame = read_header(data, at)
        is_last = not is_long and frame is not None and at + frame.length + HEADER_BYTES > len(data)
        if frame and (at == 0 or is_last or begins(data, at + frame.length)):
            if frame.sample_rate:
                return frame
            unknown = unknown or frame
    return unknown


def _codec(announced: str, data: bytes) -> str | None:
    """Return the codec that the first bytes show, where the program map may be wrong about it; None if more of them are needed."""
    if announced not in _IN_AAC[:2] or len(data) < HEADER_BYTES:
        return announced
    for codec in _IN_AAC:
        if _beginning(codec)(data, 0):
            after = _READERS[codec](data, 0)
            if codec == announced or after is None:
                return codec
            if after.length + HEADER_BYTES > len(data):
                return None
            if _beginning(codec)(data, after.length):
                return codec
    return announced


def _beginning(codec: str) -> Callable[[bytes, int], object]:
    """Return what tells whether a frame begins at an offset; of LATM, even one without a configuration."""
    return is_loas if codec == "aac_latm" else _READERS[codec]
