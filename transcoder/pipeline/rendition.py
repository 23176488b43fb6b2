"""The segments of one rendition on their way into ffmpeg: prefetched, decrypted, probed, inspected, and written into a pipe."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from transcoder.core.hls.plan import Plan
from transcoder.core.media.inspector import Inspector
from transcoder.core.media.segment_continuity import OVERLAP_SECONDS, SegmentExtent, continues, is_truncated, same_streams
from transcoder.core.media.streams import Medium, TrackKind
from transcoder.core.media.timestamps import unwrap
from transcoder.edge.pipe import PipeWriter
from transcoder.edge.prefetch import Prefetcher
from transcoder.errors import UnsupportedSourceError, UpstreamError
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.segment import ArrivingSegment, ClearReader, ProbedSegment, probe_segment

_GAP_SECONDS = 0.001
"""Segments that lie further apart than EXTINF and this have a gap between them."""


@dataclass(frozen=True, slots=True)
class _Leap:
    """Where the timestamps leave a timeline without a tag."""

    before: ProbedSegment
    starts: Mapping[Medium, float]
    """First presentation times of the segment before."""
    after: ProbedSegment


class Rendition:
    """The segments of one kind of track, through all periods of a plan, as they arrive."""

    def __init__(self, kind: TrackKind, plan: Plan, prefetcher: Prefetcher, keys: KeyStore) -> None:
        """Read through `prefetcher` what `plan` lists for `kind`."""
        listed = plan.segments_of(kind)
        self.kind = kind
        self.current: ProbedSegment | None = None
        """The segment that has begun to arrive; None before the first and after the last."""
        self._periods = iter([index for index, _ in listed])
        self._tolerance = plan.target_seconds
        self._reader = prefetcher.add_track([segment for _, segment in listed])
        self._keys = keys
        self._last_leap: _Leap | None = None

    async def open_next(self) -> ProbedSegment | None:
        """Begin the next segment, probe its head, and make it `current`; None after the last one.

        Raises:
            UpstreamError: it or its key cannot be fetched, or its bytes are not media.
            UnsupportedSourceError: it is protected.

        """
        previous, segment = self.current, await self._reader.segment()
        if segment is None:
            self.current = None
            return None
        init = await self._keys.initialization_section(segment.init)
        clear = ClearReader(self._reader, await self._keys.decryptor(segment.key))
        period = next(self._periods)
        arriving = ArrivingSegment(period, segment, init, b"", clear)
        self.current = await probe_segment(arriving, previous=previous.probe if previous and previous.period == period else None)
        return self.current

    async def feed(self, pipe: PipeWriter, inspector: Inspector, *, media: Collection[Medium]) -> None:
        """Write one period into `pipe`: up to its last segment, or to where the timestamps leave its timeline.

        `media` are those that the output takes from this rendition.

        Raises:
            UpstreamError: a segment cannot be fetched, is damaged, or is not the one that belongs in its place.
            UnsupportedSourceError: a stream begins too late to be in the output.

        """
        segment = self.current
        if segment is None:
            raise UpstreamError("A rendition ended before its period began.")
        await pipe.write(segment.init)
        while True:
            samples_before = dict(inspector.samples)
            await _pass_through(segment, inspector, pipe)
            if pipe.broken:
                return  # ffmpeg has ended; its exit status says why
            self._refuse_late_stream(inspector, media)
            previous, segment = segment, await self.open_next()
            if segment is None or segment.period != previous.period:
                break
            if not self._is_continued(previous, segment, inspector):
                self._refuse_stray(_Leap(previous, dict(inspector.starts), segment))
                self.current = await probe_segment(segment, previous=None)  # it begins a period of its own
                break
            _refuse_truncated(previous, segment, _extents(inspector, samples_before))
        pipe.close()

    def _refuse_late_stream(self, inspector: Inspector, media: Collection[Medium]) -> None:
        """Refuse a stream that was announced, had not begun when the output was begun, and begins now: it would be missing."""
        for medium in self.kind.media:
            if medium in inspector.starts and medium not in media:
                raise UnsupportedSourceError(f"The {medium.value} of the source begins too long after everything else.")

    def _is_continued(self, previous: ProbedSegment, segment: ProbedSegment, inspector: Inspector) -> bool:
        """Return whether `segment` lies on the same timeline and can go through the same ffmpeg."""
        apart = segment.segment.at - previous.segment.at
        return same_streams(previous.probe, segment.probe) and continues(
            inspector.starts, inspector.ends, segment.probe, seconds=apart, tolerance=self._tolerance
        )

    def _refuse_stray(self, leap: _Leap) -> None:
        """Refuse a single segment that lies elsewhere while the timeline continues after it: the origin sent another one."""
        last, self._last_leap = self._last_leap, leap
        if last is None or last.after.segment is not leap.before.segment:
            return
        apart = leap.after.segment.at - last.before.segment.at
        if continues(last.starts, {}, leap.after.probe, seconds=apart, tolerance=OVERLAP_SECONDS):
            raise UpstreamError("A segment is not the one that belongs in its place: the timestamps after it continue without it.")


async def _pass_through(segment: ProbedSegment, inspector: Inspector, pipe: PipeWriter) -> None:
    """Inspect the bytes of one segment and write them into ffmpeg's pipe, piece by piece."""
    inspector.begin()
    piece = segment.head
    while piece and not pipe.broken:
        await pipe.write(inspector.feed(piece))
        piece = await segment.rest.read()
    if not pipe.broken:
        await pipe.write(inspector.end())


def _extents(inspector: Inspector, samples_before: Mapping[Medium, int]) -> dict[Medium, SegmentExtent]:
    """Return what the segment that has just ended brought, by medium."""
    return {
        medium: SegmentExtent(
            count - samples_before.get(medium, 0),
            unwrap(inspector.starts[medium], near=inspector.ends[medium]),
            inspector.ends[medium],
        )
        for medium, count in inspector.samples.items()
        if medium in inspector.starts and medium in inspector.ends
    }


def _refuse_truncated(segment: ProbedSegment, following: ProbedSegment, extents: Mapping[Medium, SegmentExtent]) -> None:
    """Refuse a segment that must have lost a part, unless the playlist itself has a gap after it."""
    seconds = segment.segment.seconds
    has_gap = following.segment.at - segment.segment.at > seconds + _GAP_SECONDS
    if not has_gap and is_truncated(extents, following.probe, seconds=seconds):
        raise UpstreamError("A segment ends long before the next one begins: the origin has only a part of it.")
