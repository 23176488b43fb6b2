"""A plain MP4 whose samples lie in other resources: its `ftyp` and `moov`, and the map of its bytes (ISO/IEC 14496-12, 4.3, 8.1, 8.2)."""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from transcoder.core.media.mp4.box_header import HEADER_BYTES, media_data_header
from transcoder.core.media.mp4.boxes import Box, box, full_box
from transcoder.core.media.mp4.byte_map import ByteMap, Extent
from transcoder.core.media.mp4.language import pack_language
from transcoder.core.media.mp4.movie import (
    EMPTY_EDIT,
    MOVIE_TIMESCALE,
    Edit,
    Movie,
    Track,
    with_duration,
    write_edits,
    write_media_header,
    write_track_header,
)
from transcoder.core.media.mp4.sample_tables import write_chunk_offsets, write_sample_tables
from transcoder.core.media.mp4.track_samples import Chunk, Place, TrackSamples
from transcoder.core.media.streams import Medium

_LAST_32_BIT_OFFSET = 0xFFFFFFFF
_NEXT_TRACK_ID_BYTES = 4


class PlainTrack(NamedTuple):
    """One track of a plain MP4."""

    movie: Movie
    """The `moov` that the source has it in: everything is copied from there but times, tables and what the fields below say."""
    track: Track
    samples: TrackSamples
    shift: int
    """Ticks that the source's edit list takes off every timestamp."""
    language: str | None = None
    """As in a playlist (RFC 5646); None: that of the source."""
    created: int | None = None
    """When the media were recorded, in seconds since 1904; None: what the source has."""

    @property
    def start(self) -> Fraction:
        """When it is first presented, in seconds on the source's timeline."""
        return Fraction(self.samples.first_presented - self.shift, self.track.timescale)

    @property
    def end(self) -> Fraction:
        """When its presentation ends, in seconds on the source's timeline."""
        return Fraction(self.samples.presented_until - self.shift, self.track.timescale)


class PlainMovie(NamedTuple):
    """A plain MP4 that exists as a map of its bytes."""

    bytes: ByteMap
    seconds: float
    """From the presentation of its first sample to the end of its last one."""
    samples: Mapping[Medium, int]


def write_plain_movie(tracks: Sequence[PlainTrack], *, brand: bytes = b"isom", user_data: bytes = b"") -> PlainMovie:
    """Write a file of these tracks, of which none is empty: `moov` first, then all media in one `mdat`, in the order of decoding.

    The tracks keep their distance: the one that is presented first begins the file, and edit lists say when the others do.

    Args:
        tracks: video and audio, at most one of each.
        brand: the major brand, `isom` or `M4A `.
        user_data: the `udta` of the file, with its metadata; empty if there is none.
    """
    chunks = _in_decoding_order(tracks)
    extents = [Extent(chunk.place, chunk.bytes) for _, chunk in chunks]
    return _write(tracks, _Media(extents, lambda start: _chunk_places(chunks, len(tracks), start)), brand, user_data)


def write_movie_before(tracks: Sequence[PlainTrack], media_bytes: int, *, brand: bytes = b"isom", user_data: bytes = b"") -> PlainMovie:
    """Write a file as `write_plain_movie` does, but its `mdat` is all of resource 0 as it is: `media_bytes`, in which all samples lie."""
    media = _Media([Extent(Place(0, 0), media_bytes)], lambda start: [_offsets(track, start) for track in tracks])
    return _write(tracks, media, brand, user_data)


class _Media(NamedTuple):
    """The content of an `mdat`."""

    extents: Sequence[Extent]
    chunk_offsets: Callable[[int], list[list[int]]]
    """Returns the offsets of each track's chunks in the file, given that of the first byte of media."""


def _write(tracks: Sequence[PlainTrack], media: _Media, brand: bytes, user_data: bytes) -> PlainMovie:
    origin = min(track.start for track in tracks)
    traks = [_Trak(track, number, origin) for number, track in enumerate(tracks, 1)]
    movie_header = _write_movie_header(tracks[0], max(trak.duration for trak in traks), next_track=len(tracks) + 1)
    media_bytes = sum(extent.length for extent in media.extents)
    ftyp = box(b"ftyp", brand, struct.pack(">I", 512), b"isom", b"iso2", b"mp41", *([brand] if brand != b"isom" else []))
    for wide in (False, True):
        length = HEADER_BYTES + len(movie_header) + sum(trak.length(wide=wide) for trak in traks) + len(user_data)
        header = media_data_header(media_bytes)
        media_start = len(ftyp) + length + len(header)
        if wide or media_start + media_bytes <= _LAST_32_BIT_OFFSET:
            break
    written = (trak.write(offsets, wide=wide) for trak, offsets in zip(traks, media.chunk_offsets(media_start), strict=True))
    head = b"".join((ftyp, box(b"moov", movie_header, *written, user_data), header))
    end = max(track.end for track in tracks)
    counts = {track.track.medium: len(track.samples.sizes) for track in tracks if track.track.medium}
    return PlainMovie(ByteMap(head, media.extents), float(end - origin), counts)


def _in_decoding_order(tracks: Sequence[PlainTrack]) -> list[tuple[int, Chunk]]:
    """Return the chunks of all tracks, each with the index of its track, by the decode time of its first sample."""
    found: list[tuple[float, int, int, Chunk]] = []
    for index, track in enumerate(tracks):
        times = list(track.samples.decode_times)
        firsts = accumulate((chunk.samples for chunk in track.samples.chunks), initial=0)
        for number, (first, chunk) in enumerate(zip(firsts, track.samples.chunks, strict=False)):
            found.append(((times[first] - track.shift) / track.track.timescale, index, number, chunk))
    return [(index, chunk) for _, index, _, chunk in sorted(found, key=lambda each: each[:3])]


def _chunk_places(chunks: Sequence[tuple[int, Chunk]], tracks: int, media_start: int) -> list[list[int]]:
    """Return where each track's chunks begin in the file."""
    places: list[list[int]] = [[] for _ in range(tracks)]
    at = media_start
    for index, chunk in chunks:
        places[index].append(at)
        at += chunk.bytes
    return places


def _offsets(track: PlainTrack, media_start: int) -> list[int]:
    return [media_start + chunk.place.offset for chunk in track.samples.chunks]


def _write_movie_header(first: PlainTrack, duration: int, *, next_track: int) -> bytes:
    header = with_duration(first.movie.box.require(b"mvhd"), duration, timescale=MOVIE_TIMESCALE, created=first.created)
    return header[:-_NEXT_TRACK_ID_BYTES] + struct.pack(">I", next_track)


class _Trak:
    """One `trak`, whose length is known before the offsets of its chunks are."""

    def __init__(self, track: PlainTrack, number: int, origin: Fraction) -> None:
        self._source = track.track
        samples, trak = track.samples, track.track.box
        delay = math.ceil((track.start - origin) * MOVIE_TIMESCALE)
        presented = math.ceil((track.end - track.start) * MOVIE_TIMESCALE)
        self.duration = delay + presented
        """In ticks of the movie."""
        begin = [Edit(delay, EMPTY_EDIT)] if delay else []
        edits = box(b"edts", write_edits([*begin, Edit(presented, samples.first_presented - samples.start)]))
        created, language = track.created, pack_language(track.language)
        self._track_header = write_track_header(trak.require(b"tkhd"), track_id=number, duration=self.duration, created=created) + edits
        media_header = trak.require(b"mdia", b"mdhd")
        self._media_header = write_media_header(media_header, samples.end - samples.start, language=language, created=created)
        self._tables = _sample_entries(track.track) + write_sample_tables(samples, has_sync=track.track.medium is Medium.VIDEO)
        self._count = len(samples.chunks)

    def length(self, *, wide: bool) -> int:
        """Return how long the box is with offsets of 64 bits, or of 32."""
        return len(self.write([0] * self._count, wide=wide))

    def write(self, offsets: Sequence[int], *, wide: bool) -> bytes:
        """Write the box with these offsets of its chunks."""
        table = write_chunk_offsets(offsets, wide=wide)
        parts = [self._track_header]
        for child in self._source.box.children():
            if child.type == b"mdia":
                parts.append(self._write_media(child, table))
            elif child.type == b"udta":
                parts.append(child.raw)
        return box(b"trak", *parts)

    def _write_media(self, mdia: Box, offsets: bytes) -> bytes:
        parts = []
        for child in mdia.children():
            if child.type == b"mdhd":
                parts.append(self._media_header)
            elif child.type == b"minf":
                inner = (each.raw if each.type != b"stbl" else box(b"stbl", self._tables, offsets) for each in child.children())
                parts.append(box(b"minf", *inner))
            else:
                parts.append(child.raw)
        return box(b"mdia", *parts)


def _sample_entries(track: Track) -> bytes:
    """Return the `stsd`; HEVC is named `hvc1`, as Apple's players expect it, where the entry has the parameter sets."""
    stsd = track.sample_table.require(b"stsd")
    entries = (
        box(b"hvc1", entry.box.content) if entry.type == b"hev1" and not entry.lacks_parameter_sets else entry.box.raw
        for entry in track.entries
    )
    return full_box(b"stsd", stsd.version, stsd.flags, struct.pack(">I", len(track.entries)), *entries)
