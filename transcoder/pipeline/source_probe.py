"""Probes a source before the first byte: the head of each period's first segment, and the end of the last one."""

import asyncio
import math
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace

from transcoder.core.hls.plan import Key, Period, Plan, Segment, Track
from transcoder.core.media.mpegts import is_transport_init, media_at_end
from transcoder.core.media.presentation_ends import END_BYTES, presentation_ends
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Container, Medium, Probe, TrackKind
from transcoder.core.media.timeline_continuity import continues
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.probed_track import LATER_SEGMENTS, WRONG_SHARE, Border, ProbedTrack
from transcoder.edge.fetch import Fetcher
from transcoder.edge.prefetch import MAX_FETCHES
from transcoder.errors import DamagedMediaError, single_error
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.rendition import Rendition

_HEAD_BYTES = 64 * 1024
_LATER_HEAD_BYTES = 512 * 1024
_AES_BLOCK_BYTES = 16
_MAX_WHOLE_BYTES = 16 * 1024 * 1024
"""A longer segment is not fetched for its end alone."""


_FEW_PERIODS = 4
"""Of so many periods every end is read, since EXTINF does not say by how much audio outlasts video; of more, the last one alone."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The first or the last bytes of a segment."""

    clear: bytes
    """Decrypted, which makes them fewer than were asked for."""
    cut: bool
    """There is more of the segment."""


_NOTHING = _Part(b"", cut=False)


class SourceProbe:
    """Probes segments by small requests beside those that carry the media."""

    def __init__(self, fetcher: Fetcher, keys: KeyStore) -> None:
        """Fetch with `fetcher`, decrypt with the keys of `keys`."""
        self._fetcher = fetcher
        self._keys = keys

    async def periods(self, plan: Plan, renditions: Sequence[Rendition]) -> list[list[ProbedTrack]]:
        """Open the first segment of each rendition, and probe the tracks of every period of `plan`.

        Raises:
            UpstreamError: a segment cannot be fetched, or contains no media.
            UnsupportedSourceError: a segment is protected.

        """
        unopened = {rendition.kind: rendition for rendition in renditions}
        clip = plan.output_format.clip
        # What ends before its last segment does need not know when that does.
        ends_early = clip is not None and clip.seconds is not None

        def probe_track(track: Track, period: Period) -> Coroutine[None, None, ProbedTrack]:
            # The very first segment of a rendition is probed on its way into the output, not by a request of its own.
            rendition = unopened.pop(track.kind, None)
            to_end = not ends_early and (period is plan.periods[-1] or len(plan.periods) <= _FEW_PERIODS)
            return self._track(track, to_end=to_end or track.guessed_seconds > 0, rendition=rendition)

        with single_error():
            async with asyncio.TaskGroup() as tasks:
                probes = [[tasks.create_task(probe_track(track, period)) for track in period.tracks] for period in plan.periods]
        return [[task.result() for task in tracks] for tracks in probes]

    async def first_with_audio(self, track: Track) -> int:
        """Return the index of the segment with which the audio of a track begins, given that its last segment has some.

        Of audio that comes and goes, a track that has video begins with some.
        """
        without, having = 0, len(track.segments) - 1
        while having - without > 1:
            is_near = track.kind is TrackKind.AUDIO or without < LATER_SEGMENTS
            middle = without + 1 if is_near else (without + having) // 2
            found = await self._later_probe(track.segments[middle])
            audio = found.main(Medium.AUDIO) if found else None
            without, having = (without, middle) if audio and audio.start is not None else (middle, having)
        return having

    async def _track(self, track: Track, *, to_end: bool, rendition: Rendition | None) -> ProbedTrack:
        """Probe a track's first segment, and `to_end` the end of its last one."""
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                first_probe = tasks.create_task(self.first_probe(track, rendition))
                end = tasks.create_task(self._end_of(track.segments[-1])) if to_end else None
        probed = await self._with_end(ProbedTrack(track, first_probe.result(), {}), end.result() if end else _NOTHING)
        if not to_end and probed.lacks_audio:
            end_media = (await self._with_end(probed, await self._end_of(track.segments[-1]))).end_media
            return replace(probed, end_media=end_media)
        if to_end and await self._needs_whole_end(probed):
            probed = await self._with_end(probed, await self._end_of(track.segments[-1], whole=True))
        if not probed.contradicts_playlist:
            return probed
        if probed.cut:
            probed = await self._with_end(probed, await self._end_of(track.segments[-1], whole=True))
        is_late = probed.ends_later and (not probed.may_leap or await self._is_late(probed))
        probed = replace(probed, border=await self._border(probed), is_late=is_late)
        for _ in range(MAX_FETCHES - 1):
            if not probed.ends_early:
                break
            # The origin may have sent a part of it.
            again = await self._with_end(probed, await self._end_of(track.segments[-1]))
            probed = max(probed, again, key=lambda each: max(each.ends.values(), default=-math.inf))
        return probed

    async def _with_end(self, probed: ProbedTrack, part: _Part) -> ProbedTrack:
        """Return a track with what the last bytes of its last segment say of its end."""
        segment, is_fragmented = probed.track.segments[-1], probed.probe.container is Container.FMP4
        if part.clear and is_fragmented and not segment.init:
            part = await self._head_of(segment)  # each segment brings its own moov, without which its end cannot be read
        if not part.clear:
            return probed
        init = await self._keys.initialization_section(segment.init)
        ends, last = presentation_ends(part.clear, probed.probe, init=init), None
        if is_fragmented and part.cut:
            last = _start_of(probe(part.clear, init=init, whole=True, previous=probed.probe))
        listed = media_at_end(part.clear) if probed.probe.container is Container.MPEGTS else frozenset[Medium]()
        return replace(probed, ends=ends, end_media=listed | ends.keys(), cut=is_fragmented and part.cut, last_start=last)

    async def _is_late(self, probed: ProbedTrack) -> bool:
        """Read where the middle and the last segment of a track begin, and return whether it is late because EXTINF is wrong."""
        segments = probed.track.segments
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                probes = [
                    tasks.create_task(self._later_probe(segment, previous=probed.probe))
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
        listed, after = later[0].at - first.at, await self._later_probe(later[0], previous=probed.probe)
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
            async with asyncio.TaskGroup() as tasks:
                end = tasks.create_task(self._end_of(first, whole=True))
                later = tasks.create_task(self._later_probe(second, previous=probed.probe))
        init = await self._keys.initialization_section(first.init)
        ends, after = presentation_ends(end.result().clear, probed.probe, init=init), later.result()
        medium = next((medium for medium in Medium if medium in ends), None)
        before, stream = (probed.probe.main(medium), after.main(medium)) if medium and after else (None, None)
        if medium is None or before is None or before.start is None or stream is None or stream.start is None:
            return None
        start = unwrap(stream.start, near=before.start)
        return Border(start - before.start, second.at - first.at, unwrap(ends[medium], near=before.start) - start)

    async def first_probe(self, track: Track, rendition: Rendition | None = None) -> Probe:
        """Probe the first segment, and those after it for streams that are announced there and do not begin."""
        first, *later = track.segments[: LATER_SEGMENTS + 1]
        found = await (_open(rendition) if rendition else self._probe(first))
        if found.container not in {Container.MPEGTS, Container.FMP4} or not found.has_pending_stream:
            return found
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                later_probes = [(segment, tasks.create_task(self._later_probe(segment))) for segment in later]
        starts = {stream.medium: stream.start for stream in found.streams if stream.start is not None}
        for segment, task in later_probes:
            later_probe = task.result()
            guessed = sum(each.guessed_seconds for each in track.segments if each.at < segment.at)
            apart, tolerance = segment.at - first.at - guessed, segment.seconds + 2 * guessed
            if later_probe and continues(starts, {}, later_probe, seconds=apart, tolerance=tolerance):
                found = found.merged_with(later_probe)
        return found

    async def _later_probe(self, segment: Segment, *, previous: Probe | None = None) -> Probe | None:
        """Probe what a segment has at its head, and nothing after it; `previous` is the probe of a segment that it continues."""
        part = await self._head_of(segment, size=_LATER_HEAD_BYTES)
        init = await self._keys.initialization_section(segment.init)
        return probe(part.clear, init=init, whole=True, previous=previous, media=tuple(Medium))

    async def _probe(self, segment: Segment) -> Probe:
        """Probe a segment that is fetched for this alone, with as many bytes as that takes."""
        init = await self._keys.initialization_section(segment.init)
        size = _HEAD_BYTES
        while True:
            part = await self._head_of(segment, size=size)
            found = probe(part.clear, init=init, whole=not part.cut)
            if found is not None:
                return found
            size *= 4

    async def _head_of(self, segment: Segment, *, size: int = _HEAD_BYTES) -> _Part:
        """Return the first `size` bytes of a segment, decrypted."""
        head = await self._fetcher.first_bytes(segment.url, segment.range, size=size)
        decryptor = await self._keys.decryptor(segment.key)
        return _Part(decryptor.feed(head) if decryptor else head, cut=len(head) >= size)

    async def _end_of(self, segment: Segment, *, whole: bool = False) -> _Part:
        """Return the bytes that show where `segment` ends; without ranges none, unless fetching the `whole` segment is worth it."""
        if segment.init and not is_transport_init(await self._keys.initialization_section(segment.init)):
            return await self._head_of(segment, size=_MAX_WHOLE_BYTES if whole else _HEAD_BYTES)
        end = await self._fetcher.last_bytes(segment.url, segment.range, size=END_BYTES) or b""
        if not end and whole:
            part = await self._head_of(segment, size=_MAX_WHOLE_BYTES)
            return _NOTHING if part.cut else _Part(part.clear[-END_BYTES:], cut=len(part.clear) > END_BYTES)
        cut = len(end) == END_BYTES
        if not end or not segment.key:
            return _Part(end, cut)
        # In CBC each block is the IV of the next, so an end that begins with a whole block can be decrypted without what is before it.
        key = Key(segment.key.url, end[:_AES_BLOCK_BYTES]) if cut else segment.key
        decryptor = await self._keys.decryptor(key)
        return _Part(decryptor.feed(end[_AES_BLOCK_BYTES:] if cut else end) + decryptor.end() if decryptor else b"", cut)


def _start_of(found: Probe | None) -> float | None:
    """Return when the main medium of a segment begins; None if it is not known."""
    streams = [found.main(medium) for medium in Medium] if found else []
    return next((stream.start for stream in streams if stream and stream.start is not None), None)


async def _open(rendition: Rendition) -> Probe:
    """Open the first segment of a rendition and return its probe."""
    segment = await rendition.open_next()
    if segment is None:
        raise DamagedMediaError("A rendition has no segments.")
    return segment.probe
