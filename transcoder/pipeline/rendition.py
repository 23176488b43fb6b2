"""The segments of one rendition on their way into ffmpeg: prefetched, decrypted, probed, inspected, and written into a pipe."""

import asyncio
from collections import defaultdict
from collections.abc import Collection

from transcoder.core.hls.plan import Plan
from transcoder.core.media.inspector import Inspector
from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.passed_segment import PassedSegment
from transcoder.core.media.segment_sequence import SegmentSequence
from transcoder.core.media.streams import Medium, TrackKind
from transcoder.core.media.timeline_continuity import continues, reaches_back, same_streams
from transcoder.edge.pipe import SegmentSink
from transcoder.edge.prefetch import Prefetcher
from transcoder.errors import DamagedMediaError, UnsupportedSourceError, UpstreamError
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.passing import add_passed, check_end, ends_before, passed_segment
from transcoder.pipeline.segment import ArrivingSegment, ClearReader, ProbedSegment, probe_segment
from transcoder.pipeline.segment_names import about
from transcoder.pipeline.segment_places import SegmentPlaces
from transcoder.pipeline.segment_refetch import SegmentRefetch

_FINGERPRINT_BYTES = 4096
"""The first bytes of a segment have its timestamps, so that two segments with the same ones are the same segment, or a part of it."""


class Rendition:
    """The segments of one kind of track, through all periods of a plan, as they arrive."""

    def __init__(self, kind: TrackKind, plan: Plan, prefetcher: Prefetcher, keys: KeyStore) -> None:
        """Read through `prefetcher` what `plan` lists for `kind`."""
        listed = plan.segments_of(kind)
        self.kind = kind
        self.current: ProbedSegment | None = None
        """The segment that has begun to arrive; None before the first and after the last."""
        self.goes_on_from: float | None = None
        """When the audio ended before the period that begins, in seconds on the clock of both, if that goes on; None for other tracks."""
        self._periods = iter([index for index, _ in listed])
        self._count = len(listed)
        self._tolerance = plan.target_seconds
        clip = plan.output_format.clip
        self._clipped_period = 0 if clip and clip.start is not None else None
        """The period that does not begin with its first segment."""
        self._ends_early = clip is not None and clip.seconds is not None
        self._checks = SegmentRefetch(listed, keys, prefetcher.fetch_again)
        self._reader = prefetcher.add_track([segment for _, segment in listed], check=self._checks.accepts)
        self._keys = keys
        self._padded: defaultdict[int, list[bool]] = defaultdict(list)
        """Whether each encrypted segment so far has padding, by the period of the plan."""
        self._places = SegmentPlaces()
        self._sequence: SegmentSequence | None = None
        """The segments on the timeline that was begun last."""
        self._known: dict[int, dict[tuple[object, ...], tuple[object, ...]]] = {}
        """The segments that have passed, by the period of the plan and their fingerprint."""

    def shorten_to(self, plan: Plan) -> None:
        """Read no more than `plan` lists, which is the same without some of the last segments; only the first one may have been opened."""
        count = len(plan.segments_of(self.kind))
        self._reader.leave_out_last(self._count - count)
        self._count = count

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
        init, period = await self._keys.initialization_section(segment.init), next(self._periods)
        before = previous.probe if previous and previous.period == period else None
        with about(segment):
            clear = ClearReader(self._reader, await self._keys.decryptor(segment.key))
        arriving = ArrivingSegment(period, segment, init, b"", clear)
        await self._reader.arrived()
        found = self._checks.taken_probe(segment)
        known = found.known_to_continue(before) if found and before else None
        current = arriving.probed(known) if known else await probe_segment(arriving, previous=before, media=self.kind.media)
        if before and self.kind is TrackKind.AUDIO:
            # Where there is no video, only the clock of one ffmpeg says how long a pause is.
            current = current._replace(probe=current.probe.with_pausing(Medium.AUDIO, before))
        self.current = current
        return current

    async def feed(self, pipe: SegmentSink, inspector: Inspector, *, media: Collection[Medium]) -> None:
        """Write one period into `pipe`: up to its last segment, or to where the timestamps leave its timeline.

        `media` are those that the output takes from this rendition.

        Raises:
            UpstreamError: a segment cannot be fetched, is damaged, or is not the one that belongs in its place.
            UnsupportedSourceError: a stream begins too late to be in the output.

        """
        segment = self.current
        if segment is None:
            raise DamagedMediaError("A rendition ended before its period began.")
        await pipe.write(segment.init)
        sequence = self._sequence = self._next_sequence(segment.period)
        while True:
            passed = await self._pass_or_settle(segment, pipe, inspector, media)
            if passed is None:
                return  # ffmpeg has ended; its exit status says why
            add_passed(sequence, passed)
            previous, segment = segment, await self.open_next()
            self.goes_on_from = None
            if segment is None or segment.period != previous.period:
                self._check_period(previous.period, sequence, passed.packets)
                break
            self._places.check_next(passed, previous, segment, inspector.starts)
            if not self._is_continued(previous, segment, inspector):
                self.current = await probe_segment(segment.arriving, previous=None, media=self.kind.media)  # it begins a period of its own
                break
        pipe.close()

    def _next_sequence(self, period: int) -> SegmentSequence:
        """Return a sequence for the next timeline, which may be in the same period of the plan as the one before it."""
        before = self._sequence if period in self._known else None
        return SegmentSequence(self._known.setdefault(period, {}), from_start=period != self._clipped_period, before=before)

    async def _pass_or_settle(
        self, segment: ProbedSegment, pipe: SegmentSink, inspector: Inspector, media: Collection[Medium]
    ) -> PassedSegment | None:
        """Let a segment pass as `_pass` does; if it is damaged, find out whether that is what its origin has.

        Raises:
            DamagedMediaError: it may be undamaged if everything is fetched again.
            UpstreamError: it was the same each time it was fetched.
        """
        try:
            with about(segment.segment):
                return await self._pass(segment, pipe, inspector, media)
        except DamagedMediaError as error:
            await self._reader.skip_while_kept()
            if self._checks.is_damaged(segment.segment):
                raise UpstreamError(str(error)) from error
            raise

    async def _pass(
        self, segment: ProbedSegment, pipe: SegmentSink, inspector: Inspector, media: Collection[Medium]
    ) -> PassedSegment | None:
        """Inspect the bytes of one segment and write them into ffmpeg's pipe; None if ffmpeg has stopped reading."""
        inspector.begin()
        samples_before, prefix = dict(inspector.samples), segment.head[:_FINGERPRINT_BYTES]
        await _pass_piece(segment.head, pipe, inspector)
        while not pipe.broken and (piece := await segment.rest.read()):
            prefix += piece[: _FINGERPRINT_BYTES - len(prefix)]
            await _pass_piece(piece, pipe, inspector)
        if not pipe.broken:
            await pipe.write(inspector.end())
        if pipe.broken:
            return None
        self._refuse_late_stream(inspector, media)
        self._check_padding(segment)
        passed = passed_segment(segment, inspector, samples_before, prefix)
        self._places.check_passed(segment, passed, frozenset(inspector.units))
        return passed

    def _check_padding(self, segment: ProbedSegment) -> None:
        """Check that all encrypted segments of a period have padding, or none has: a packager always writes it, or never.

        Raises:
            UpstreamError: one of them is cut off.

        """
        padded = self._padded[segment.period]
        if segment.rest.is_padded is not None:
            padded.append(segment.rest.is_padded)
        if len(set(padded)) > 1:
            raise DamagedMediaError("A part of this encrypted segment is missing: it does not end as the others do.")

    def _check_period(self, period: int, sequence: SegmentSequence, last: PacketEvidence) -> None:
        """Check what only the whole of a period shows; `last` is what the packets of its last segment show.

        Raises:
            UpstreamError: a part of it is missing, or in another place.

        """
        self._places.check_order(period)
        if self._padded[period] == [False] and not last.has_trailer:
            # No other segment shows that this packager writes no padding, nor do bytes that fill up the last block.
            raise DamagedMediaError("The only segment is encrypted without padding, or cut off.")
        check_end(sequence, () if self._ends_early else last.unfinished)

    def _refuse_late_stream(self, inspector: Inspector, media: Collection[Medium]) -> None:
        """Refuse a stream that was announced, had not begun when the output was begun, and begins now: it would be missing."""
        for medium in self.kind.media:
            if medium in inspector.starts and medium not in media:
                raise UnsupportedSourceError(f"The {medium.value} of the source begins too long after everything else.")

    def _is_continued(self, previous: ProbedSegment, segment: ProbedSegment, inspector: Inspector) -> bool:
        """Return whether `segment` lies on the same timeline and can go through the same ffmpeg.

        Raises:
            UpstreamError: it leaves the timeline for one that has been before.

        """
        apart = segment.segment.at - previous.segment.at
        self.has_changed = not same_streams(previous.probe, segment.probe)
        goes_on = continues(inspector.starts, ends_before(segment, inspector), segment.probe, seconds=apart, tolerance=self._tolerance)
        self.goes_on_from = inspector.ends.get(Medium.AUDIO) if goes_on and self.kind is TrackKind.AUDIO else None
        is_continued = goes_on and not self.has_changed
        if not is_continued:
            self._places.leave(previous, segment, inspector.starts)
        # A segment that was encoded by itself may begin a little before the end of the one before it.
        return is_continued and not reaches_back(inspector.last_decode_times, segment.probe, sample_seconds=inspector.sample_seconds)


async def _pass_piece(piece: bytes, pipe: SegmentSink, inspector: Inspector) -> None:
    """Inspect the next bytes of a segment and write them, unless ffmpeg has stopped reading, and give everything else a turn in between.

    They may be many, such as all of a data: address.
    """
    for at in range(0, len(piece), inspector.step_bytes):
        if pipe.broken:
            return
        await pipe.write(inspector.feed(piece[at : at + inspector.step_bytes]))
        await asyncio.sleep(0)
