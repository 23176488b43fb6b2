"""Probes a source before the first byte: the head of each period's first segment, and the end of the last one."""

import asyncio
import math
from collections.abc import Awaitable, Coroutine, Mapping

from transcoder.core.hls.plan import Plan, Track
from transcoder.core.media.mpegts import media_at_end
from transcoder.core.media.presentation_ends import last_slide, presentation_ends
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Container, Medium, Probe, TrackKind
from transcoder.core.media.timeline_continuity import continues
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.probed_track import LATER_SEGMENTS, WRONG_SHARE, Border, ProbedTrack
from transcoder.core.output.track_ends import ends_elsewhere
from transcoder.edge.fetch import Fetcher
from transcoder.edge.prefetch import MAX_FETCHES
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import DamagedMediaError, single_error
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.segment import ProbedSegment
from transcoder.pipeline.segment_names import about
from transcoder.pipeline.segment_parts import NOTHING, SegmentPart, SegmentParts

_FEW_PERIODS = 4
"""Of so many periods every end is read, since EXTINF does not say by how much audio outlasts video; of more, the first and the last one."""
_MAX_ENDS = 64
"""Where these show that EXTINF is wrong or rounded, the ends of so many more periods are read."""
_MIN_ROUNDING_SECONDS = 0.1
"""Durations that are rounded by so much together are worth reading the ends of all periods."""


class SourceProbe:
    """Probes segments by small requests beside those that carry the media."""

    def __init__(self, fetcher: Fetcher, keys: KeyStore) -> None:
        """Fetch with `fetcher`, decrypt with the keys of `keys`."""
        self._parts = SegmentParts(fetcher, keys)
        self._keys = keys

    async def opened(self, plan: Plan, kind: TrackKind, opening: Awaitable[ProbedSegment | None]) -> ProbedTrack:
        """Return what a rendition has at its beginning, whose first segment `opening` returns.

        Raises:
            UpstreamError: a segment cannot be fetched, or contains no media.
            UnsupportedSourceError: a segment is protected.

        """
        track, segment = next(track for period in plan.periods for track in period.tracks if track.kind is kind), await opening
        if segment is None:
            raise DamagedMediaError("A rendition has no segments.")
        return ProbedTrack(track, await self.first_probe(track, segment.probe), {})

    async def periods(self, plan: Plan, opened: Mapping[TrackKind, Awaitable[ProbedTrack]]) -> list[list[ProbedTrack]]:
        """Probe the tracks of every period of `plan`, given what `opened` returns for each rendition. Raises what that does."""
        at_end, firsts = _periods_to_end(plan), dict(opened)

        def probe_track(index: int, track: Track) -> Coroutine[None, None, ProbedTrack]:
            # The very first segment of a rendition is probed on its way into the output, not by a request of its own.
            first = firsts.pop(track.kind, None)
            return self._track(track, to_end=index in at_end or track.guessed_seconds > 0, first=first)

        with single_error():
            async with TaskGroup() as tasks:
                probes = [
                    [tasks.create_task(probe_track(index, track)) for track in period.tracks] for index, period in enumerate(plan.periods)
                ]
        found = [[task.result() for task in tracks] for tracks in probes]
        if at_end and any(ends_elsewhere(track) for tracks in found for track in tracks):
            rest = [index for index in range(len(found)) if index not in at_end][:_MAX_ENDS]
            with single_error():
                async with TaskGroup() as tasks:
                    more = {index: [tasks.create_task(self._to_end(track)) for track in found[index]] for index in rest}
            found = [[task.result() for task in more[index]] if index in more else tracks for index, tracks in enumerate(found)]
        return found

    async def first_with_audio(self, track: Track) -> int:
        """Return the index of the segment with which the audio of a track begins, given that its last segment has some.

        Of audio that comes and goes, a track that has video begins with some.
        """
        without, having = 0, len(track.segments) - 1
        while having - without > 1:
            is_near = track.kind is TrackKind.AUDIO or without < LATER_SEGMENTS
            middle = without + 1 if is_near else (without + having) // 2
            found = await self._parts.later_probe(track.segments[middle])
            audio = found.main(Medium.AUDIO) if found else None
            without, having = (without, middle) if audio and audio.start is not None else (middle, having)
        return having

    async def _track(self, track: Track, *, to_end: bool, first: Awaitable[ProbedTrack] | None) -> ProbedTrack:
        """Probe a track's first segment, unless `first` does that, and `to_end` the end of its last one."""
        with single_error():
            async with TaskGroup() as tasks:
                end = tasks.create_task(self._parts.end_of(track.segments[-1])) if to_end else None
                # Others wait for the first one, too: it goes on if the end fails.
                probed = await asyncio.shield(first) if first else ProbedTrack(track, await self.first_probe(track), {})
        probed = await self._with_end(probed, end.result() if end else NOTHING)
        if not to_end and probed.lacks_audio:
            end_media = (await self._with_end(probed, await self._parts.end_of(track.segments[-1]))).end_media
            return probed._replace(end_media=end_media)
        return await self._with_true_end(probed) if to_end else probed

    async def _to_end(self, probed: ProbedTrack) -> ProbedTrack:
        """Return a track with the end of its last segment, of which only the first one has been probed."""
        return await self._with_true_end(await self._with_end(probed, await self._parts.end_of(probed.track.segments[-1])))

    async def _with_true_end(self, probed: ProbedTrack) -> ProbedTrack:
        """Return a track whose end was read, with what else has to be read where that contradicts the playlist."""
        if await self._needs_whole_end(probed):
            probed = await self._with_end(probed, await self._parts.end_of(probed.track.segments[-1], whole=True))
        if probed.cut and probed.contradicts_playlist:
            probed = await self._with_end(probed, await self._parts.end_of(probed.track.segments[-1], whole=True))
        if not probed.contradicts_playlist:
            return probed._replace(border=await self._overlap(probed)) if probed.video_lag else probed
        is_late = probed.ends_later and (not probed.may_leap or await self._is_late(probed))
        probed = probed._replace(border=await self._border(probed), is_late=is_late)
        for _ in range(MAX_FETCHES - 1):
            if not probed.ends_early:
                break
            # The origin may have sent a part of it.
            again = await self._with_end(probed, await self._parts.end_of(probed.track.segments[-1]))
            probed = max(probed, again, key=lambda each: max(each.ends.values(), default=-math.inf))
        return probed

    async def _with_end(self, probed: ProbedTrack, part: SegmentPart) -> ProbedTrack:
        """Return a track with what the last bytes of its last segment say of its end."""
        segment, is_fragmented = probed.track.segments[-1], probed.probe.container is Container.FMP4
        if part.clear and is_fragmented and not segment.init:
            part = await self._parts.head_of(segment)  # each segment brings its own moov, without which its end cannot be read
        if not part.clear:
            return probed
        part = await self._parts.longer_end(segment, part, probed.probe)
        init = await self._keys.initialization_section(segment.init)
        with about(segment):
            ends, last = presentation_ends(part.clear, probed.probe, init=init), None
            if is_fragmented and part.cut:
                last = _start_of(probe(part.clear, init=init, whole=True, previous=probed.probe))
            listed = media_at_end(part.clear) if probed.probe.container is Container.MPEGTS else frozenset[Medium]()
            slide = last_slide(part.clear, probed.probe)
        return probed._replace(ends=ends, end_media=listed | ends.keys(), cut=is_fragmented and part.cut, last_start=last, slide=slide)

    async def _is_late(self, probed: ProbedTrack) -> bool:
        """Read where the middle and the last segment of a track begin, and return whether it is late because EXTINF is wrong."""
        segments = probed.track.segments
        with single_error():
            async with TaskGroup() as tasks:
                probes = [
                    tasks.create_task(self._parts.later_probe(segment, previous=probed.probe))
                    for segment in (segments[len(segments) // 2], segments[-1])
                ]
        middle, last = (_start_of(each.result()) for each in probes)
        return middle is not None and last is not None and probed.is_late_by(middle=middle, last=last)

    async def _needs_whole_end(self, probed: ProbedTrack) -> bool:
        """Return whether the end of a track must be known, and is not."""
        if probed.track.guessed_seconds:
            return probed.cut or not probed.ends
        return not probed.ends and await self._is_extinf_wrong(probed)

    async def _is_extinf_wrong(self, probed: ProbedTrack) -> bool:
        """Return whether the second segment lies elsewhere than EXTINF says: without ranges, no end shows that."""
        first, *later = probed.track.segments[:2]
        if not later or all(stream.start is None for stream in probed.streams):
            return False
        listed, after = later[0].at - first.at, await self._parts.later_probe(later[0], previous=probed.probe)
        for stream in probed.streams:
            second = after and after.main(stream.medium)
            if second and stream.start is not None and second.start is not None:
                distance = unwrap(second.start, near=stream.start + listed) - stream.start
                return abs(distance - listed) > WRONG_SHARE * listed + first.rounding
        return False

    async def _border(self, probed: ProbedTrack) -> Border | None:
        """Read what lies between the first two segments of a track; None if that cannot be known."""
        first, second = probed.track.segments[:2]
        with single_error():
            async with TaskGroup() as tasks:
                end = tasks.create_task(self._parts.end_of(first, whole=True))
                later = tasks.create_task(self._parts.later_probe(second, previous=probed.probe))
        part, after = end.result().clear, later.result()
        ends = presentation_ends(part, probed.probe, init=await self._keys.initialization_section(first.init))
        medium = next((medium for medium in Medium if medium in ends), None)
        before, stream = (probed.probe.main(medium), after.main(medium)) if medium and after else (None, None)
        if medium is None or before is None or before.start is None or stream is None or stream.start is None:
            return None
        start = unwrap(stream.start, near=before.start)
        overlap = unwrap(ends[medium], near=before.start) - start
        if medium is Medium.VIDEO and last_slide(part, probed.probe):
            overlap = max(0.0, overlap)  # a slide is shown until the next one
        excess = ends[Medium.AUDIO] - ends[medium] if Medium.AUDIO in ends else 0.0
        return Border(start - before.start, second.at - first.at, overlap, excess)

    async def _overlap(self, probed: ProbedTrack) -> Border | None:
        """Read how segments of a track overlap whose video ends early, and its audio does not; None if the video is over by itself."""
        last = await self._parts.later_probe(probed.track.segments[-1], previous=probed.probe)
        start = _start_of(last)
        early = 0.0 if start is None else probed.begins_early_by(start)
        border = await self._border(probed) if early else None
        return border if border is None or border.overlaps else border._replace(overlap=early)

    async def first_probe(self, track: Track, found: Probe | None = None) -> Probe:
        """Probe the first segment, unless that is `found`, and those after it for streams that are announced there and do not begin."""
        first, *later = track.segments[: LATER_SEGMENTS + 1]
        found = found or await self._parts.probe(first)
        if found.container not in {Container.MPEGTS, Container.FMP4} or not found.has_pending_stream:
            return found
        with single_error():
            async with TaskGroup() as tasks:
                later_probes = [(segment, tasks.create_task(self._parts.later_probe(segment))) for segment in later]
        starts = {stream.medium: stream.start for stream in found.streams if stream.start is not None}
        for segment, task in later_probes:
            later_probe = task.result()
            guessed = sum(each.guessed_seconds for each in track.segments if each.at < segment.at)
            apart, tolerance = segment.at - first.at - guessed, segment.seconds + 2 * guessed
            if later_probe and continues(starts, {}, later_probe, seconds=apart, tolerance=tolerance):
                found = found.merged_with(later_probe)
        return found


def _periods_to_end(plan: Plan) -> frozenset[int]:
    """Return the indices of the periods whose ends are read, whatever they show; none if the output ends before its last segment does."""
    clip = plan.output_format.clip
    if clip is not None and clip.seconds is not None:
        return frozenset()
    count = len(plan.periods)
    rounding = sum(max(sum(segment.rounding for segment in track.segments) for track in period.tracks) for period in plan.periods)
    if count <= _FEW_PERIODS or rounding > _MIN_ROUNDING_SECONDS:
        return frozenset([*range(min(count, _MAX_ENDS)), count - 1])
    return frozenset([0, count - 1])


def _start_of(found: Probe | None) -> float | None:
    """Return when the main medium of a segment begins; None if it is not known."""
    streams = [found.main(medium) for medium in Medium] if found else []
    return next((stream.start for stream in streams if stream and stream.start is not None), None)
