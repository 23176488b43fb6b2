"""Resolves a job: its URL to a source, and the source's playlists to a plan."""

import asyncio
from contextlib import suppress
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from transcoder.core.answer.passthrough import OCTET_STREAM
from transcoder.core.hls.plan import Plan
from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MediaPlaylist
from transcoder.core.request.allowlist import ANY_HOST, check_host, parse_s3_url
from transcoder.core.request.denylist import Denylist
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import FileFormat
from transcoder.core.source.page import is_on_reddit, with_page
from transcoder.core.source.selection import needs_transcoding, oversize_factor, passthrough_plan, plan_plain_mp4, select, too_large_error
from transcoder.core.source.source import ResolvedSource, Source, SourceKind, plan_mp4_files
from transcoder.edge.fetch import Fetcher, NotAPlaylistError
from transcoder.errors import (
    BadRequestError,
    ForbiddenSourceError,
    NotFoundError,
    UnsupportedSourceError,
    UpstreamError,
    UpstreamTimeoutError,
)
from transcoder.pipeline.playlists import fetch_playlist
from transcoder.pipeline.single_segment import plan_single_segment
from transcoder.pipeline.variant_planner import VariantPlanner
from transcoder.settings import Settings

if TYPE_CHECKING:
    from transcoder.pipeline.reddit import Reddit

_MP4_TYPES = frozenset({"video/mp4", "audio/mp4", "video/quicktime", "audio/x-m4a", "application/mp4", OCTET_STREAM, "binary/octet-stream"})
_MOOV_BYTES = 64 * 1024
_MAX_MOOV_BYTES = 64 * 1024 * 1024
_PAGE_SECONDS = 5.0
"""How long to wait for the title of a page."""
_UNREADABLE = (UpstreamError, UpstreamTimeoutError, NotFoundError, UnsupportedSourceError, ForbiddenSourceError, TimeoutError)
_GONE = frozenset({403, 404, 410})
"""Statuses with which Reddit's media host says that a file does not exist; 403 is the usual one."""


class Resolver:
    """Finds the source of a job and plans it; keeps Reddit's token from one job to the next."""

    def __init__(self, settings: Settings) -> None:
        """Serve sources on the hosts and buckets that `settings` allow.

        Raises:
            BadRequestError: an entry of the denylist is invalid, or so are the steps of the search on Reddit.

        """
        self._allowed = settings.allowed_hosts
        self._denylist = Denylist.parse(settings.denied)
        self._buckets = settings.allowed_buckets
        self._settings = settings
        if settings.reddit_steps != Settings().reddit_steps:
            _ = self._reddit  # it checks them

    @cached_property
    def _reddit(self) -> "Reddit":
        """What finds videos on Reddit: a fifth of all code of a start, which nothing else needs."""
        from transcoder.pipeline.reddit import Reddit  # noqa: PLC0415

        return Reddit(self._settings)

    async def find(self, job: Job, *, fetcher: Fetcher) -> Source:
        """Return where the video of `job` is; nothing of the video itself is fetched.

        Raises:
            ForbiddenSourceError: its host or bucket is not allowed.
            DeniedSourceError: the operator has excluded it.
            BadRequestError: `job` names an item that does not exist.
            UpstreamError, NotFoundError, UnsupportedSourceError: Reddit does not give the video's address.

        """
        self._denylist.check(job.url)
        if job.page is None:
            return await self._find(job, fetcher)
        self._denylist.check(job.page)
        check_host(job.page, self._allowed)
        return await self._on_page(await self._find(job, fetcher), job.page, fetcher)

    async def _on_page(self, source: Source, page: str, fetcher: Fetcher) -> Source:
        """Return `source` with what is known of the web page that the caller found it on; a page that cannot be read changes nothing."""
        source = with_page(source, page)
        if source.title is None and is_on_reddit(page):
            with suppress(*_UNREADABLE), fetcher.aside():
                async with asyncio.timeout(_PAGE_SECONDS):
                    post = await self._reddit.find(Job(page), fetcher=fetcher)
                if post and post.title:
                    source = source._replace(page=post.page, title=post.title, subreddit=post.subreddit, posted=post.posted)
        self._denylist.check_subreddits(source.subreddit or "")
        return source

    async def _find(self, job: Job, fetcher: Fetcher) -> Source:
        if found := parse_s3_url(job.url, self._buckets):
            from transcoder.edge.s3 import BucketUrls  # noqa: PLC0415  # only objects in S3 need it

            bucket, key = found
            urls = await BucketUrls.open(bucket)
            fetcher.sign_with(urls.signed)
            return Source(SourceKind.BUCKET, job.url, urls.url(key))
        check_host(job.url, self._allowed)
        source = await self._reddit.find(job, fetcher=fetcher) if is_on_reddit(job.url) else None
        if source is not None:
            self._check_denied(source)
            return source
        if (job.item or 1) > 1:
            raise BadRequestError("item: this URL has only one video.")
        return Source(SourceKind.ADDRESS, job.url, job.url)

    async def resolve(self, source: Source, job: Job, *, fetcher: Fetcher) -> ResolvedSource:
        """Fetch the playlists of `source`, select a variant for `job`, and plan what to fetch.

        Raises:
            UpstreamError: a playlist cannot be fetched.
            ForbiddenSourceError: it redirects to a host that is not allowed.
            DeniedSourceError: the operator has excluded an address in it.
            UnsupportedSourceError: it is not a playlist, or not one that can become an MP4.

        """
        resolved = await self._plan(source, job, fetcher)
        tracks = [track for period in resolved.plan.periods for track in period.tracks]
        for url in {segment.url for track in tracks for segment in track.segments}:
            self._denylist.check(url)
        return resolved

    def _check_denied(self, source: Source) -> None:
        """Raise `DeniedSourceError` if the operator has excluded a post, its subreddit, or its selected video."""
        self._denylist.check_subreddits(source.subreddit or "")
        video = source.video
        for url in (source.page, source.original, source.url, *((video.playlist, video.dash, video.fallback, video.file) if video else ())):
            self._denylist.check(url or "")

    async def _plan(self, source: Source, job: Job, fetcher: Fetcher) -> ResolvedSource:
        if source.url is None:
            if job.format is FileFormat.FILE:
                raise UnsupportedSourceError("format: file is for files, and this post has video and audio in two of them.")
            return await self._plan_mp4_files(source, job, fetcher)
        try:
            return await self._plan_first_playlist(source, source.url, job, fetcher)
        except UpstreamError as error:
            if source.video is None or source.video.file or error.origin_status not in _GONE:
                raise
            try:
                if source.video.packaged:
                    return await self._plan_playlist(source, source.video.packaged, job, fetcher)
                return await self._plan_mp4_files(source, job, fetcher)
            except UpstreamError:
                raise error from None  # of the two failures, this is the one about the video itself

    async def _plan_mp4_files(self, source: Source, job: Job, fetcher: Fetcher) -> ResolvedSource:
        """Plan a Reddit post that is older than its playlists."""
        if source.video is None:
            raise BadRequestError("The source has no URL.")
        files = await self._reddit.files(source.video, height=job.height, fetcher=fetcher)
        return _check_fit(plan_mp4_files(files, seconds=source.seconds), job)

    async def _plan_first_playlist(self, source: Source, url: str, job: Job, fetcher: Fetcher) -> ResolvedSource:
        """Plan the playlist of a source; Reddit's media host refuses one now and then that it sends a moment later."""
        try:
            return await self._plan_playlist(source, url, job, fetcher)
        except UpstreamError as error:
            if source.kind is not SourceKind.REDDIT or error.origin_status != HTTPStatus.FORBIDDEN:
                raise
        return await self._plan_playlist(source, url, job, fetcher)

    async def _plan_playlist(self, source: Source, url: str, job: Job, fetcher: Fetcher) -> ResolvedSource:
        allowed = (ANY_HOST,) if source.kind is SourceKind.BUCKET else self._allowed
        try:
            playlist = await fetch_playlist(url, fetcher, allowed=allowed)
        except NotAPlaylistError as found:
            check_host(found.head.url, allowed)
            if job.format is not FileFormat.FILE and (plan := await plan_single_segment(found.head, fetcher=fetcher)):
                return _check_fit(plan, job)._replace(version=found.head.version)
            if needs_transcoding(job) and job.fit is None and found.head.content_type in _MP4_TYPES:
                selected = select(await _plan_plain_file(found.head.requested_url, job, fetcher), job)
                return ResolvedSource(selected, version=found.head.version)
            return ResolvedSource(passthrough_plan(found.head, job), file=found.head)
        if job.format is FileFormat.FILE:
            raise UnsupportedSourceError("format: file is for files, and this is a playlist. Its video is made as mp4, m4a or mp3.")
        if isinstance(playlist, MediaPlaylist):
            return _check_fit(make_plan(playlist, None), job)
        return await VariantPlanner(playlist, job, fetcher).best_that_fits()


def _check_fit(plan: Plan, job: Job) -> ResolvedSource:
    """Select from the only plan there is.

    Raises:
        TooLargeError: its output is larger than `job` allows.

    """
    selected = select(plan, job)
    if job.fit is not None and oversize_factor(selected, job.fit) > 0:
        raise too_large_error(selected, job.fit)
    return ResolvedSource(selected)


async def _plan_plain_file(url: str, job: Job, fetcher: Fetcher) -> Plan:
    """Read the `moov` of a plain MP4 file, and plan the output that `job` wants from it.

    Raises:
        UnsupportedSourceError: it is no plain MP4 whose `moov` stands in front.

    """
    size = _MOOV_BYTES
    while size <= _MAX_MOOV_BYTES:
        head = await fetcher.first_bytes(url, size=size)
        plan = plan_plain_mp4(url, head, job.kind)
        if plan:
            return plan
        if len(head) < size:
            break
        size *= 4
    raise UnsupportedSourceError(
        "This file is not an MP4 that can be converted. It can be downloaded unchanged, without start, end, format, mute and video."
    )
