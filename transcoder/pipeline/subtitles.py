"""Fetches a rendition of subtitles as one text on the clock of the output."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from transcoder.core.hls.agreement import address_after_last_segment, byte_after_last_segment
from transcoder.core.hls.plan import Plan, Segment
from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MediaPlaylist, MultivariantPlaylist, Rendition, require_media_playlist
from transcoder.core.hls.subtitle_selection import offered_subtitles, select_subtitles
from transcoder.core.media.streams import TrackKind
from transcoder.core.media.subtitles import MAX_CUES, PlacedSegment, WebVtt, join_segments, parse_webvtt, write_subrip, write_webvtt
from transcoder.core.request.subtitle_request import SubtitleFormat, SubtitleRequest
from transcoder.core.source.reddit import with_subtitles
from transcoder.core.source.source import ResolvedSource, Source, SourceKind
from transcoder.edge.fetch import Fetcher
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import DamagedMediaError, UnsupportedSourceError, UpstreamError, UpstreamTimeoutError, single_error
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.media_clock import MediaClock
from transcoder.pipeline.playlists import fetch_playlist
from transcoder.pipeline.resolver import Resolver
from transcoder.pipeline.segment_names import about
from transcoder.pipeline.source_probe import SourceProbe
from transcoder.settings import Settings

MAX_BYTES = 4 * 1024 * 1024
"""Longer subtitles, over all segments, are refused."""
MAX_SEGMENTS = 20_000
"""Subtitles in more segments are refused."""
_MORE_ATTEMPTS = 2
"""A segment that is damaged is fetched so many more times."""
_SIGNATURE_BYTES = 16
_SHORTER_SECONDS = 0.5
"""Subtitles that end so much before their video may lack segments."""


async def list_subtitles(source: Source, resolved: ResolvedSource, *, fetcher: Fetcher) -> ResolvedSource:
    """Return the source with the subtitles that Reddit leaves out of a playlist unless it is asked for them; any other is unchanged.

    Raises:
        UpstreamError, UpstreamTimeoutError, UnsupportedSourceError: Reddit does not answer with a playlist.

    """
    known = resolved.multivariant
    if source.kind is not SourceKind.REDDIT or source.url is None or known is None or offered_subtitles(known):
        return resolved
    listed = await fetch_playlist(with_subtitles(source.url), fetcher)
    if not isinstance(listed, MultivariantPlaylist):
        return resolved
    return resolved._replace(multivariant=known._replace(renditions=(*known.renditions, *offered_subtitles(listed))))


async def list_subtitles_if_possible(source: Source, resolved: ResolvedSource, *, fetcher: Fetcher) -> ResolvedSource:
    """Do what `list_subtitles` does for a report, which is not worth less than nothing without them."""
    with suppress(UpstreamError, UpstreamTimeoutError, UnsupportedSourceError):
        return await list_subtitles(source, resolved, fetcher=fetcher)
    return resolved


class Subtitles(NamedTuple):
    """One rendition of subtitles, of which only the playlist has been read."""

    source: Source
    rendition: Rendition
    playlist: MediaPlaylist
    segments: tuple[Segment, ...]
    """Their `at` is relative to the beginning of the output."""
    video: Plan
    """What the subtitles belong to."""
    format: SubtitleFormat


async def find_subtitles(request: SubtitleRequest, *, resolver: Resolver, fetcher: Fetcher) -> Subtitles:
    """Find the rendition that is wanted, and read its playlist.

    Raises:
        UpstreamError, UpstreamTimeoutError: a playlist cannot be fetched, or is cut.
        UnsupportedSourceError: there are no such subtitles, or none that can be made into one text.
        TranscoderError: as `Resolver.find` and `Resolver.resolve` do.

    """
    source = await resolver.find(request.job, fetcher=fetcher)
    resolved = await resolver.resolve(source, request.job, fetcher=fetcher)
    resolved = await list_subtitles(source, resolved, fetcher=fetcher)
    multivariant = resolved.multivariant
    rendition = select_subtitles(multivariant, language=request.language)
    if multivariant is None or rendition.url is None:
        raise UnsupportedSourceError("The source has no subtitles.")
    found = await fetch_playlist(rendition.url, fetcher, imported=multivariant.variables)
    playlist = require_media_playlist(found, named=rendition.url)
    return Subtitles(source, rendition, playlist, _segments(playlist), resolved.plan, request.format)


def _segments(playlist: MediaPlaylist) -> tuple[Segment, ...]:
    """Return the segments of a playlist of subtitles.

    Raises:
        UnsupportedSourceError: they cannot be made into one text.

    """
    segments = tuple(segment for _, segment in make_plan(playlist).segments_of(TrackKind.BOTH))
    if len(segments) < len(playlist.segments):
        raise UnsupportedSourceError("The playlist of the subtitles lists gaps: some of them do not exist.")
    if len(segments) > MAX_SEGMENTS:
        raise UnsupportedSourceError(f"The subtitles have {len(segments)} segments; {MAX_SEGMENTS} is the most that is supported.")
    if any(segment.init for segment in segments):
        raise UnsupportedSourceError("The subtitles are in MP4 segments (wvtt or stpp), which is not supported; only WebVTT as text is.")
    return segments


async def fetch_subtitles(found: Subtitles, *, fetcher: Fetcher, settings: Settings) -> bytes:
    """Fetch all segments, and return them as one text. It returns only if all of them are there.

    Raises:
        UpstreamError, UpstreamTimeoutError: a segment cannot be fetched, is damaged, missing or not in its place.
        UnsupportedSourceError: the segments are not WebVTT, or too large.

    """
    keys = KeyStore(fetcher, max_init_bytes=settings.max_init_bytes)
    clock = MediaClock(found.video, SourceProbe(fetcher, keys))
    contents = await _SegmentFetcher(fetcher, keys).all(found.segments, at_once=settings.connections)
    if await _is_playlist_short(found, fetcher):
        raise UpstreamError("The playlist of the subtitles lacks segments at its end that the origin has.")
    places = await clock.places(found.segments)
    joined = join_segments(
        [PlacedSegment(place, content) for place, content in zip(places, contents, strict=True)],
        target_seconds=float(found.playlist.target_seconds),
    )
    return {SubtitleFormat.VTT: write_webvtt, SubtitleFormat.SRT: write_subrip}[found.format](joined).encode()


async def _is_playlist_short(found: Subtitles, fetcher: Fetcher) -> bool:
    """Return whether subtitles end before their video, and the origin has more of them."""
    missing = found.video.seconds - found.playlist.seconds
    if missing <= _SHORTER_SECONDS + found.playlist.rounding * len(found.segments):
        return False
    try:
        if byte := byte_after_last_segment(found.playlist):
            return bool(await fetcher.first_bytes(*byte, size=1, guessed=True))
        following = address_after_last_segment(found.playlist)
        first = await fetcher.first_bytes(following, size=_SIGNATURE_BYTES, guessed=True) if following else b""
    except (UpstreamError, UpstreamTimeoutError, UnsupportedSourceError):
        return False  # there are none
    return first.removeprefix(b"\xef\xbb\xbf").startswith(b"WEBVTT")


class _SegmentFetcher:
    """Fetches the segments of a rendition, whose size is limited together."""

    def __init__(self, fetcher: Fetcher, keys: KeyStore) -> None:
        self._fetcher = fetcher
        self._keys = keys
        self._bytes = 0
        self._cues = 0

    async def all(self, segments: Sequence[Segment], *, at_once: int) -> list[WebVtt]:
        contents: list[WebVtt] = []
        for first in range(0, len(segments), at_once):
            with single_error():
                async with TaskGroup() as tasks:
                    fetching = [tasks.create_task(self._fetch(segment)) for segment in segments[first : first + at_once]]
            contents += (task.result() for task in fetching)
        return contents

    async def _fetch(self, segment: Segment) -> WebVtt:
        """Fetch a segment, again while it is damaged."""
        for _ in range(_MORE_ATTEMPTS):
            with suppress(DamagedMediaError):
                return await self._parsed(segment)
        with about(segment):
            return await self._parsed(segment)

    async def _parsed(self, segment: Segment) -> WebVtt:
        return self._counted(parse_webvtt(await self._content(segment)))

    async def _content(self, segment: Segment) -> bytes:
        content = await self._fetcher.small_resource(segment.url, segment.range, limit=MAX_BYTES)
        self._bytes += len(content)
        if self._bytes > MAX_BYTES:
            raise UnsupportedSourceError(f"The subtitles are longer than {MAX_BYTES} bytes.")
        decryptor = await self._keys.decryptor(segment.key)
        if decryptor is None:
            return content
        clear = decryptor.feed(content) + decryptor.end()
        if not decryptor.is_padded:
            raise DamagedMediaError("An encrypted segment of the subtitles does not decrypt: it is cut off, or its key is wrong.")
        return clear

    def _counted(self, content: WebVtt) -> WebVtt:
        self._cues += len(content.cues)
        if self._cues > MAX_CUES:
            raise UnsupportedSourceError(f"The subtitles have more than {MAX_CUES} cues.")
        return content
