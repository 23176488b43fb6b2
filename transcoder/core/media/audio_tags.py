"""Tags beside the frames of packed audio: ID3v2 with timestamps and timed metadata, and ID3v1 and APE at the end of a file."""

from transcoder.core.media.timestamps import CLOCK_HZ
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

_ID3_HEADER_BYTES = 10
_ID3_FOOTER_BYTES = 10
_ID3V1_BYTES = 128
_APE_HEADER_BYTES = 32
_APE_IS_HEADER = 1 << 29
"""Flag of an APEv2 header; its size does not include the header itself."""
_TIMESTAMP_OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
_TIMESTAMP_BYTES = 8
_ENCRYPTION_OWNER = b"com.apple.streaming.audioDescription\0"
"""Describes how to set up a decoder for encrypted samples (Apple, MPEG-2 Stream Encryption Format for HTTP Live Streaming)."""
_MAX_TAG_BYTES = 1024 * 1024
"""A longer tag is refused. Cover images are smaller than this."""
MAX_TAGS = 16
"""More tags at the start of a segment are refused, because all of them are held until the first frame has come."""


def tags_length(head: bytes | bytearray, *, whole: bool = False) -> int | None:
    """Return the total length in bytes of the ID3v2 tags at the start of a segment (ID3v2.4, 3.1); None if more bytes are needed.

    Raises:
        UpstreamError: one of them is too long, or there are too many.

    """
    at = 0
    for _ in range(MAX_TAGS + 1):
        if len(head) - at < _ID3_HEADER_BYTES:
            return None if not whole and b"ID3".startswith(bytes(head[at : at + 3])) else at
        if head[at : at + 3] != b"ID3":
            return at
        at += _id3_length(head, at)
    raise DamagedMediaError(f"A segment begins with more than {MAX_TAGS} tags, which are all that is supported.")


def tag_length(data: bytes, at: int) -> int | None:
    """Return the length in bytes of the tag at `at`, 0 if there is none; None if the bytes from there on do not say it.

    Raises:
        UpstreamError: it is too long.

    """
    if data.startswith(b"ID3", at):
        return None if len(data) - at < _ID3_HEADER_BYTES else _id3_length(data, at)
    if data.startswith(b"TAG", at):
        return _ID3V1_BYTES
    if not data.startswith(b"APETAGEX", at):
        return 0
    if len(data) - at < _APE_HEADER_BYTES:
        return None
    size, flags = (int.from_bytes(data[start : start + 4], "little") for start in (at + 12, at + 20))
    return _checked(_APE_HEADER_BYTES + (size if flags & _APE_IS_HEADER else 0))


def is_closing_tag(tag: bytes) -> bool:
    """Return whether a tag is of a kind that stands at the end of a file."""
    return not tag.startswith(b"ID3")


def tag_timestamp(tags: bytes) -> float | None:
    """Return the timestamp in a segment's ID3 tags, in seconds; None if they contain none.

    Raises UnsupportedSourceError if the tags say that the samples are encrypted.
    """
    if _ENCRYPTION_OWNER in tags:
        raise UnsupportedSourceError("The source is protected: its samples are encrypted (SAMPLE-AES).")
    at = tags.find(_TIMESTAMP_OWNER)
    value = tags[at + len(_TIMESTAMP_OWNER) : at + len(_TIMESTAMP_OWNER) + _TIMESTAMP_BYTES] if at >= 0 else b""
    return (int.from_bytes(value, "big") & (2**33 - 1)) / CLOCK_HZ if len(value) == _TIMESTAMP_BYTES else None


def _id3_length(data: bytes | bytearray, at: int) -> int:
    footer = _ID3_FOOTER_BYTES if data[at + 5] & 0x10 else 0
    return _checked(_syncsafe(data[at + 6 : at + 10]) + _ID3_HEADER_BYTES + footer)


def _checked(size: int) -> int:
    if size > _MAX_TAG_BYTES:
        raise DamagedMediaError(f"A segment has a tag of {size} bytes. At most {_MAX_TAG_BYTES} bytes are supported.")
    return size


def _syncsafe(octets: bytes | bytearray) -> int:
    """Read a number that has seven bits in each byte."""
    value = 0
    for octet in octets:
        value = value << 7 | octet & 0x7F
    return value
