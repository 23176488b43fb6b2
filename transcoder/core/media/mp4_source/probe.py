"""What a fragmented MP4 segment holds, told from its initialization section and first bytes."""

from collections.abc import Mapping
from dataclasses import replace

from transcoder.core.media.mp4_source.boxes import Box, boxes, read_header
from transcoder.core.media.mp4_source.fragment import Run, read_fragment
from transcoder.core.media.mp4_source.movie import SourceTrack, read_movie
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.errors import UpstreamError

_ENOUGH_BYTES = 1024 * 1024
"""A track that has no fragment within so many bytes is taken as one that does not come."""
_MAX_MOOF_BYTES = 8 * 1024 * 1024


def source_tracks(init: bytes) -> tuple[SourceTrack, ...]:
    """Read an initialization section; no tracks if it holds no moov."""
    for box in boxes(init, 0, len(init)):
        if box.kind == b"moov":
            return read_movie(init, box)
    return ()


def probe_fragments(head: bytes, *, init: bytes, whole: bool) -> Probe | None:
    """Tell what the segment beginning with `head` holds; None if more bytes are needed.

    Raises UpstreamError if the boxes are broken or there is no moov, UnsupportedSourceError if it is encrypted or not fragmented.
    """
    scan = _Scan(head, source_tracks(init))
    scan.read()
    if not (scan.complete or whole or _is_enough(head, scan)):
        return None
    if not scan.tracks:
        raise UpstreamError(
            "An MP4 segment comes without a track of picture or sound: its initialization section is missing or of another kind."
        )
    first: dict[int, Run] = {}
    for run in scan.runs:
        if run.start is not None:
            first.setdefault(run.track.id, run)
    return Probe(Container.FMP4, tuple(_stream(track, first.get(track.id)) for track in scan.tracks))


def fragment_ends(head: bytes, probe: Probe, *, init: bytes) -> Mapping[Medium, float]:
    """Return the presentation end of each first stream, as told by the fragments whose headers lie within `head`.

    It is the segment's end where one moof covers the segment, or where `head` is the whole of it.
    """
    scan = _Scan(head, source_tracks(init))
    scan.read(through=True)
    ends: dict[Medium, float] = {}
    for run in scan.runs:
        stream = probe.first(run.track.medium)
        if run.end is not None and stream and stream.id == run.track.id:
            end = run.end + max(run.late, stream.composition_shift)
            ends[stream.medium] = max(end, ends.get(stream.medium, end))
    return ends


def _is_enough(head: bytes, scan: "_Scan") -> bool:
    return len(head) >= (_ENOUGH_BYTES if scan.runs else _MAX_MOOF_BYTES)


def _stream(track: SourceTrack, run: Run | None) -> Stream:
    stream = Stream(track.medium, track.codec, track.id, None, track.sample_rate, track.channels)
    return replace(stream, start=run.start + run.late, composition_shift=run.late) if run and run.start is not None else stream


class _Scan:
    """A walk over the boxes at the head of a segment."""

    def __init__(self, head: bytes, tracks: tuple[SourceTrack, ...]) -> None:
        self._head = head
        self.tracks = tracks
        self.runs: list[Run] = []

    @property
    def complete(self) -> bool:
        """Whether the first track of each medium has begun."""
        begun = {run.track.id for run in self.runs if run.samples}
        firsts = (next((track for track in self.tracks if track.medium is medium), None) for medium in Medium)
        return bool(self.tracks) and all(track.id in begun for track in firsts if track)

    def read(self, *, through: bool = False) -> None:
        """Read box after box until every track has begun, or `through` to the end of the bytes."""
        at = 0
        while through or not self.complete:
            header = read_header(self._head, at)
            if header is None:
                return
            end = at + header.size if header.size else len(self._head)
            if end <= len(self._head):
                self._box(Box(header.kind, at + header.header, end))
            at = end

    def _box(self, box: Box) -> None:
        if box.kind == b"moov" and not self.tracks:
            self.tracks = read_movie(self._head, box)
        elif box.kind == b"moof":
            self.runs.extend(read_fragment(self._head, box, {track.id: track for track in self.tracks}))
