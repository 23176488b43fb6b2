"""One track of a plain MP4: its segments in order, each checked by its fragments as one is that passes into ffmpeg, and its samples."""

import hashlib
from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from transcoder.core.hls.plan import Plan, Segment, Track
from transcoder.core.media.mp4.movie import Movie
from transcoder.core.media.mp4.plain_movie import PlainTrack
from transcoder.core.media.mp4.track_samples import Place, SampleOverlapError, TrackSamples
from transcoder.core.media.mp4_source import FragmentInspector
from transcoder.core.media.mp4_source.placed_samples import placed_runs
from transcoder.core.media.mp4_source.segment_boxes import SegmentBoxes
from transcoder.core.media.mp4_source.tracks import source_tracks
from transcoder.core.media.passed_segment import PassedSegment
from transcoder.core.media.probe import probe
from transcoder.core.media.segment_sequence import SAME_CONTENT, SegmentSequence
from transcoder.core.media.streams import Container, Medium, Probe
from transcoder.core.media.timeline_continuity import continues, reaches_back, same_streams
from transcoder.core.output.labels import Labels
from transcoder.core.output.plain_layout import check_samples
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.errors import DamagedMediaError, MisplacedMediaError, PlainLayoutError
from transcoder.pipeline.passing import check_end, ends_before, passed_segment
from transcoder.pipeline.segment_names import about
from transcoder.pipeline.segment_places import SegmentPlaces, identity_of


class IndexedSegment(NamedTuple):
    """A segment of which only the boxes have been read."""

    period: int
    segment: Segment
    probe: Probe
    boxes: SegmentBoxes


class ClockChangeError(PlainLayoutError):
    """The times of a segment do not continue those of the one before it; the origin may have sent another one in its place."""


class PlainTrackIndex:
    """Takes the segments of one track in order."""

    def __init__(self, track: Track, plan: Plan, *, init: bytes, movie: Movie) -> None:
        """Begin before the first segment of a track of `plan`, whose initialization section is `init` with `movie` in it."""
        self._track = track
        self._init = init
        self._movie = movie
        self._tolerance = plan.target_seconds
        clip = plan.output_format.clip
        self._ends_early = clip is not None and clip.seconds is not None
        self._sequence = SegmentSequence({}, from_start=not (clip and clip.start is not None))
        self._places = SegmentPlaces()
        self._inspector: FragmentInspector | None = None
        self._previous: tuple[IndexedSegment, PassedSegment] | None = None
        self._first_probe: Probe | None = None
        self._seen: dict[bytes, tuple[object, ...]] = {}
        """What the playlist names, by the hash of its boxes."""
        self._samples: defaultdict[int, TrackSamples] = defaultdict(TrackSamples)
        """By track_ID."""

    def add(self, segment: Segment, boxes: SegmentBoxes, *, resource: int) -> None:
        """Take the next segment, which lies in the `resource` of that number.

        Raises:
            UpstreamError: it is damaged, not the one that belongs in its place, or a part of the one before it is missing.
            PlainLayoutError: its times leave the timeline, or overlap.
            UnsupportedSourceError: it is protected, or has other sample descriptions than those before it.
        """
        with about(segment):
            self._add(segment, boxes, resource)

    def _add(self, segment: Segment, boxes: SegmentBoxes, resource: int) -> None:
        before = self._previous[0].probe if self._previous else None
        found = self._probe(boxes, before)
        indexed = IndexedSegment(0, segment, found, boxes)
        inspector = self._inspector = self._inspector or FragmentInspector(found, init=self._init)
        self._first_probe = self._first_probe or found
        content = b"".join(box.raw for box in boxes.boxes)
        if self._seen.setdefault(hashlib.sha256(content).digest(), identity_of(segment)) != identity_of(segment):
            raise MisplacedMediaError(SAME_CONTENT)
        if self._previous:
            self._check_next(*self._previous, indexed, inspector)
        samples_before = dict(inspector.samples)
        inspector.begin()
        inspector.feed_boxes(boxes.boxes, media_bytes=sum(end - start for start, end in boxes.media))
        inspector.end()
        passed = passed_segment(indexed, inspector, samples_before, content)
        self._places.check_passed(indexed, passed, frozenset(inspector.units))
        self._sequence.add(passed)
        self._previous = indexed, passed
        self._collect(boxes, found, resource)

    def _probe(self, boxes: SegmentBoxes, before: Probe | None) -> Probe:
        head = b"".join(box.raw for box in boxes.boxes)
        found = probe(head, init=self._init, whole=True, previous=before, media=self._track.kind.media)
        if found is None or found.container is not Container.FMP4:
            raise PlainLayoutError("its segments are not fragmented MP4")
        return found

    def _check_next(self, before: IndexedSegment, passed: PassedSegment, after: IndexedSegment, inspector: FragmentInspector) -> None:
        """Check a segment against the one before it, whose inspection has ended."""
        self._places.check_next(passed, before, after, inspector.starts)
        apart = after.segment.at - before.segment.at
        is_continued = same_streams(before.probe, after.probe) and continues(
            inspector.starts, ends_before(after, inspector), after.probe, seconds=apart, tolerance=self._tolerance
        )
        if not is_continued:
            self._places.leave(before, after, inspector.starts)
        if not is_continued or reaches_back(inspector.last_decode_times, after.probe, sample_seconds=inspector.sample_seconds):
            raise ClockChangeError("its clock or its streams change on the way, and no tag says where")

    def _collect(self, boxes: SegmentBoxes, found: Probe, resource: int) -> None:
        wanted = {stream.id for medium in self._track.kind.media if (stream := found.main(medium))}
        for placed in placed_runs(boxes, self._movie):
            if placed.fragment.track_id in wanted and placed.decode_time is not None:
                samples = self._samples[placed.fragment.track_id]
                check_samples(len(samples.sizes) + len(placed.run.sizes))
                try:
                    samples.add(
                        placed.run,
                        Place(resource, placed.offset),
                        decode_time=placed.decode_time,
                        description=placed.fragment.description,
                    )
                except SampleOverlapError as error:
                    raise ClockChangeError("its samples overlap in time") from error

    def end(self) -> ProbedTrack:
        """Check what only the whole track shows, and return what is known of it.

        Raises:
            UpstreamError: a part of it is missing, or in another place.
        """
        if self._first_probe is None or self._inspector is None:
            raise DamagedMediaError("A rendition has no segments.")
        self._places.check_order(0)
        check_end(self._sequence, () if self._ends_early else self._inspector.packets.unfinished)
        return ProbedTrack(self._track, self._first_probe, self._inspector.ends, end_media=frozenset(self._inspector.ends))

    def tracks(self, ids: Collection[int], labels: Labels) -> list[PlainTrack]:
        """Return the tracks with these ids, with all their samples, the language of the audio and the date of both."""
        shifts = {track.id: track.shift for track in source_tracks(self._init)}
        return [
            PlainTrack(
                self._movie,
                track,
                self._samples[track.id],
                shifts[track.id],
                language=labels.language if track.medium is Medium.AUDIO else None,
                created=labels.created,
            )
            for track in self._movie.tracks
            if track.id in ids and self._samples[track.id].sizes
        ]
