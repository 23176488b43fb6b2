"""The index of a plain MP4: everything about it but its media, read from the heads of its segments."""

import asyncio
from collections import deque
from collections.abc import Sequence

from transcoder.core.hls.plan import ByteRange, Plan, Segment, Track
from transcoder.core.media.mp4.boxes import boxes_of
from transcoder.core.media.mp4.movie import Movie, read_movie
from transcoder.core.media.mp4.plain_movie import PlainTrack, write_plain_movie
from transcoder.core.media.mp4.user_data import write_tags
from transcoder.core.media.mp4_source.segment_boxes import HEAD_BYTES, SegmentBoxes
from transcoder.core.media.mp4_source.tracks import source_damage
from transcoder.core.media.mpegts import is_transport_init
from transcoder.core.media.probe import refuse_other_container
from transcoder.core.output.announcement import announce_plan
from transcoder.core.output.labels import Labels
from transcoder.core.output.plain_clip import cut_to_clip
from transcoder.core.output.plain_layout import MAX_HEADS, check_formats, check_heads, check_pieces, check_plan
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.core.request.output_format import FileFormat, Layout
from transcoder.edge.fetch import Fetcher, KnownVersion
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import ChangedFileError, DamagedMediaError, PlainLayoutError, UnexpectedMediaError, single_error
from transcoder.pipeline.empty_ends import without_empty_ends
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.plain_file import PlainFile
from transcoder.pipeline.plain_track import ClockChangeError, PlainTrackIndex
from transcoder.pipeline.segment_names import about
from transcoder.settings import Settings

_MORE_ATTEMPTS = 2
"""How often an index is read again whose source turned out to be damaged."""
_HEADS_PER_FRAGMENT = 2
"""So many are read of a fragment that is longer than was expected. Other boxes may take any number."""


class _LengthError(PlainLayoutError):
    """An origin that tells how long its files are does not tell it of one of them."""


async def make_index(plan: Plan, labels: Labels, *, fetcher: Fetcher, settings: Settings, max_heads: int) -> PlainFile:
    """Read the index of a plan; if what an origin sends turns out to be damaged, everything is read again, at most twice.

    Raises:
        PlainLayoutError: the source has no plain layout, or more than `max_heads` heads would have to be fetched. That depends on the
            source alone.
        UnsupportedSourceError: the media cannot be put into one MP4.
        UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: a head cannot be fetched, or the source is damaged.
        BadRequestError: the media ends before the clip begins.
    """
    check_plan(plan, max_heads=max_heads)
    for _ in range(_MORE_ATTEMPTS):
        try:
            return await _Index(fetcher, settings, max_heads=max_heads).read(plan, labels)
        except (DamagedMediaError, UnexpectedMediaError, ClockChangeError, _LengthError):
            fetcher.start_again()
    return await _Index(fetcher, settings, max_heads=max_heads).read(plan, labels)


def max_heads_of(layout: Layout, settings: Settings) -> int:
    """Return from how many heads an index may be made for that layout."""
    return MAX_HEADS if layout is Layout.PLAIN else settings.plain_heads


class _Index:
    """One attempt to read an index."""

    def __init__(self, fetcher: Fetcher, settings: Settings, *, max_heads: int) -> None:
        self._fetcher = fetcher
        self._window = settings.connections
        self._max_heads = max_heads
        self._keys = KeyStore(fetcher, max_init_bytes=settings.max_init_bytes)
        self._numbers: dict[str, int] = {}
        self._versions: list[KnownVersion] = []
        self._heads = 0
        self._head_bytes = 0
        self._fragments = 0

    async def read(self, plan: Plan, labels: Labels) -> PlainFile:
        plan = await without_empty_ends(plan, self._fetcher, self._keys)
        listed = plan.periods[0].tracks
        indexes = [await self._track_index(track, plan) for track in listed]
        with single_error():
            async with TaskGroup() as tasks:
                firsts = [tasks.create_task(self._boxes(track.segments[0])) for track in listed]
        expected = sum(first.result().fragments * len(track.segments) for first, track in zip(firsts, listed, strict=True))
        check_heads(expected, max_heads=self._max_heads)
        with single_error():
            async with TaskGroup() as tasks:
                for index, track, first in zip(indexes, listed, firsts, strict=True):
                    tasks.create_task(self._read_track(index, track.segments, first.result()))
        return self._file(plan, indexes, labels)

    async def _track_index(self, track: Track, plan: Plan) -> PlainTrackIndex:
        init = await self._keys.initialization_section(track.segments[0].init)
        refuse_other_container(init)
        if is_transport_init(init):
            raise PlainLayoutError("its segments are transport streams")
        return PlainTrackIndex(track, plan, init=init, movie=_movie(init))

    async def _read_track(self, index: PlainTrackIndex, segments: Sequence[Segment], first: SegmentBoxes) -> None:
        """Read the heads of the segments after the first one, several at once, and take all of them in their order."""
        self._take(index, segments[0], first)
        left, waiting = deque(segments[1:]), deque[tuple[Segment, asyncio.Task[SegmentBoxes]]]()
        async with TaskGroup() as tasks:
            if first.heads == 1:  # further heads were compared with the first one
                tasks.create_task(self._check_version(segments[0]))
            while left or waiting:
                if left and len(waiting) <= self._window:
                    segment = left.popleft()
                    waiting.append((segment, tasks.create_task(self._boxes(segment, head_bytes=first.next_head_bytes))))
                else:
                    segment, task = waiting.popleft()
                    self._take(index, segment, await task)

    def _take(self, index: PlainTrackIndex, segment: Segment, boxes: SegmentBoxes) -> None:
        self._heads, self._head_bytes = self._heads + boxes.heads, self._head_bytes + boxes.bytes_read
        self._fragments += boxes.fragments
        check_heads(self._fragments, max_heads=self._max_heads)
        index.add(segment, boxes, resource=self._numbers[segment.url])

    def _version(self, url: str) -> KnownVersion:
        """Return what is known of a resource; it gets a number when it is asked for first."""
        if url not in self._numbers:
            self._numbers[url] = len(self._versions)
            self._versions.append(KnownVersion())
        return self._versions[self._numbers[url]]

    async def _check_version(self, segment: Segment) -> None:
        """Ask for a segment once more, and compare the version that the response names with the one that is known.

        Raises:
            PlainLayoutError: its origin names another version in each response, so that a change of the file would not show.
            ChangedFileError: the file has changed.
        """
        known, now = self._version(segment.url), await self._current_version(segment)
        if now.is_same(known):
            return
        if now.is_same(await self._current_version(segment)):
            raise ChangedFileError("A file of the source has changed while its index was made.")
        raise PlainLayoutError("its origin gives the same file another ETag or Last-Modified in each response")

    async def _current_version(self, segment: Segment) -> KnownVersion:
        """Return the version that an origin names of a segment now."""
        version = KnownVersion()
        await self._fetcher.head(segment.url, ByteRange(segment.range.start if segment.range else 0, 1), version=version)
        self._heads, self._head_bytes = self._heads + 1, self._head_bytes + 1
        return version

    async def _boxes(self, segment: Segment, *, head_bytes: int | None = None) -> SegmentBoxes:
        """Read the boxes of a segment, one head after another.

        Without `head_bytes` it is the first one of a track, which shows what its origin can do, and how long the heads are.

        Raises:
            PlainLayoutError: the origin does not serve byte ranges, or does not say how long the segment is, or which version.
            UpstreamError: a head cannot be fetched, or is damaged.
        """
        try:
            with about(segment):
                return await self._read_boxes(segment, head_bytes)
        except ChangedFileError:
            await self._check_version(segment)
            raise

    async def _read_boxes(self, segment: Segment, head_bytes: int | None) -> SegmentBoxes:
        version, size = self._version(segment.url), head_bytes or HEAD_BYTES
        place = segment.range or ByteRange(0, size)
        data = await self._fetcher.head(segment.url, ByteRange(place.start, min(size, place.length)), version=version)
        if head_bytes is None and not version.has_ranges:
            raise PlainLayoutError("its origin does not serve byte ranges of files whose length it tells")
        total = version.validators and version.validators.length
        if total is None:
            raise _LengthError("its origin does not say how long each of its segments is")
        # The byte range of a last segment may reach beyond the end of its file; what is missing then shows at the end of the track.
        boxes = SegmentBoxes(place.start, min(place.start + segment.range.length, total) if segment.range else total, size)
        boxes.feed(data)
        while boxes.wanted:
            check_heads(max(boxes.fragments, boxes.heads // _HEADS_PER_FRAGMENT), max_heads=self._max_heads)
            boxes.feed(await self._fetcher.head(segment.url, ByteRange(*boxes.wanted), version=version))
        return boxes

    def _file(self, plan: Plan, indexes: Sequence[PlainTrackIndex], labels: Labels) -> PlainFile:
        probed = [index.end() for index in indexes]
        check_formats(plan, probed, announce_plan(plan, [probed]))
        tracks = [track for index, each in zip(indexes, probed, strict=True) for track in _tracks(index, each, labels)]
        clip, is_audio = plan.output_format.clip, plan.output_format.format is FileFormat.M4A
        brand, user_data = b"M4A " if is_audio else b"isom", write_tags(labels.tags)
        movie = write_plain_movie(cut_to_clip(tracks, clip) if clip else tracks, brand=brand, user_data=user_data)
        check_pieces(movie.bytes)
        used = [(url, version.validators) for (url, _), version in zip(self._numbers.items(), self._versions, strict=True)]
        resources = [(url, validators) for url, validators in used if validators is not None]
        return PlainFile.of(movie, resources, heads=self._heads, head_bytes=self._head_bytes)


def _tracks(index: PlainTrackIndex, probed: ProbedTrack, labels: Labels) -> list[PlainTrack]:
    return index.tracks([stream.id for stream in probed.streams], labels)


def _movie(init: bytes) -> Movie:
    """Return the `moov` of an initialization section.

    Raises:
        DamagedMediaError: it has none, or is broken.
    """
    with source_damage():
        moov = next((box for box in boxes_of(init) if box.type == b"moov"), None)
        if moov is None:
            raise DamagedMediaError("An initialization section has no moov.")
        return read_movie(moov)
