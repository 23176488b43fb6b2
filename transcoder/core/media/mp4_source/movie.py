"""The moov of a fragmented MP4: its picture and sound tracks (ISO/IEC 14496-12, 8.2 to 8.6, 8.8)."""

from dataclasses import dataclass

from transcoder.core.media.mp4_source.boxes import Box, boxes, child, signed, unsigned
from transcoder.core.media.streams import Medium
from transcoder.errors import UnsupportedSourceError, UpstreamError

_MEDIA = {b"vide": Medium.VIDEO, b"soun": Medium.AUDIO}
_CODECS = {
    b"avc1": "h264", b"avc2": "h264", b"avc3": "h264", b"avc4": "h264",
    b"hvc1": "hevc", b"hev1": "hevc", b"dvh1": "hevc", b"dvhe": "hevc",
    b"dva1": "h264", b"dvav": "h264",
    b"av01": "av1", b"dav1": "av1", b"vp09": "vp9", b"vp08": "vp8", b"mp4v": "mpeg4",
    b"mp4a": "aac", b".mp3": "mp3", b"ac-3": "ac3", b"ec-3": "eac3", b"Opus": "opus", b"fLaC": "flac", b"alac": "alac",
}  # fmt: skip
_OBJECT_TYPES = {0x40: "aac", 0x66: "aac", 0x67: "aac", 0x68: "aac", 0x69: "mp3", 0x6B: "mp3", 0xA5: "ac3", 0xA6: "eac3", 0xAD: "opus"}
_OUT_OF_BAND = {b"avc1": b"avcC", b"dva1": b"avcC", b"hvc1": b"hvcC", b"dvh1": b"hvcC"}
_PROTECTED = frozenset({b"encv", b"enca", b"drmi", b"drms"})
_AUDIO_ENTRY_BYTES = 28
_QUICKTIME_EXTRA = {1: 16, 2: 36}


@dataclass(frozen=True, slots=True)
class SourceTrack:
    """One track, as far as its fragments cannot be understood without it."""

    id: int
    medium: Medium
    codec: str
    timescale: int
    shift: int
    """What its edit list takes off every timestamp, in units of the timescale."""
    default_duration: int
    default_size: int
    sample_rate: int | None
    channels: int | None
    parameter_sets: bytes = b""
    """What a decoder needs and the samples do not bring: the avcC or hvcC of an entry that keeps it out of them (ISO/IEC 14496-15)."""


def read_movie(data: bytes, moov: Box, *, fragmented: bool = True) -> tuple[SourceTrack, ...]:
    """Return the picture and sound tracks in order.

    Raises UnsupportedSourceError if one is encrypted, or if the samples lie in the moov (an MP4 that is not fragmented)
    though it should be `fragmented`.
    """
    header = child(data, moov, b"mvhd")
    if header is None:
        raise UpstreamError("A segment is damaged: its moov has no header.")
    movie_scale = unsigned(data, header.start + (20 if unsigned(data, header.start, 1) else 12), 4)
    defaults = _defaults(data, moov)
    traks = [box for box in boxes(data, moov.start, moov.end) if box.kind == b"trak"]
    if fragmented:
        for trak in traks:
            _refuse_samples(data, trak)
    tracks = (_track(data, trak, movie_scale, defaults) for trak in traks)
    return tuple(track for track in tracks if track)


def _defaults(data: bytes, moov: Box) -> dict[int, tuple[int, int]]:
    """Read each track's trex: duration and size of a sample."""
    extends = child(data, moov, b"mvex")
    found = boxes(data, extends.start, extends.end) if extends else ()
    return {
        unsigned(data, box.start + 4, 4): (unsigned(data, box.start + 12, 4), unsigned(data, box.start + 16, 4))
        for box in found
        if box.kind == b"trex"
    }


def _track(data: bytes, trak: Box, movie_scale: int, defaults: dict[int, tuple[int, int]]) -> SourceTrack | None:
    header, media = child(data, trak, b"tkhd"), child(data, trak, b"mdia")
    handler = child(data, media, b"hdlr") if media else None
    media_header = child(data, media, b"mdhd") if media else None
    table = child(data, media, b"minf", b"stbl") if media else None
    if not (header and handler and media_header and table):
        raise UpstreamError("A segment is damaged: a track in its moov is not complete.")
    medium = _MEDIA.get(bytes(data[handler.start + 8 : handler.start + 12]))
    if medium is None:
        return None
    track_id = unsigned(data, header.start + (20 if unsigned(data, header.start, 1) else 12), 4)
    timescale = unsigned(data, media_header.start + (20 if unsigned(data, media_header.start, 1) else 12), 4)
    codec, sample_rate, channels = _description(data, table, medium)
    shift = _edit_shift(data, trak, movie_scale, timescale)
    duration, size = defaults.get(track_id, (0, 0))
    sets = _parameter_sets(data, table)
    return SourceTrack(track_id, medium, codec, timescale or 1, shift, duration, size, sample_rate, channels, sets)


def _refuse_samples(data: bytes, trak: Box) -> None:
    handler, sizes = child(data, trak, b"mdia", b"hdlr"), child(data, trak, b"mdia", b"minf", b"stbl", b"stsz")
    if handler and bytes(data[handler.start + 8 : handler.start + 12]) in _MEDIA and sizes and unsigned(data, sizes.start + 8, 4):
        raise UnsupportedSourceError("The segments are ordinary MP4 files; only fragmented MP4 can be joined.")


def _description(data: bytes, table: Box, medium: Medium) -> tuple[str, int | None, int | None]:
    """Read the stsd: codec, sample rate, channels."""
    descriptions = child(data, table, b"stsd")
    entries = list(boxes(data, descriptions.start + 8, descriptions.end)) if descriptions else []
    if not entries:
        raise UpstreamError("A segment is damaged: a track in its moov has no sample description.")
    if any(entry.kind in _PROTECTED for entry in entries):
        raise UnsupportedSourceError("The source is protected: its samples are encrypted.")
    entry = entries[0]
    codec = _CODECS.get(entry.kind, entry.kind.decode("latin-1").strip())
    if medium is Medium.VIDEO:
        return codec, None, None
    if entry.kind == b"mp4a":
        codec = _object_type(data, entry)
    channels, rate = unsigned(data, entry.start + 16, 2), unsigned(data, entry.start + 24, 2)
    return codec, rate or None, channels or None


def _parameter_sets(data: bytes, table: Box) -> bytes:
    descriptions = child(data, table, b"stsd")
    entry = next(boxes(data, descriptions.start + 8, descriptions.end), None) if descriptions else None
    if entry is None or entry.kind not in _OUT_OF_BAND:
        return b""
    at = data.find(_OUT_OF_BAND[entry.kind], entry.start, entry.end)
    return data[at : at - 4 + unsigned(data, at - 4, 4)] if at >= 0 else b""


def _object_type(data: bytes, entry: Box) -> str:
    """Tell the codec of an mp4a entry from its esds (ISO/IEC 14496-1, 7.2.6.5)."""
    extra = _QUICKTIME_EXTRA.get(unsigned(data, entry.start + 8, 2), 0)
    at = data.find(b"esds", entry.start + _AUDIO_ENTRY_BYTES + extra, entry.end)
    if at < 0:
        return "aac"
    at, _ = _descriptor(data, at + 8)
    flags = unsigned(data, at + 2, 1)
    at += 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
    if flags & 0x40:
        at += 1 + unsigned(data, at, 1)
    at, _ = _descriptor(data, at)
    return _OBJECT_TYPES.get(unsigned(data, at, 1), "mp4a")


def _descriptor(data: bytes, at: int) -> tuple[int, int]:
    """Return where the body of a descriptor begins, and its tag."""
    tag = unsigned(data, at, 1)
    at += 1
    while unsigned(data, at, 1) & 0x80:
        at += 1
    return at + 1, tag


def _edit_shift(data: bytes, trak: Box, movie_scale: int, timescale: int) -> int:
    """Read the edit list as ffmpeg's reader of fragments does: an empty edit first delays, the first media time is taken off."""
    edits = child(data, trak, b"edts", b"elst")
    if edits is None:
        return 0
    size = 8 if unsigned(data, edits.start, 1) else 4
    empty = start = 0
    for index in range(unsigned(data, edits.start + 4, 4)):
        at = edits.start + 8 + index * (2 * size + 4)
        duration, time = unsigned(data, at, size), signed(data, at + size, size)
        if time >= 0:
            start = time
            break
        if index == 0:
            empty = duration
    return start - (round(empty * timescale / movie_scale) if movie_scale else 0)
