"""Which files are media, by their first bytes: what a server or a name says of a file proves nothing."""

import re

from transcoder.core.media.audio_headers import HEADER_BYTES, read_ac3_header, read_adts_header, read_mpeg_audio_header
from transcoder.core.media.audio_tags import tags_length
from transcoder.core.media.mpegts.packets import PACKET_BYTES, SYNC
from transcoder.core.media.probe import begins_with_box
from transcoder.errors import TranscoderError

_SIGNATURES = rb"""(?xs)
    \x1a\x45\xdf\xa3 | OggS\0 | fLaC | FLV\x01 | RIFF....(AVI\x20|WAVE|WEBP) | RF64....WAVE | \x30\x26\xb2\x75\x8e\x66\xcf\x11 | \.RMF
    | caff | FORM....AIF[FC] | \#!AMR(-WB)?\n | \.snd\0 | wvpk | MAC\x20 | MPCK | DSD\x20
    | \0\0\x01[\xba\xb3\x67] | \0\0\0\x01[\x40\x42\x67]
    | \xff\xd8\xff | \x89PNG\r\n\x1a\n | GIF8[79]a | BM....\0\0\0\0 | II\*\0 | MM\0\* | \0\0\x01\0[\x01-\xff]\0 | \xff\x0a
    | \0\0\0\x0c(JXL\x20|jP\x20\x20)\r\n\x87\n
    """
"""Containers, bare streams and images; each is followed by what no text has, or is followed by a version."""
_PACKET_SIZES = ((PACKET_BYTES, 0), (192, 4))
"""Sizes of transport packets, and where their first sync byte is."""
_UTF16_MARK = b"\xff\xfe"
"""Begins text, and would be the header of an MPEG audio frame of Layer I, which hardly any file has."""


def is_media(first: bytes) -> bool:
    """Return whether a file that begins with these bytes, of which 512 suffice, is video, audio or an image."""
    return bool(begins_with_box(first) or re.match(_SIGNATURES, first) or is_transport_stream(first, any_size=True) or is_audio(first))


def is_transport_stream(first: bytes, *, any_size: bool = False) -> bool:
    """Return whether a file begins with transport packets: of 188 bytes, or of `any_size` that there is."""
    sizes = _PACKET_SIZES if any_size else _PACKET_SIZES[:1]
    return any(first[start : start + 2 * size + 1 : size] == 3 * SYNC for size, start in sizes)


def is_audio(first: bytes) -> bool:
    """Return whether a file begins with a frame of AAC, MPEG audio or AC-3, or with a tag that may be longer than `first`."""
    return first.startswith(b"ID3") or audio_codec(first) is not None


def audio_codec(first: bytes) -> str | None:
    """Return the codec of the packed audio that a file begins with; None if that is not within `first`, or there is none."""
    try:
        skip = tags_length(first)
    except TranscoderError:
        return None
    if skip is None or len(first) < skip + HEADER_BYTES or first.startswith(_UTF16_MARK):
        return None
    readers = (read_adts_header, read_ac3_header, read_mpeg_audio_header)
    return next((frame.codec for read in readers if (frame := read(first, skip))), None)
