"""The `moov`: what ffmpeg says of its tracks, and the film's own with edit lists and true durations (ISO/IEC 14496-12, 8.2 to 8.8)."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from transcoder.core.media.streams import Medium
from transcoder.core.output.boxes import box, children, find, full_box
from transcoder.errors import TranscodeError

MOVIE_TIMESCALE = 90_000
"""Ticks a second of the durations in `mvhd`, `tkhd` and `mehd`: MPEG's own clock."""

_MEDIA = {b"vide": Medium.VIDEO, b"soun": Medium.AUDIO}
_BOX_HEADER = 8
_AUDIO_ENTRY = 28
"""Bytes of an AudioSampleEntry before the boxes in it (12.2.3)."""
_AAC = 0x40
_LONG_DESCRIPTORS = {3: 3, 4: 13}
"""ES_Descriptor and DecoderConfigDescriptor: the bytes before the descriptors in them (ISO/IEC 14496-1, 7.2.6)."""
_SPECIFIC = 5
_SILENCE = {1: bytes.fromhex("00c800802380"), 2: bytes.fromhex("210049900219002380")}
"""An AAC frame (a raw_data_block) of nothing, by channel configuration."""
_MAX_32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Lengths:
    """What the header is to promise, in seconds."""

    film: float
    tracks: Mapping[Medium, float]
    """Each track's own length, from its first presentation time to its end; the film's where one is missing."""


@dataclass(frozen=True, slots=True)
class Track:
    """One track as its `trak` and `trex` describe it."""

    medium: Medium
    id: int
    timescale: int
    entry: bytes
    """The kind of its sample entry: avc1, hvc1, mp4a …"""
    entry_at: int
    """Where in the `moov` that kind stands."""
    parameter_sets: bytes
    """The sample entry of an hvc1 track, whose parameter sets are nowhere else (ISO/IEC 14496-15, 8.3.3); of others, nothing."""
    sample_rate: int | None
    """As a decoder is told it: AAC's own index, of which there may be two for one rate; None for a picture."""
    channels: int | None
    silence: bytes | None
    """A frame that sounds of nothing, where one is known."""
    default_duration: int
    default_size: int
    default_flags: int


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in a `moov`."""

    moov: bytes
    tracks: tuple[Track, ...]

    def track(self, track_id: int) -> Track:
        """Return the track with that number.

        Raises:
            TranscodeError: there is none.
        """
        for track in self.tracks:
            if track.id == track_id:
                return track
        raise TranscodeError(f"A fragment is of track {track_id}, which the header does not know.")


def read_header(moov: bytes) -> Header:
    """Read the tracks out of a whole `moov`.

    Raises:
        TranscodeError: it is broken, has no track of picture or sound, or two of one of them.
    """
    try:
        tracks = tuple(_track(moov, start, end) for kind, start, end in children(moov, _BOX_HEADER, len(moov)) if kind == b"trak")
    except struct.error as error:
        raise TranscodeError("The MP4's header is cut off.") from error
    if not tracks or len({track.medium for track in tracks}) < len(tracks):
        raise TranscodeError("The MP4 has not one track of each medium.")
    return Header(moov, tracks)


def _track(moov: bytes, start: int, end: int) -> Track:
    """Read one `trak`."""
    at, _ = find(moov, start, end, b"tkhd")
    track_id = _u32(moov, at + (20 if moov[at] else 12))
    media, media_end = find(moov, start, end, b"mdia")
    at, _ = find(moov, media, media_end, b"mdhd")
    timescale = _u32(moov, at + (20 if moov[at] else 12))
    at, _ = find(moov, media, media_end, b"hdlr")
    medium = _MEDIA.get(moov[at + 8 : at + 12])
    at, stop = find(moov, media, media_end, b"minf", b"stbl", b"stsd")
    entry, inner, entry_end = next(children(moov, at + 8, stop), (b"", 0, 0))
    if medium is None or not timescale or not entry:
        raise TranscodeError("The MP4 has a track that is neither picture nor sound.")
    rate, channels, silence = _sound(moov, entry, inner, entry_end) if medium is Medium.AUDIO else (None, None, None)
    sets = moov[inner:entry_end] if entry == b"hvc1" else b""
    return Track(medium, track_id, timescale, entry, inner - 4, sets, rate, channels, silence, *_defaults(moov, track_id))


def _defaults(moov: bytes, track_id: int) -> tuple[int, int, int]:
    """Return the duration, size and flags that a track's `trex` gives to samples that bring none."""
    start, end = find(moov, _BOX_HEADER, len(moov), b"mvex")
    for kind, at, _ in children(moov, start, end):
        if kind == b"trex" and _u32(moov, at + 4) == track_id:
            duration, size, flags = struct.unpack_from(">III", moov, at + 12)
            return duration, size, flags
    raise TranscodeError(f"The MP4 has no fragments of track {track_id}.")


def _sound(moov: bytes, entry: bytes, at: int, end: int) -> tuple[int, int, bytes | None]:
    """Return sampling rate, channels and, if known, a silent frame of an AudioSampleEntry."""
    channels, rate = struct.unpack_from(">H6xH", moov, at + 16)
    if entry == b"mp4a":
        for kind, inner, stop in children(moov, at + _AUDIO_ENTRY, end):
            config = _aac_config(moov[inner:stop]) if kind == b"esds" else b""
            if len(config) > 1:
                # AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): 5 bits of object type, 4 of the rate's index, 4 of channels. It is what
                # decoders go by: ffmpeg writes two channels into the entry of every AAC track.
                bits = config[0] << 8 | config[1]
                known = bits >> 11 in {2, 5, 29} and bits >> 7 & 15 != 15  # noqa: PLR2004
                return bits >> 7 & 15, bits >> 3 & 15, _SILENCE.get(bits >> 3 & 15) if known else None
    return rate, channels, None


def _aac_config(esds: bytes) -> bytes:
    """Return the AudioSpecificConfig in an `esds`, or nothing if that is not AAC."""
    at = 4
    while at + 2 <= len(esds):
        tag, length, at = esds[at], 0, at + 1
        while at < len(esds):
            length, more = length << 7 | esds[at] & 0x7F, esds[at] & 0x80
            at += 1
            if not more:
                break
        if tag == _SPECIFIC:
            return esds[at : at + length]
        if tag not in _LONG_DESCRIPTORS or (tag == 4 and esds[at : at + 1] != bytes([_AAC])):  # noqa: PLR2004
            return b""
        at += _LONG_DESCRIPTORS[tag]
    return b""


def write_moov(header: Header, lengths: Lengths, zero: Mapping[Medium, int]) -> bytes:
    """Write the film's `moov`: as ffmpeg's, but with all four durations, and edit lists.

    `zero` is, for each medium, the media time at which the film begins. A duration is never rounded down: one reader stops where the
    header says the film ends.
    """
    moov = _with_hvc1(header)
    film = math.ceil(lengths.film * MOVIE_TIMESCALE)
    tracks = iter(header.tracks)
    parts = []
    for kind, start, end in children(moov, _BOX_HEADER, len(moov)):
        if kind == b"mvhd":
            parts.append(_mvhd(moov[start:end], film))
        elif kind == b"trak":
            track = next(tracks)
            length = math.ceil(lengths.tracks.get(track.medium, lengths.film) * track.timescale)
            parts.append(_trak(moov, (start, end), film=film, length=length, edits=_edts(zero[track.medium], track.timescale)))
        elif kind == b"mvex":
            mehd = full_box(b"mehd", 1, 0, struct.pack(">Q", film))
            parts.append(box(b"mvex", mehd, *(moov[at - 8 : stop] for name, at, stop in children(moov, start, end) if name != b"mehd")))
        else:
            parts.append(moov[start - 8 : end])
    return box(b"moov", *parts)


def _with_hvc1(header: Header) -> bytes:
    """Return the `moov` with HEVC as Apple's players want it named; parameter sets in the samples do them no harm."""
    moov = header.moov
    for track in header.tracks:
        if track.entry == b"hev1":
            moov = moov[: track.entry_at] + b"hvc1" + moov[track.entry_at + 4 :]
    return moov


def _trak(moov: bytes, span: tuple[int, int], *, film: int, length: int, edits: bytes) -> bytes:
    """Write a `trak` with its durations, and with our edit list in the place of any other."""
    parts = []
    for kind, start, end in children(moov, *span):
        if kind == b"tkhd":
            parts.append(_timed(b"tkhd", moov[start:end], film, gap=8))
            parts.append(edits)
        elif kind == b"mdia":
            inside = (
                _timed(b"mdhd", moov[at:stop], length, gap=4) if name == b"mdhd" else moov[at - 8 : stop]
                for name, at, stop in children(moov, start, end)
            )
            parts.append(box(b"mdia", *inside))
        elif kind != b"edts":
            parts.append(moov[start - 8 : end])
    return box(b"trak", *parts)


def _edts(zero: int, timescale: int) -> bytes:
    """Write the edit list of a track whose media time `zero` is the film's begin; below 0, the track begins that much later (8.6.6)."""
    entries = [struct.pack(">IiI", round(-zero * MOVIE_TIMESCALE / timescale), -1, 0x10000)] if zero < 0 else []
    entries.append(struct.pack(">IiI", 0, max(0, zero), 0x10000))  # a segment_duration of 0 reaches over all fragments
    return box(b"edts", full_box(b"elst", 0, 0, struct.pack(">I", len(entries)), *entries))


def _mvhd(content: bytes, film: int) -> bytes:
    """Write the `mvhd` on the film's own clock."""
    scale_at = 20 if content[0] else 12
    return _timed(b"mvhd", content[:scale_at] + struct.pack(">I", MOVIE_TIMESCALE) + content[scale_at + 4 :], film, gap=4)


def _timed(kind: bytes, content: bytes, duration: int, *, gap: int) -> bytes:
    """Write a header box (8.2.2, 8.3.2, 8.4.2) with a duration, in 64 bits only if 32 do not hold it.

    All three begin alike: version and flags, two dates, `gap` bytes of other things, the duration.
    """
    form = ">QQ" if content[0] else ">II"
    created, modified = struct.unpack_from(form, content, 4)
    at = 4 + struct.calcsize(form)
    middle, rest = content[at : at + gap], content[at + gap + (8 if content[0] else 4) :]
    flags = int.from_bytes(content[1:4])
    version = int(max(created, modified, duration) > _MAX_32)
    dates, length = (">QQ", ">Q") if version else (">II", ">I")
    return full_box(kind, version, flags, struct.pack(dates, created, modified), middle, struct.pack(length, duration), rest)


def _u32(data: bytes, at: int) -> int:
    """Read 32 bits."""
    return int(struct.unpack_from(">I", data, at)[0])
