"""What a fragmented MP4 segment holds, from its initialization section and its first bytes."""

from collections.abc import Mapping

from transcoder.core.media.mp4.boxes import Box, boxes_of, leading_boxes
from transcoder.core.media.mp4_source.density import FragmentDensity
from transcoder.core.media.mp4_source.fragments import FragmentExtent, read_fragment
from transcoder.core.media.mp4_source.tracks import SourceTrack, read_tracks, source_damage, source_tracks
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.errors import DamagedMediaError

_ENOUGH_BYTES = 1024 * 1024
"""A track that has no fragment within so many bytes counts as one that never begins."""
_MAX_MOOF_BYTES = 8 * 1024 * 1024


def probe_fragments(head: bytes, *, init: bytes, whole: bool) -> Probe | None:
    """Return what the segment that begins with `head` holds; None if more bytes are needed.

    Raises:
        UpstreamError: the boxes are broken, or there is no `moov`.
        UnsupportedSourceError: it is encrypted or not fragmented, or has several sample descriptions.
    """
    scan = _Scan(head, source_tracks(init))
    scan.read()
    if not (scan.complete or whole or _is_enough(head, scan)):
        return None
    if not scan.tracks:
        raise DamagedMediaError("An MP4 segment has no video or audio track: its initialization section is missing or of another kind.")
    first = scan.first
    found = Probe(Container.FMP4, tuple(_stream(track, first.get(track.id)) for track in scan.tracks))
    for extent in (first[stream.id] for medium in Medium if (stream := found.main(medium)) and stream.id in first):
        extent.track.check_description(extent.description)
    return found


def fragment_ends(head: bytes, probe: Probe, *, init: bytes) -> Mapping[Medium, float]:
    """Return the presentation end of each first stream in seconds, from the fragments whose `moof` lies within `head`.

    It is the segment's end if one `moof` covers the segment, or if `head` is all of it.
    """
    scan = _Scan(head, source_tracks(init))
    scan.read(to_end=True)
    ends: dict[Medium, float] = {}
    for track in scan.tracks:
        stream = probe.main(track.medium)
        if track.id in scan.ends and stream and stream.id == track.id:
            ends[track.medium] = scan.ends[track.id]
    return ends


def has_no_samples(segment: bytes, *, init: bytes) -> bool:
    """Return whether a whole segment has neither a sample of its tracks nor media data.

    Raises:
        UpstreamError: the boxes are broken.
        UnsupportedSourceError: it is encrypted or not fragmented.
    """
    scan = _Scan(segment, source_tracks(init))
    scan.read(to_end=True)
    with source_damage():
        has_media_data = any(box.type == b"mdat" and box.content for box in boxes_of(segment))
    return not has_media_data and not scan.has_samples


def _is_enough(head: bytes, scan: "_Scan") -> bool:
    return len(head) >= (_ENOUGH_BYTES if scan.has_fragments else _MAX_MOOF_BYTES)


def _stream(track: SourceTrack, extent: FragmentExtent | None) -> Stream:
    return track.stream(None) if extent is None else track.stream(extent.start, decode_start=extent.decode_start)


class _Scan:
    """A walk over the boxes at the beginning of a segment. It keeps one extent of each track, however many fragments there are."""

    def __init__(self, head: bytes, tracks: tuple[SourceTrack, ...]) -> None:
        self._head = head
        self.tracks = tracks
        self._by_id = {track.id: track for track in tracks}
        self._awaited = _main_tracks(tracks)
        self.first: dict[int, FragmentExtent] = {}
        """The first extent of each track that has a start."""
        self.ends: dict[int, float] = {}
        """The latest end of each track."""
        self.has_fragments = False
        self.has_samples = False
        self._density = FragmentDensity()

    @property
    def complete(self) -> bool:
        """Whether the track of each medium has begun that goes into the output if it begins at all."""
        return bool(self.tracks) and not self._awaited

    def read(self, *, to_end: bool = False) -> None:
        """Read box after box until every track has begun that ever begins, or to the end of the bytes."""
        with source_damage():
            for box in leading_boxes(self._head):
                if box.end <= len(self._head):
                    self._take(box)
                is_late = self.has_fragments and box.start >= _ENOUGH_BYTES
                if not to_end and (self.complete or is_late):
                    return

    def _take(self, box: Box) -> None:
        self._density.add_box(box)
        if box.type == b"moov" and not self.tracks:
            self.tracks = read_tracks(box)
            self._by_id = {track.id: track for track in self.tracks}
            self._awaited = _main_tracks(self.tracks)
        elif box.type == b"moof":
            for extent in read_fragment(box, self._by_id):
                self._add(extent)

    def _add(self, extent: FragmentExtent) -> None:
        number = extent.track.id
        self.has_fragments = True
        if extent.samples:
            self.has_samples = True
            self._awaited.discard(number)
        if extent.start is not None:
            self.first.setdefault(number, extent)
        if extent.end is not None:
            self.ends[number] = max(self.ends.get(number, extent.end), extent.end)


def _main_tracks(tracks: tuple[SourceTrack, ...]) -> set[int]:
    """Return the id of the track of each medium that goes into the output if it begins."""
    wanted = Probe(Container.FMP4, tuple(track.stream(None) for track in tracks))
    return {stream.id for medium in Medium if (stream := wanted.main(medium))}
