"""A look at the source before the first byte: the head of each period's first segment, and the end of the last."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from transcoder.core.hls.plan import Key, Plan, Segment, Track
from transcoder.core.media.continuity import follows
from transcoder.core.media.ends import presentation_ends
from transcoder.core.media.mpegts import is_tables
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Container, Probe
from transcoder.core.output.announcement import ProbedTrack
from transcoder.edge.fetch import Fetcher
from transcoder.errors import UpstreamError, single_error
from transcoder.pipeline.rendition import KeyStore, Rendition

_HEAD_BYTES = 64 * 1024
_TAIL_BYTES = 256 * 1024
_GLANCE_BYTES = 512 * 1024
_BLOCK = 16
_LATE_SEGMENTS = 8
"""So many segments after the first are looked at for a picture or a sound that is announced and has not begun."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One end of a segment."""

    clear: bytes
    """Decrypted, which makes it shorter than what was asked for."""
    cut: bool
    """There is more of the segment."""


class SourceProbe:
    """Looks at segments by small requests beside the ones that carry the media."""

    def __init__(self, fetcher: Fetcher, secrets: KeyStore) -> None:
        """Ask by `fetcher`, decrypt by `secrets`."""
        self._fetcher = fetcher
        self._secrets = secrets

    async def periods(self, plan: Plan, renditions: Sequence[Rendition]) -> list[list[ProbedTrack]]:
        """Open the first segment of each rendition, and survey every period of `plan`.

        Raises:
            UpstreamError: a segment cannot be had, or holds no media.
            UnsupportedSourceError: a segment is protected.

        """
        waiting = {rendition.kind: rendition for rendition in renditions}
        # What ends before its last segment does need not know when that does.
        last = None if plan.output_format.clip and plan.output_format.clip.seconds is not None else plan.periods[-1]
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                surveys = [
                    # A rendition's very first segment is looked at on its way into the film, not by a request of its own.
                    [
                        tasks.create_task(self._track(track, last=period is last, by=waiting.pop(track.kind, None)))
                        for track in period.tracks
                    ]
                    for period in plan.periods
                ]
        return [[task.result() for task in tracks] for tracks in surveys]

    async def _track(self, track: Track, *, last: bool, by: Rendition | None) -> ProbedTrack:
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                head = tasks.create_task(self._begun(track, by))
                end = tasks.create_task(self._end(track.segments[-1])) if last else None
        seen, found, segment = head.result(), end.result() if end else _Part(b"", cut=False), track.segments[-1]
        if found.clear and seen.container is Container.FMP4 and not segment.init:
            found = await self._head(segment)  # with a moov in each segment, nothing is known of it until it has been looked at
        if not found.clear:
            return ProbedTrack(track, seen, {})
        ends = presentation_ends(found.clear, seen, init=await self._secrets.init(segment.init))
        return ProbedTrack(track, seen, ends, seen.container is Container.FMP4 and found.cut)

    async def _begun(self, track: Track, by: Rendition | None) -> Probe:
        """Look at the first segment, and at those after it for what is announced there and does not begin."""
        first, *later = track.segments[: _LATE_SEGMENTS + 1]
        seen = await (_opened(by) if by else self._probe(first))
        if seen.container not in {Container.MPEGTS, Container.FMP4} or not seen.waits:
            return seen
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                glances = [(segment, tasks.create_task(self._glance(segment))) for segment in later]
        begins = {stream.medium: stream.start for stream in seen.streams if stream.start is not None}
        for segment, glance in glances:
            then = glance.result()
            if then and follows(begins, {}, then, seconds=segment.at - first.at, tolerance=segment.seconds):
                seen = seen.completed(then)
        return seen

    async def _glance(self, segment: Segment) -> Probe | None:
        """Look at what a segment has at its head."""
        seen = await self._head(segment, size=_GLANCE_BYTES)
        return probe(seen.clear, init=await self._secrets.init(segment.init), whole=True)

    async def _probe(self, segment: Segment) -> Probe:
        """Look at the head of a segment that is fetched for this alone."""
        init = await self._secrets.init(segment.init)
        size = _HEAD_BYTES
        while True:
            head = await self._head(segment, size=size)
            seen = probe(head.clear, init=init, whole=not head.cut)
            if seen is not None:
                return seen
            size *= 4

    async def _head(self, segment: Segment, *, size: int = _HEAD_BYTES) -> _Part:
        """Return the first `size` bytes of a segment in the clear."""
        head = await self._fetcher.first_bytes(segment.url, segment.range, size=size)
        decryptor = await self._secrets.decryptor(segment.key)
        return _Part(decryptor.feed(head) if decryptor else head, cut=len(head) >= size)

    async def _end(self, segment: Segment) -> _Part:
        """Return what tells where `segment` ends, nothing if the origin has no way to give it cheaply."""
        if segment.init and not is_tables(await self._secrets.init(segment.init)):
            return await self._head(segment)
        tail = await self._fetcher.last_bytes(segment.url, segment.range, size=_TAIL_BYTES) or b""
        cut = len(tail) == _TAIL_BYTES
        if not tail or not segment.key:
            return _Part(tail, cut)
        # In CBC each block is the next one's IV, so an end that begins on a block can be decrypted without what is before it.
        key = Key(segment.key.url, tail[:_BLOCK]) if cut else segment.key
        decryptor = await self._secrets.decryptor(key)
        return _Part(decryptor.feed(tail[_BLOCK:] if cut else tail) + decryptor.end() if decryptor else b"", cut)


async def _opened(rendition: Rendition) -> Probe:
    await rendition.open_next()
    if rendition.opened is None:
        raise UpstreamError("A rendition has no segments.")
    return rendition.opened.probe
