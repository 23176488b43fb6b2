"""A plain MP4 file whose `moov` stands in front of its media (ISO/IEC 14496-12, 8.6 and 8.7)."""

from typing import NamedTuple

from transcoder.core.media.mp4.boxes import Box, leading_boxes
from transcoder.core.media.mp4_source.tracks import SourceTrack, read_tracks, source_damage
from transcoder.core.media.streams import Container, Medium, Probe


class PlainFileTrack(NamedTuple):
    """One track, and what its sample tables add up to."""

    track: SourceTrack
    samples: int
    bytes: int
    """Of all samples."""
    start: float
    """First presentation time in seconds, edit list applied."""
    seconds: float


def probe_plain_file(head: bytes) -> Probe | None:
    """Return what the file that begins with `head` holds; None if it is no plain MP4, or its `moov` is not there as a whole.

    Raises:
        UnsupportedSourceError: it is encrypted, or has different sample descriptions in one track.
        UpstreamError: its boxes are broken.
    """
    tracks = plain_file_tracks(head)
    if not tracks:
        return None
    found = Probe(Container.MP4, tuple(each.track.stream(each.start) for each in tracks))
    chosen = {stream.id for medium in Medium if (stream := found.main(medium))}
    for track in (each.track for each in tracks if each.track.id in chosen):
        for number in track.tables.descriptions if track.tables else ():
            track.check_description(number)
    return found


def plain_file_tracks(head: bytes) -> tuple[PlainFileTrack, ...]:
    """Return the tracks of the plain MP4 that begins with `head`; none if it is no such file, or its `moov` is not there as a whole.

    Raises:
        UnsupportedSourceError: it is encrypted.
        UpstreamError: its boxes are broken.
    """
    with source_damage():
        moov = next((box for box in leading_boxes(head) if box.type == b"moov" and box.end <= len(head)), None)
    return tracks_of(moov) if moov else ()


def media_comes_first(head: bytes) -> bool:
    """Return whether the media of a file stand before the `moov` that tells how to read them.

    Raises:
        UpstreamError: its boxes are broken.
    """
    with source_damage():
        types = [box.type for box in leading_boxes(head)]
    return b"mdat" in types and b"moov" not in types


def tracks_of(moov: Box) -> tuple[PlainFileTrack, ...]:
    """Return the tracks of a `moov` that lists samples; none if it lists none. Raises what `plain_file_tracks` does."""
    return tuple(
        PlainFileTrack(
            track=track,
            samples=track.tables.samples,
            bytes=track.tables.bytes,
            start=(track.tables.first_offset - track.shift) / track.timescale,
            seconds=track.tables.ticks / track.timescale,
        )
        for track in read_tracks(moov, fragmented=False)
        if track.tables
    )
