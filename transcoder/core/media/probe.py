"""What a segment holds, told from its first bytes."""

from transcoder.core.media.audio_frames import HEADER_BYTES
from transcoder.core.media.mp4_source import probe_fragments, probe_plain_file
from transcoder.core.media.mpegts import is_tables, probe_transport
from transcoder.core.media.packed_audio import probe_packed_audio
from transcoder.core.media.streams import Probe
from transcoder.errors import UnsupportedSourceError, UpstreamError

_BOX_TYPES = frozenset(
    {b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"emsg", b"prft", b"free", b"skip", b"mdat", b"wide", b"pdin", b"uuid"}
)
_OTHERS = {
    b"\x1a\x45\xdf\xa3": "Matroska or WebM",
    b"\0\0\0\1": "H.264 or HEVC without a container",
    b"\0\0\1\x67": "H.264 without a container",
    b"\0\0\1\xba": "an MPEG program stream",
    b"OggS": "Ogg",
    b"RIFF": "RIFF",
    b"FLV\1": "FLV",
    b"fLaC": "FLAC without a container",
}
_TEXTS = (b"<", b"{", b"[", b"#EXT", b"WEBVTT", b"\xef\xbb\xbf")
_SHORTEST = 16
_AUDIO_SYNCS = (b"\x0b\x77", *(bytes([0xFF, second]) for second in range(0xE0, 0x100)))


def probe(head: bytes, *, init: bytes = b"", whole: bool, like: Probe | None = None) -> Probe | None:
    """Tell what a segment holds from its first bytes; None if more of them are needed.

    `init` is the initialization section: of a fragmented MP4, or the tables of a transport stream; `whole` says that `head` is the whole
    segment, and then there is an answer. `like` is what the segment before it holds, for one that is expected to go on where that one
    ended: then the first timestamp of the sound, or of a picture without sound, is enough.
    Raises UpstreamError if the bytes are not media, UnsupportedSourceError if they are protected or in a container that HLS does not have.
    """
    if len(head) < _SHORTEST and not whole:
        return None
    if is_tables(init):
        return probe_transport(head, whole=whole, tables=init, like=like)
    if not init and head[4:8] in _BOX_TYPES and (found := probe_plain_file(head)):
        return found
    if init or head[4:8] in _BOX_TYPES:
        return probe_fragments(head, init=init, whole=whole)
    if head.startswith(b"ID3") or _is_packed_audio(head):
        return probe_packed_audio(head, whole=whole)
    _refuse(head)
    return probe_transport(head, whole=whole, like=like)


def _is_packed_audio(head: bytes) -> bool:
    return len(head) >= HEADER_BYTES and head.startswith(_AUDIO_SYNCS)


def _refuse(head: bytes) -> None:
    """Refuse what is known to be something else; any other bytes may stand before a transport stream."""
    for mark, name in _OTHERS.items():
        if head.startswith(mark):
            raise UnsupportedSourceError(f"The source's segments are {name}, which HLS does not have.")
    if head.lstrip()[:6].startswith(_TEXTS):
        raise UpstreamError("A segment is not media but text, such as an error page.")
