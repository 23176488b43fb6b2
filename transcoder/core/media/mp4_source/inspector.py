"""Checks MP4 segments while they pass through: whole boxes, and as much media as their headers announce."""

from collections.abc import Collection, Iterable, Mapping

from transcoder.core.media.mp4.box_reader import BoxEvent, BoxReader, BoxStart
from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.fragment import TrackFragment, read_sequence_number
from transcoder.core.media.mp4_source.density import FragmentDensity
from transcoder.core.media.mp4_source.fragments import FragmentExtent, read_fragment
from transcoder.core.media.mp4_source.nonnegative_offsets import NonNegativeOffsets
from transcoder.core.media.mp4_source.plain_file import tracks_of
from transcoder.core.media.mp4_source.sequence_numbers import SequenceNumbers
from transcoder.core.media.mp4_source.tracks import SourceTrack, read_tracks, source_damage, source_tracks
from transcoder.core.media.packet_evidence import MAX_UNITS, PacketEvidence
from transcoder.core.media.streams import Medium, Probe
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

_MAX_COLLECTED_BYTES = 8 * 1024 * 1024
"""A larger `moof` or `moov` is refused: it has to be held in memory."""
_MAX_OVERLAP_SECONDS = 0.05
"""Fragments may overlap by this much, or by half a sample: packagers round their decode times."""
_COLLECTED = frozenset({b"moof", b"moov"})


class FragmentInspector:
    """Checks the fragmented MP4 segments of one track of one period, in pieces of any size. Media data is never held."""

    step_bytes = 96 * 1024
    """At most so many bytes are to be fed at once: what is passed on is in memory a second time."""

    def __init__(self, probe: Probe, *, init: bytes) -> None:
        """Check against the tracks of `init`, or of the `moov` that the segments bring themselves."""
        self._media_by_id = {stream.id: medium for medium in Medium if (stream := probe.main(medium))}
        self._tracks: dict[int, SourceTrack] = {track.id: track for track in source_tracks(init)}
        self._samples = dict.fromkeys(self._media_by_id.values(), 0)
        self._starts: dict[Medium, float] = {}
        self._ends: dict[Medium, float] = {}
        self._last_decode_times: dict[Medium, float] = {}
        self._decode_starts: dict[Medium, float] = {}
        self._decode_ends: dict[Medium, float] = {}
        self._sample_seconds: dict[Medium, float] = {}
        self._smallest_fragment: dict[Medium, int] = {}
        self._numbers, self._density = SequenceNumbers(), FragmentDensity()
        self._units: set[int] = set()
        self._leaps: dict[Medium, float] = {}
        self._announced_bytes = self._media_bytes = self._segment_samples = 0
        self._reader = _new_reader()
        self._fragments: list[TrackFragment] = []
        """Those of the first stream of each medium in the newest `moof`."""
        self._offsets = NonNegativeOffsets(self._media_by_id)

    @property
    def samples(self) -> Mapping[Medium, int]:
        """Samples of the first stream of each medium so far."""
        return dict(self._samples)

    @property
    def undecodable(self) -> Mapping[Medium, int]:
        """None is known."""
        return {}

    @property
    def starts(self) -> Mapping[Medium, float]:
        """First presentation time in this segment in seconds, where it is known."""
        return dict(self._starts)

    @property
    def ends(self) -> Mapping[Medium, float]:
        """Latest presentation end so far in seconds, where it is known."""
        return dict(self._ends)

    @property
    def last_decode_times(self) -> Mapping[Medium, float]:
        """Decode time of the last sample so far, in seconds, where it is known."""
        return dict(self._last_decode_times)

    @property
    def sample_seconds(self) -> Mapping[Medium, float]:
        """Duration of the last sample of each medium in seconds, where it is known."""
        return dict(self._sample_seconds)

    @property
    def decode_spans(self) -> Mapping[Medium, tuple[float, float]]:
        """First and last decode time of the video in this segment, in seconds, where they are known."""
        return {
            medium: (first, self._decode_ends[medium] - self._sample_seconds.get(medium, 0.0))
            for medium, first in self._decode_starts.items()
        }

    @property
    def packets(self) -> PacketEvidence:
        """What the numbers of the fragments of this segment say, how large they are, and what their times leave out."""
        return PacketEvidence(
            jumped=list(self._starts) if self._numbers.has_jumped else (),
            continued={} if self._numbers.goes_on is None else dict.fromkeys(self._starts, self._numbers.goes_on),
            leaps=dict(self._leaps),
            smallest_fragment=dict(self._smallest_fragment),
        )

    @property
    def units(self) -> Collection[int]:
        """Hashes of the fragments of this segment."""
        return self._units

    def begin(self) -> None:
        """Begin a segment."""
        self._starts, self._decode_ends, self._smallest_fragment, self._leaps = {}, {}, {}, {}
        self._decode_starts = {}
        self._announced_bytes = self._media_bytes = self._segment_samples = 0
        self._numbers.begin_segment()
        self._units = set()
        self._reader = _new_reader()

    def feed(self, piece: bytes) -> bytes:
        """Check the next bytes of the segment and return those that go on to ffmpeg, a `moof` when all of it is there.

        All go on as they are but negative composition offsets. Some fragments are held back until others show the order of their frames.

        Raises:
            UpstreamError: the boxes are broken.
            UnsupportedSourceError: the segment brings another `moov` than the one before it, very many small fragments, or
                other composition offsets in a way that cannot be passed on.
        """
        with source_damage():
            passed = [self._pass_on(event) for event in self._reader.feed(piece)]
        return passed[0] if len(passed) == 1 else b"".join(passed)

    def _pass_on(self, event: BoxEvent) -> bytes:
        if isinstance(event, bytes):
            return self._offsets.add_other(event)
        if isinstance(event, BoxStart):
            if event.type == b"mdat":
                self._take_media(event.length)
            return self._offsets.add_other(event.header)
        self._read(event)
        return self._offsets.add(event, self._fragments) if event.type == b"moof" else self._offsets.add_other(event.data)

    def feed_boxes(self, boxes: Iterable[Box], *, media_bytes: int) -> None:
        """Check a whole segment by its `moof` and `moov` boxes, and how many bytes of media it has. Raises what `feed` does."""
        self._take_media(media_bytes)
        with source_damage():
            for box in boxes:
                self._read(box)

    def end(self) -> bytes:
        """End the segment, and return what was held back.

        Raises:
            UpstreamError: it is not whole, holds no sample, or holds less media than it announces.
            UnsupportedSourceError: as `feed` does.
        """
        if not self._reader.at_boundary:
            raise DamagedMediaError("A segment is cut off inside an MP4 box.")
        if not self._segment_samples:
            raise DamagedMediaError("A segment contains neither video nor audio.")
        if self._announced_bytes > self._media_bytes:
            raise DamagedMediaError("A segment is damaged: it holds less media than it announces.")
        with source_damage():
            return self._offsets.end()

    def _take_media(self, count: int) -> None:
        self._media_bytes += count
        self._density.add_media(count)

    def _read(self, box: Box) -> None:
        """Take a whole `moov` or `moof`."""
        if box.type == b"moov":
            self._replace_tracks({track.id: track for track in read_tracks(box)})
            return
        self._density.add(box)
        extents = read_fragment(box, self._tracks)
        self._fragments = [extent.fragment for extent in extents if extent.track.id in self._media_by_id]
        if len(self._units) < MAX_UNITS and any(extent.samples for extent in extents):
            self._units.add(hash(box.content))
        self._numbers.add(read_sequence_number(box), after_gap=any(map(self._is_after_gap, extents)))
        for extent in extents:
            self._announced_bytes += extent.bytes
            self._segment_samples += extent.samples
            self._density.add_samples(extent.samples, extent.bytes)
            medium = self._media_by_id.get(extent.track.id)
            if medium and extent.samples:
                extent.track.check_description(extent.description)
                self._count(medium, extent)

    def _is_after_gap(self, extent: FragmentExtent) -> bool:
        """Return whether time is left out before a fragment: at least half a sample."""
        medium = self._media_by_id.get(extent.track.id)
        before = self._decode_ends.get(medium) if medium else None
        return before is not None and extent.decode_start is not None and extent.decode_start - before > extent.sample_seconds / 2

    def _replace_tracks(self, tracks: dict[int, SourceTrack]) -> None:
        """Take a segment's own `moov`. ffmpeg reads the first one only, so that this one must not say anything new."""
        for track_id in self._media_by_id:
            before, now = self._tracks.get(track_id), tracks.get(track_id)
            if before and (now is None or (now.codec, now.parameter_sets) != (before.codec, before.parameter_sets)):
                raise UnsupportedSourceError(
                    "A segment has another initialization section than the one before it, and no tag announces it."
                )
        self._tracks = tracks

    def _count(self, medium: Medium, extent: FragmentExtent) -> None:
        self._samples[medium] += extent.samples
        self._smallest_fragment[medium] = min(extent.samples, self._smallest_fragment.get(medium, extent.samples))
        self._refuse_backward_step(medium, extent)
        if extent.start is not None and extent.end is not None:
            self._starts.setdefault(medium, extent.start)
            self._ends[medium] = max(extent.end, self._ends.get(medium, extent.end))
        if extent.decode_end is not None:
            self._last_decode_times[medium] = extent.decode_end - extent.sample_seconds

    def _refuse_backward_step(self, medium: Medium, extent: FragmentExtent) -> None:
        """Refuse fragments whose decode times run backwards within one segment."""
        if extent.decode_start is None or extent.decode_end is None:
            return
        before = self._decode_ends.get(medium)
        overlap = min(_MAX_OVERLAP_SECONDS, extent.sample_seconds / 2 or _MAX_OVERLAP_SECONDS)
        if before is not None and extent.decode_start < before - overlap:
            raise DamagedMediaError(
                f"The decode times of a segment run backwards, from {before:.3f} to {extent.decode_start:.3f} s: "
                "a part of it was sent twice, or in the wrong order."
            )
        if before is not None:
            self._leaps[medium] = max(extent.decode_start - before, self._leaps.get(medium, 0.0))
        self._decode_ends[medium] = extent.decode_end
        if medium is Medium.VIDEO:
            self._decode_starts.setdefault(medium, extent.decode_start)
        if extent.sample_seconds:
            self._sample_seconds[medium] = extent.sample_seconds


class PlainFileInspector(FragmentInspector):
    """Checks a plain MP4 file while it passes through: whole boxes, and as much media as its sample tables list."""

    def _read(self, box: Box) -> None:
        if box.type != b"moov":
            raise UnsupportedSourceError("The file is both a plain and a fragmented MP4.")
        for each in tracks_of(box):
            self._announced_bytes += each.bytes
            self._segment_samples += each.samples
            medium = self._media_by_id.get(each.track.id)
            if medium:
                self._samples[medium] += each.samples
                self._starts[medium], self._ends[medium] = each.start, each.start + each.seconds


def _new_reader() -> BoxReader:
    return BoxReader(collected=_COLLECTED, max_box_bytes=_MAX_COLLECTED_BYTES)
