"""The check of prefetched segments, before any of their bytes is read: odd ones are fetched again before they are believed."""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from transcoder.core.hls.plan import Segment
from transcoder.core.media.segment_look import Oddity, SegmentLook, look_in_steps
from transcoder.core.media.segment_plausibility import ListedPlace, SegmentPlausibility
from transcoder.core.media.streams import Probe
from transcoder.edge.prefetch import MAX_FETCHES
from transcoder.errors import MisplacedMediaError, TranscoderError, UpstreamError
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.segment_names import about
from transcoder.pipeline.steps import in_steps


class _Look(NamedTuple):
    """What one body of a segment shows."""

    shown: SegmentLook | None
    """None if it is damaged."""
    oddities: frozenset[Oddity] = frozenset()
    """Those that do not show in its bytes."""


class SegmentRefetch:
    """Checks the segments of one rendition, run by run.

    A run is a period, or the part of it before or after a segment of unknown duration: the playlist does not say how far apart those are.
    """

    def __init__(self, listed: Sequence[tuple[int, Segment]], keys: KeyStore, fetch_again: Callable[[Segment], Awaitable[bytes]]) -> None:
        """Check the segments that are `listed` with the index of their period; decrypt with the keys of `keys`."""
        self._keys = keys
        self._fetch_again = fetch_again
        self._run_of = {segment: run for (_, segment), run in zip(listed, _runs(listed), strict=True)}
        self._checks = {run: SegmentPlausibility() for run in self._run_of.values()}
        self._last = {run: segment for segment, run in self._run_of.items()}
        self._rejected: Counter[tuple[Segment, bytes]] = Counter()
        """How often each body, by its digest, was rejected for a segment."""
        self._looks: dict[Segment, dict[bytes, _Look]] = {}
        """What the rejected bodies of a segment have shown, by their digests: the same one is not looked at again."""
        self._damaged: set[Segment] = set()
        self._probes: dict[Segment, Probe] = {}
        """What the accepted bodies were found to be that have not begun to be read."""
        self._first_accepted: dict[int, tuple[Segment, bytes]] = {}
        """The segment of each run that was accepted before all others, and the digest of its body."""
        self._confirmed: set[int] = set()
        """Runs whose first accepted segment was fetched again, and was the same."""

    async def accepts(self, segment: Segment, body: bytes) -> bool:
        """Return whether a body may be passed on: it looks right, or the origin has sent the same one as often as it was asked.

        Raises:
            DamagedMediaError: the segment that was accepted first is the one that does not belong where it is.
            UpstreamError: its key or its initialization section cannot be fetched.

        """
        run = self._run_of[segment]
        look = await self._look_at(segment, body)
        if await self._is_plausible(segment, look):
            if run not in self._first_accepted:
                self._first_accepted[run] = segment, hashlib.sha256(body).digest()
            if look.shown and look.shown.probe:
                self._probes[segment] = look.shown.probe
            return True
        digest = hashlib.sha256(body).digest()
        self._looks.setdefault(segment, {})[digest] = look
        self._rejected[segment, digest] += 1
        if self._rejected[segment, digest] < MAX_FETCHES:
            return False
        if look.shown is None:
            self._damaged.add(segment)
        self._checks[run].believe()
        return True

    def taken_probe(self, segment: Segment) -> Probe | None:
        """Return, once, what the accepted body of a segment was found to be, if that had been looked at before any of it was read."""
        return self._probes.pop(segment, None)

    def is_damaged(self, segment: Segment) -> bool:
        """Return whether a segment is damaged by itself, and was the same each time it was fetched."""
        return segment in self._damaged

    async def _look_at(self, segment: Segment, body: bytes) -> "_Look":
        """Look at a body, unless it has been looked at before."""
        before = self._looks.get(segment)
        known = before.get(hashlib.sha256(body).digest()) if before else None
        if known:
            return known
        decryptor = await self._keys.decryptor(segment.key)
        try:
            clear = decryptor.feed(body) + decryptor.end() if decryptor else body
        except UpstreamError:
            return _Look(None)  # cut off: it may be whole the next time
        oddities = frozenset({Oddity.UNPADDED} if decryptor and not decryptor.is_padded else set[Oddity]())
        init = await self._keys.initialization_section(segment.init)
        try:
            return _Look(await in_steps(look_in_steps(clear, init=init)), oddities)
        except TranscoderError:
            return _Look(None, oddities)

    async def _is_plausible(self, segment: Segment, look: "_Look") -> bool:
        run = self._run_of[segment]
        check = self._checks[run]
        place = ListedPlace(segment.at, segment.seconds, segment.rounding, segment == self._last[run])
        accepted = check.accepts(look.shown, place, look.oddities)
        if check.doubts_only and run not in self._confirmed:
            self._confirmed.add(run)
            await self._confirm(*self._first_accepted[run])
        return accepted

    async def _confirm(self, segment: Segment, digest: bytes) -> None:
        """Fetch a segment again that was accepted when there was nothing to compare it with."""
        for _ in range(MAX_FETCHES - 1):
            if hashlib.sha256(await self._fetch_again(segment)).digest() != digest:
                with about(segment):
                    raise MisplacedMediaError("The origin sent another segment in place of this one when it was asked again.")


def _runs(listed: Sequence[tuple[int, Segment]]) -> list[int]:
    """Return the number of each segment's run."""
    borders = (period != other or one.guessed or next_one.guessed for (period, one), (other, next_one) in pairwise(listed))
    return list(accumulate(borders, initial=0))[: len(listed)]
