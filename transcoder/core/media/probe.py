"""Detects the container of a segment from its first bytes, and probes it."""

from collections.abc import Callable, Collection

from transcoder.core.media.mp4_source import probe_fragments, probe_plain_file
from transcoder.core.media.mpegts import is_transport_init, probe_tables, probe_transport
from transcoder.core.media.packed_audio import probe_packed_audio
from transcoder.core.media.streams import Medium, Probe
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

_BOX_TYPES = frozenset(
    {b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"emsg", b"prft", b"free", b"skip", b"mdat", b"wide", b"pdin", b"uuid"}
)
_OTHER_CONTAINERS = {
    b"\x1a\x45\xdf\xa3": "WebM or Matroska",
    b"\x1f\x43\xb6\x75": "WebM or Matroska",  # a cluster: what is in front of it is in another resource
    b"OggS": "Ogg",
    b"FLV\1": "FLV",
    b"RIFF": "RIFF",
    b"\x30\x26\xb2\x75": "ASF (Windows Media)",
    b".RMF": "RealMedia",
    b"caff": "CAF",
    b"fLaC": "FLAC without a container",
}
_RIFF_FORMS = {b"AVI ": "AVI", b"WAVE": "WAV"}
_BARE_STREAMS = {
    b"\0\0\0\1": "H.264 or HEVC without a container",
    b"\0\0\1\x67": "H.264 without a container",
    b"\0\0\1\xb3": "MPEG video without a container",
    b"\0\0\1\xba": "an MPEG program stream",
}
_TEXT_PREFIXES = (b"<", b"{", b"[", b"#EXT", b"WEBVTT", b"\xef\xbb\xbf")
_MIN_HEAD_BYTES = 16
_AUDIO_SYNCWORDS = (b"\x0b\x77", *(bytes([0xFF, second]) for second in range(0xE0, 0x100)))


def probe(head: bytes, *, init: bytes = b"", whole: bool, previous: Probe | None = None, media: Collection[Medium] = ()) -> Probe | None:
    """Return the container and the streams of the segment that begins with `head`; None if more bytes are needed.

    Args:
        head: the first bytes of the segment.
        init: the initialization section: the moov of a fragmented MP4, or the program tables of a transport stream.
        whole: `head` is the whole segment; the result is then never None.
        previous: the probe of the segment before, if this one is expected to continue its timeline. Then the first timestamp of the audio
            is enough, or that of the video if there is no audio.
        media: those that the track is listed for, if it is known to be the first segment of a timeline. A transport stream may announce
            them one after another.

    Raises:
        UpstreamError: the bytes are not media.
        UnsupportedSourceError: they are encrypted, or in a container that HLS does not use.

    """

    def transport(tables: bytes) -> Probe | None:
        return probe_transport(head, whole=whole, tables=tables, previous=previous, media=media)

    found = _probe(head, init, whole=whole, transport=transport)
    return found.continuing(previous) if found and previous else found


def probe_announced(body: bytes, *, init: bytes = b"") -> Probe:
    """Return the same of a whole segment, but of a transport stream no more than what its program map announces.

    Raises:
        UpstreamError, UnsupportedSourceError: as for `probe`.
    """
    found = _probe(body, init, whole=True, transport=lambda tables: probe_tables(body, tables=tables))
    if found is None:
        raise DamagedMediaError("A segment ends before its streams begin.")
    return found


def _probe(head: bytes, init: bytes, *, whole: bool, transport: Callable[[bytes], Probe | None]) -> Probe | None:
    """Probe a segment; `transport` does so for a transport stream with these tables in its initialization section."""
    if len(head) < _MIN_HEAD_BYTES and not whole:
        return None
    for part in (init, head):
        refuse_other_container(part)
    if is_transport_init(init):
        return transport(init)
    if not init and begins_with_box(head) and (found := probe_plain_file(head)):
        return found
    if init or begins_with_box(head):
        return probe_fragments(head, init=init, whole=whole)
    if head.startswith((b"ID3", *_AUDIO_SYNCWORDS)):
        return probe_packed_audio(head, whole=whole)
    _refuse_bare_stream_and_text(head)
    return transport(b"")


def begins_with_box(head: bytes) -> bool:
    """Return whether the first bytes of a segment are the header of an MP4 box as one may begin with."""
    return head[4:8] in _BOX_TYPES


def refuse_other_container(first: bytes) -> None:
    """Refuse a segment or an initialization section in a container that HLS does not use.

    Raises:
        UnsupportedSourceError: its first bytes are those of another container.
    """
    for signature, name in _OTHER_CONTAINERS.items():
        if first.startswith(signature):
            raise _unsupported_error(_RIFF_FORMS.get(first[8:12], name))


def _unsupported_error(name: str) -> UnsupportedSourceError:
    return UnsupportedSourceError(
        f"The source's segments are {name}. HLS uses MPEG transport streams, fragmented MP4 and packed audio only."
    )


def _refuse_bare_stream_and_text(head: bytes) -> None:
    """Refuse text and video without a container. Any other bytes may precede a transport stream."""
    for signature, name in _BARE_STREAMS.items():
        if head.startswith(signature):
            raise _unsupported_error(name)
    if head.lstrip()[:6].startswith(_TEXT_PREFIXES):
        raise DamagedMediaError("A segment is text instead of media. The origin may have sent an error page.")
