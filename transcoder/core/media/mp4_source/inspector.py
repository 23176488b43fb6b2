"""Judges fragmented MP4 segments as they pass: a chain of boxes with moof and mdat in it."""

from collections.abc import Mapping

from transcoder.core.media.mp4_source.boxes import HEADER_BYTES, LARGE_HEADER_BYTES, Box, read_header
from transcoder.core.media.mp4_source.fragment import Run, read_fragment
from transcoder.core.media.mp4_source.movie import SourceTrack, read_movie
from transcoder.core.media.mp4_source.probe import source_tracks
from transcoder.core.media.streams import Medium, Probe
from transcoder.errors import UnsupportedSourceError, UpstreamError

_MAX_COLLECTED_BYTES = 8 * 1024 * 1024
"""A larger moof or moov is refused: it has to be held in memory."""
_COLLECTED = frozenset({b"moof", b"moov"})


class FragmentInspector:
    """Judges the segments of one track of one period as they pass, in any pieces. Media data is never held."""

    def __init__(self, probe: Probe, *, init: bytes) -> None:
        """Judge by the tracks of `init`, or of the moov that the segments bring themselves."""
        self._mediums = {stream.id: medium for medium in Medium if (stream := probe.first(medium))}
        self._tracks: dict[int, SourceTrack] = {track.id: track for track in source_tracks(init)}
        self._samples = dict.fromkeys(self._mediums.values(), 0)
        self._late = dict.fromkeys(Medium, 0.0)
        self._starts: dict[Medium, float] = {}
        self._ends: dict[Medium, float] = {}
        self._held = bytearray()
        self._need = HEADER_BYTES
        self._to_skip = 0
        self._declared = self._media_bytes = self._segment_samples = 0

    @property
    def samples(self) -> Mapping[Medium, int]:
        """Samples of the first stream of each medium so far."""
        return dict(self._samples)

    @property
    def starts(self) -> Mapping[Medium, float]:
        """First presentation time in this segment in seconds, where it is told."""
        return dict(self._starts)

    @property
    def ends(self) -> Mapping[Medium, float]:
        """Latest presentation end so far in seconds, where it is told."""
        return dict(self._ends)

    def begin(self) -> None:
        """Begin a segment."""
        self._starts = {}
        self._held.clear()
        self._need, self._to_skip = HEADER_BYTES, 0
        self._declared = self._media_bytes = self._segment_samples = 0

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the segment, return those that go on to ffmpeg: all of them.

        Raises UpstreamError if the boxes do not follow each other.
        """
        at, end = 0, len(piece)
        while at < end:
            if self._to_skip:
                step = min(self._to_skip, end - at)
                self._to_skip -= step
            else:
                step = min(self._need - len(self._held), end - at)
                self._held += piece[at : at + step]
                if len(self._held) == self._need:
                    self._look()
            at += step
        return piece

    def end(self) -> bytes:
        """End the segment; raises UpstreamError if it is not whole or holds no sample."""
        if self._held or self._to_skip:
            raise UpstreamError("A segment is cut off inside an MP4 box.")
        if not self._segment_samples:
            raise UpstreamError("A segment holds neither picture nor sound.")
        if self._declared > self._media_bytes:
            raise UpstreamError("A segment is damaged: it holds less media than it announces.")
        return b""

    def _look(self) -> None:
        """Look at the bytes held: the header of a box, or a whole box of those that are looked into."""
        data = bytes(self._held)
        header = read_header(data)
        if header is None:
            self._need = LARGE_HEADER_BYTES
            return
        if not header.size:
            raise UpstreamError("A segment's last MP4 box has no length: nothing could follow it.")
        if header.kind in _COLLECTED and len(data) < header.size:
            if header.size > _MAX_COLLECTED_BYTES:
                raise UpstreamError("A segment's MP4 header is too large.")
            self._need = header.size
            return
        self._held.clear()
        self._need, self._to_skip = HEADER_BYTES, header.size - len(data)
        if header.kind == b"mdat":
            self._media_bytes += self._to_skip
        elif header.kind in _COLLECTED:
            self._read(data, Box(header.kind, header.header, header.size))

    def _read(self, data: bytes, box: Box) -> None:
        if box.kind == b"moov":
            self._renew({track.id: track for track in read_movie(data, box)})
            return
        for run in read_fragment(data, box, self._tracks):
            self._declared += run.size
            self._segment_samples += run.samples
            medium = self._mediums.get(run.track.id)
            if medium:
                self._count(medium, run)

    def _renew(self, tracks: dict[int, SourceTrack]) -> None:
        """Take a segment's own moov; ffmpeg reads the first one only, so this one must not say anything new."""
        for number in self._mediums:
            before, now = self._tracks.get(number), tracks.get(number)
            if before and (now is None or (now.codec, now.parameter_sets) != (before.codec, before.parameter_sets)):
                raise UnsupportedSourceError("A segment has another initialization section than the one before it, and no tag tells of it.")
        self._tracks = tracks

    def _count(self, medium: Medium, run: Run) -> None:
        self._samples[medium] += run.samples
        if run.start is not None and run.end is not None:
            late = self._late[medium] = max(run.late, self._late[medium])
            self._starts.setdefault(medium, run.start + late)
            self._ends[medium] = max(run.end + late, self._ends.get(medium, run.end))
