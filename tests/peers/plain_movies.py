"""Plain MP4s made of the segments of a folder, by the pure core alone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from peers.media_reader import listed_segments

from transcoder.core.media.mp4.boxes import boxes_of
from transcoder.core.media.mp4.byte_map import ByteMap
from transcoder.core.media.mp4.movie import Movie, read_movie
from transcoder.core.media.mp4.plain_movie import PlainMovie, PlainTrack, write_plain_movie
from transcoder.core.media.mp4.track_samples import Place, TrackSamples
from transcoder.core.media.mp4_source.placed_samples import placed_runs
from transcoder.core.media.mp4_source.segment_boxes import SegmentBoxes
from transcoder.core.media.mp4_source.tracks import source_tracks


def movie_of(init: bytes) -> Movie:
    return read_movie(next(box for box in boxes_of(init) if box.type == b"moov"))


def read_boxes(body: bytes, *, head_bytes: int = 4096) -> SegmentBoxes:
    """Read the boxes of a whole segment as they are read from an origin, by its heads."""
    boxes = SegmentBoxes(0, len(body), head_bytes)
    while boxes.wanted:
        at, size = boxes.wanted
        boxes.feed(body[at : at + size])
    return boxes


def tracks_of(init: bytes, bodies: Sequence[bytes], *, first_resource: int = 0) -> list[PlainTrack]:
    """Return the tracks of segments, each of which is a resource of its own."""
    movie, samples = movie_of(init), defaultdict[int, TrackSamples](TrackSamples)
    for number, body in enumerate(bodies, first_resource):
        for placed in placed_runs(read_boxes(body), movie):
            assert placed.decode_time is not None
            place = Place(number, placed.offset)
            samples[placed.fragment.track_id].add(placed.run, place, decode_time=placed.decode_time)
    shifts = {track.id: track.shift for track in source_tracks(init)}
    return [PlainTrack(movie, track, samples[track.id], shifts[track.id]) for track in movie.tracks if samples[track.id].sizes]


def segments_of(playlist: Path) -> tuple[bytes, list[bytes]]:
    """Return the initialization section of a local Media Playlist, and its segments."""
    listed = list(listed_segments(playlist.read_text(encoding="utf-8")))
    init = listed[0][0]
    assert init is not None
    return _read(playlist.parent, *init), [_read(playlist.parent, *segment) for _, segment in listed]


def _read(folder: Path, uri: str, byte_range: str) -> bytes:
    data = (folder / uri).read_bytes()
    if not byte_range:
        return data
    length, offset = map(int, byte_range.split("@"))
    return data[offset : offset + length]


def whole_file(mapped: ByteMap, resources: Sequence[bytes], start: int = 0, stop: int | None = None) -> bytes:
    """Return the bytes of a mapped file, or a part of them."""

    def parts() -> Iterator[bytes]:
        for part in mapped.part(start, mapped.length if stop is None else stop):
            if isinstance(part, bytes):
                yield part
            else:
                yield resources[part.place.resource][part.place.offset : part.place.offset + part.length]

    return b"".join(parts())


def plain_movie_of(*playlists: Path) -> tuple[PlainMovie, list[bytes]]:
    """Return the plain MP4 of all tracks of these local Media Playlists, and its resources."""
    tracks: list[PlainTrack] = []
    resources: list[bytes] = []
    for playlist in playlists:
        init, bodies = segments_of(playlist)
        tracks += tracks_of(init, bodies, first_resource=len(resources))
        resources += bodies
    return write_plain_movie(tracks), resources
