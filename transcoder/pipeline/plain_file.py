"""A plain MP4 that exists as a map: what is known of it, and how any part of it is sent."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Self

from transcoder.core.hls.plan import ByteRange, Segment
from transcoder.core.hls.playlist.uris import without_query
from transcoder.core.media.mp4.byte_map import Extent
from transcoder.core.media.mp4.extent_groups import ExtentGroup, WantedBytes, group_extents
from transcoder.core.media.mp4.plain_movie import PlainMovie
from transcoder.edge.fetch import Fetcher, KnownVersion, Validators
from transcoder.edge.prefetch import ByteSink, Prefetcher, TrackReader
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import single_error
from transcoder.settings import Settings

RECIPE = "plain-1"
"""The version of the bytes that are made of the same source: other bytes need another one, so that the ETag changes with them."""
_ETAG_DIGITS = 32

Write = Callable[[bytes], Awaitable[None]]
"""Receives bytes. Returns when it may be called again: that is the back pressure."""


class PlainFile(NamedTuple):
    """A plain MP4 that exists as a map, with the version of each resource that has its media."""

    movie: PlainMovie
    resources: tuple[tuple[str, Validators], ...]
    """By number: address, and what identifies its version."""
    etag: str
    """A strong one: it changes with the recipe, with what was asked for, and with every resource."""
    heads: int
    """How many pieces of the source were read for it."""
    head_bytes: int
    """How many bytes these have."""

    @classmethod
    def of(cls, movie: PlainMovie, resources: Sequence[tuple[str, Validators]], *, heads: int, head_bytes: int) -> Self:
        """Return the file of a movie whose media is in `resources`."""
        digest = hashlib.sha256(RECIPE.encode() + movie.bytes.head)
        for url, validators in resources:
            version = validators.length, validators.etag or validators.modified
            digest.update(repr((without_query(url), version)).encode())
        return cls(movie, tuple(resources), f'"{digest.hexdigest()[:_ETAG_DIGITS]}"', heads, head_bytes)

    @property
    def length(self) -> int:
        """Bytes of the file."""
        return self.movie.bytes.length

    @property
    def kept_bytes(self) -> int:
        """How much memory it takes, about."""
        return self.movie.bytes.kept_bytes + sum(256 + len(url) for url, _ in self.resources)


async def send_part(file: PlainFile, start: int, stop: int, *, fetcher: Fetcher, settings: Settings, write: Write) -> None:
    """Write the bytes from `start` to before `stop` of the file. Returns only after all of them were written.

    Raises:
        ChangedFileError: a resource is no longer the one that the file was made of.
        UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: a resource cannot be fetched.
    """
    extents: list[Extent] = []
    for piece in file.movie.bytes.part(start, stop):
        if isinstance(piece, bytes):
            await write(piece)
        else:
            extents.append(piece)
    if extents:
        await _send_media(file, extents, fetcher, settings, write)


async def _send_media(file: PlainFile, extents: Sequence[Extent], fetcher: Fetcher, settings: Settings, write: Write) -> None:
    """Fetch the extents, some of them before they are needed, and write them in their order."""
    versions = {url: KnownVersion(validators) for url, validators in file.resources}
    groups = list(group_extents(extents))

    def listed(number: int, group: ExtentGroup) -> Segment:
        url, _ = file.resources[group.resource]
        return Segment(url, 0.0, float(number), ByteRange(group.start, group.stop - group.start), None, None)

    async def fetch(segment: Segment, sink: ByteSink) -> None:
        group = groups[int(segment.at)]
        wanted = WantedBytes(group)

        async def take(piece: bytes) -> None:
            for part in wanted.take(piece):
                await sink(part)

        byte_range = ByteRange(group.start, group.stop - group.start)
        await fetcher.part(segment.url, byte_range, take, version=versions[segment.url])

    prefetcher = Prefetcher(fetch, budget_bytes=settings.ahead_bytes, connections=settings.connections)
    reader = prefetcher.add_track([listed(number, group) for number, group in enumerate(groups)])
    with single_error():
        async with TaskGroup() as tasks:
            tasks.create_task(prefetcher.run())
            await _write_all(reader, write)


async def _write_all(reader: TrackReader, write: Write) -> None:
    while await reader.segment():
        while piece := await reader.read():
            await write(piece)
