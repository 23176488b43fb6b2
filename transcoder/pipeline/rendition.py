"""One rendition's way through the film: fetched, decrypted, looked at, judged, and written into ffmpeg's pipe."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from transcoder.core.hls.plan import Init, Key, Plan, Segment
from transcoder.core.media.aes128 import Decryptor
from transcoder.core.media.continuity import OVERLAP_SECONDS, SegmentExtent, follows, is_truncated, same_streams
from transcoder.core.media.inspector import Inspector
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Medium, Probe, TrackKind
from transcoder.core.media.timestamps import unwrap
from transcoder.edge.fetch import Fetcher
from transcoder.edge.pipe import PipeWriter
from transcoder.edge.prefetch import Prefetcher, Reader
from transcoder.errors import UnsupportedSourceError, UpstreamError

_KEY_BYTES = 16
_SHORT_HEAD_BYTES = 256 * 1024
_GAP_SECONDS = 0.001
"""Segments further apart than this and EXTINF have a gap between them."""


class KeyStore:
    """Keys and initialization sections of a job: each is fetched once."""

    def __init__(self, fetcher: Fetcher, *, max_init_bytes: int) -> None:
        """Fetch by `fetcher`, initialization sections of at most `max_init_bytes`."""
        self._fetcher = fetcher
        self._max_init_bytes = max_init_bytes
        self._keys: dict[str, bytes] = {}
        self._inits: dict[Init, bytes] = {}

    async def decryptor(self, key: Key | None) -> Decryptor | None:
        """Return what decrypts one resource under `key`; None if it is clear.

        Raises:
            UpstreamError: the key cannot be had, or is not 16 bytes long.

        """
        if key is None:
            return None
        if key.url not in self._keys:
            self._keys[key.url] = await self._fetcher.whole(key.url, None, limit=_KEY_BYTES)
        return Decryptor(self._keys[key.url], key.iv)

    async def init(self, init: Init | None) -> bytes:
        """Return an initialization section in the clear; nothing if there is none."""
        if init is None:
            return b""
        if init not in self._inits:
            content = await self._fetcher.whole(init.url, init.range, limit=self._max_init_bytes)
            decryptor = await self.decryptor(init.key)
            self._inits[init] = decryptor.feed(content) + decryptor.end() if decryptor else content
        return self._inits[init]


class ClearSegment:
    """The bytes of the segment that has begun, decrypted."""

    def __init__(self, reader: Reader, decryptor: Decryptor | None) -> None:
        """Read what `reader` gives until its segment's end."""
        self._reader = reader
        self._decryptor = decryptor
        self._over = False

    async def read(self) -> bytes:
        """Return the next bytes; empty only at the end, and for ever after."""
        while not self._over:
            piece = await self._reader.read()
            self._over = not piece
            if self._decryptor:
                piece = self._decryptor.end() if self._over else self._decryptor.feed(piece)
            if piece:
                return piece
        return b""


@dataclass(frozen=True, slots=True)
class Head:
    """A segment that has begun to arrive, as far as it has been read and not yet been passed on."""

    period: int
    """Index of the plan's period that it belongs to."""
    segment: Segment
    init: bytes
    head: bytes
    rest: ClearSegment


@dataclass(frozen=True, slots=True)
class Opened(Head):
    """One whose head tells what it holds."""

    probe: Probe


@dataclass(frozen=True, slots=True)
class _Leap:
    """Where a timeline is left for another one."""

    before: Opened
    starts: Mapping[Medium, float]
    """First presentation times of the segment before."""
    after: Opened


class Rendition:
    """The segments of one kind, over all periods, as they arrive."""

    def __init__(self, kind: TrackKind, plan: Plan, ahead: Prefetcher, secrets: KeyStore) -> None:
        """Read by `ahead` what `plan` lists for `kind`."""
        listed = plan.segments_of(kind)
        self.kind = kind
        self.opened: Opened | None = None
        self._places = iter([index for index, _ in listed])
        self._tolerance = plan.target_seconds
        self._reader = ahead.track([segment for _, segment in listed])
        self._secrets = secrets
        self._leap: _Leap | None = None
        """The last one of which no tag told."""

    async def open_next(self) -> None:
        """Begin the next segment and look at its head; `opened` is None after the last."""
        segment = await self._reader.segment()
        if segment is None:
            self.opened = None
            return
        init = await self._secrets.init(segment.init)
        rest = ClearSegment(self._reader, await self._secrets.decryptor(segment.key))
        place, before = next(self._places), self.opened
        like = before.probe if before is not None and before.period == place else None
        self.opened = await _looked_at(Head(place, segment, init, b"", rest), like=like)

    async def feed(self, pipe: PipeWriter, inspector: Inspector, *, brings: Collection[Medium]) -> None:
        """Write one period into `pipe`: up to its last segment, or to where the timestamps begin anew; the film takes what it `brings`.

        Raises:
            UpstreamError: a segment cannot be had, or its bytes are not what they should be.
            UnsupportedSourceError: something else begins that should be in the film.

        """
        opened = self.opened
        if opened is None:
            raise UpstreamError("A rendition ended before its period began.")
        await pipe.write(opened.init)
        while True:
            counted = dict(inspector.samples)
            await self._pass(opened, pipe, inspector)
            if pipe.broken:
                return
            self._refuse_late(inspector, brings)
            before = opened
            await self.open_next()
            opened = self.opened
            if opened is None or opened.period != before.period:
                break
            if not self._continues(before, opened, inspector):
                self._refuse_stray(_Leap(before, dict(inspector.starts), opened))
                self.opened = await _looked_at(opened, like=None)  # it begins a period of its own
                break
            _refuse_half(before, opened, _passed(inspector, counted))
        pipe.close()

    def _refuse_late(self, inspector: Inspector, brings: Collection[Medium]) -> None:
        """Refuse what was announced, had not come when the film was begun, and comes now: it would be missing."""
        for medium in self.kind.media:
            if medium in inspector.starts and medium not in brings:
                raise UnsupportedSourceError(f"The {medium.value} of the source begins too long after everything else.")

    def _continues(self, before: Opened, after: Opened, inspector: Inspector) -> bool:
        """Tell whether `after` lies on the same timeline and can go through the same ffmpeg."""
        apart = after.segment.at - before.segment.at
        return same_streams(before.probe, after.probe) and follows(
            inspector.starts, inspector.ends, after.probe, seconds=apart, tolerance=self._tolerance
        )

    def _refuse_stray(self, leap: _Leap) -> None:
        """Refuse a single segment that lies elsewhere, with the timeline going on behind it: the origin answered with another one."""
        last, self._leap = self._leap, leap
        if last is None or last.after.segment is not leap.before.segment:
            return
        apart = leap.after.segment.at - last.before.segment.at
        if follows(last.starts, {}, leap.after.probe, seconds=apart, tolerance=OVERLAP_SECONDS):
            raise UpstreamError("A segment is not the one that belongs in its place: the film goes on behind it as if it were not there.")

    async def _pass(self, opened: Opened, pipe: PipeWriter, inspector: Inspector) -> None:
        inspector.begin()
        piece = opened.head
        while piece and not pipe.broken:
            await pipe.write(inspector.feed(piece))
            piece = await opened.rest.read()
        if not pipe.broken:
            await pipe.write(inspector.end())


async def _looked_at(head: Head, *, like: Probe | None) -> Opened:
    """Read so much of a segment that it is known what it holds."""
    data, whole = head.head, False
    while (seen := probe(data, init=head.init, whole=whole, like=like)) is None:
        # Each look begins at the beginning, so a long head is not looked at for every piece that comes.
        wanted = len(data) + (len(data) // 4 if len(data) > _SHORT_HEAD_BYTES else 1)
        while not whole and len(data) < wanted:
            piece = await head.rest.read()
            whole = not piece
            data += piece
    return Opened(head.period, head.segment, head.init, data, head.rest, seen)


def _passed(inspector: Inspector, before: Mapping[Medium, int]) -> dict[Medium, SegmentExtent]:
    """Say what the segment that has just ended brought."""
    return {
        medium: SegmentExtent(
            count - before.get(medium, 0), unwrap(inspector.starts[medium], near=inspector.ends[medium]), inspector.ends[medium]
        )
        for medium, count in inspector.samples.items()
        if medium in inspector.starts and medium in inspector.ends
    }


def _refuse_half(before: Opened, after: Opened, passed: Mapping[Medium, SegmentExtent]) -> None:
    """Refuse a segment of which a part must be missing; where the playlist says that there is a gap behind it, there may be one."""
    seconds = before.segment.seconds
    if after.segment.at - before.segment.at <= seconds + _GAP_SECONDS and is_truncated(passed, after.probe, seconds=seconds):
        raise UpstreamError("A segment ends long before the next one begins: the origin has only a part of it.")
