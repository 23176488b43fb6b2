"""An address becomes a source, and a source becomes a plan."""

import asyncio
from dataclasses import replace

from transcoder.core.answer.passthrough import OCTET_STREAM
from transcoder.core.hls.plan import Plan
from transcoder.core.hls.planning import make_plan
from transcoder.core.hls.playlist import MediaPlaylist, MultivariantPlaylist, parse, require_media_playlist
from transcoder.core.hls.variant_selection import VariantChoice, is_audio_only, select_variants, within_bandwidth
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.allowlist import ANY_HOST, check_host, parse_s3_url
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import FileFormat
from transcoder.core.source.selection import needs_transcoding, oversize_factor, passthrough_plan, plan_plain_mp4, select, too_large_error
from transcoder.core.source.source import ResolvedSource, Source, SourceKind, plan_mp4_files
from transcoder.edge.fetch import Fetcher, FileFoundError
from transcoder.edge.s3 import signed_address
from transcoder.errors import BadRequestError, UnsupportedSourceError, UpstreamError, UpstreamTimeoutError, single_error
from transcoder.pipeline.reddit import Reddit
from transcoder.settings import Settings

_MP4_TYPES = frozenset({"video/mp4", "audio/mp4", "video/quicktime", "audio/x-m4a", "application/mp4", OCTET_STREAM, "binary/octet-stream"})
_INDEX_BYTES = 64 * 1024
_MAX_INDEX_BYTES = 64 * 1024 * 1024
_GONE = frozenset({403, 404, 410})
"""How Reddit's media host says that a file is not there; 403 is the usual one."""


class Resolver:
    """Finds what jobs ask for; keeps from one to the next what need not be asked twice."""

    def __init__(self, settings: Settings) -> None:
        """Serve sources on the hosts of `settings`."""
        self._allowed = settings.allowed_hosts
        self._buckets = settings.allowed_buckets
        self._reddit = Reddit(settings)

    async def find(self, job: Job, *, fetcher: Fetcher) -> Source:
        """Say where the video of `job` lies; of the video itself nothing is fetched.

        Raises:
            ForbiddenSourceError: its host is not served.
            BadRequestError: `job` counts on more videos than there are.
            UpstreamError, NotFoundError, UnsupportedSourceError: Reddit does not name the video.

        """
        if found := parse_s3_url(job.url, self._buckets):
            return Source(SourceKind.BUCKET, job.url, await signed_address(*found))
        check_host(job.url, self._allowed)
        source = await self._reddit.find(job, fetcher=fetcher)
        if source is not None:
            return source
        if (job.item or 1) > 1:
            raise BadRequestError("item: there is one video behind this address.")
        return Source(SourceKind.ADDRESS, job.url, job.url)

    async def resolve(self, source: Source, job: Job, *, fetcher: Fetcher) -> ResolvedSource:
        """Fetch the playlists of `source`, choose as `job` says, and plan what is to be fetched for it.

        Raises:
            UpstreamError: a playlist cannot be had.
            ForbiddenSourceError: it redirects to a host that is not served.
            UnsupportedSourceError: it is not a playlist, or not one that can become an MP4.

        """
        if source.url is None:
            return await self._files(source, job, fetcher)
        try:
            return await self._playlist(source, source.url, job, fetcher)
        except UpstreamError as error:
            if source.video is None or error.origin_status not in _GONE:
                raise
            try:
                return await self._files(source, job, fetcher)
            except UpstreamError:
                raise error from None  # of the two, this is the one that tells of the video itself

    async def _files(self, source: Source, job: Job, fetcher: Fetcher) -> ResolvedSource:
        """Plan a Reddit post that is older than its playlists."""
        if source.video is None:
            raise BadRequestError("There is no address.")
        files = await self._reddit.files(source.video, height=job.height, fetcher=fetcher)
        return _one(plan_mp4_files(files, seconds=source.seconds), job)

    async def _playlist(self, source: Source, url: str, job: Job, fetcher: Fetcher) -> ResolvedSource:
        allowed = (ANY_HOST,) if source.kind is SourceKind.BUCKET else self._allowed
        try:
            got = await fetcher.text(url)
        except FileFoundError as found:
            check_host(found.head.url, allowed)
            if needs_transcoding(job) and job.fit is None and found.head.content_type in _MP4_TYPES:
                return ResolvedSource(select(await _mp4(found.head.requested_url, job, fetcher), job))
            return ResolvedSource(passthrough_plan(found.head, job), file=found.head)
        check_host(got.url, allowed)
        playlist = parse(got.text, got.url)
        if isinstance(playlist, MediaPlaylist):
            return _one(make_plan(playlist, None), job)
        return await _fitting(playlist, job, fetcher)


def _one(plan: Plan, job: Job) -> ResolvedSource:
    """Take the only one that there is."""
    wanted = select(plan, job)
    if job.fit is not None and oversize_factor(wanted, job.fit) > 0:
        raise too_large_error(wanted, job.fit)
    return ResolvedSource(wanted)


async def _fitting(multivariant: MultivariantPlaylist, job: Job, fetcher: Fetcher) -> ResolvedSource:
    """Choose the best variant that is not too large."""
    resolved = await _best(multivariant, job, fetcher)
    offered = multivariant
    while job.fit is not None and (over := oversize_factor(resolved.plan, job.fit)) > 0 and resolved.choice:
        rate = resolved.choice.bandwidth or 0
        offered = within_bandwidth(offered, limit=min(int(rate / over), rate - 1))
        if not offered.variants or job.format is FileFormat.MP3:
            raise too_large_error(resolved.plan, job.fit, multivariant)
        resolved = replace(await _best(offered, job, fetcher), multivariant=multivariant)
    return resolved


async def _best(multivariant: MultivariantPlaylist, job: Job, fetcher: Fetcher) -> ResolvedSource:
    choices = select_variants(multivariant, height=job.height, audio=job.audio)
    for choice in choices[:-1]:
        try:
            return await _chosen(multivariant, choice, job, fetcher)
        except (UpstreamError, UpstreamTimeoutError):
            continue  # redundant variants are there for this (RFC 8216, 6.2.4); the last one's failure is the caller's to hear
    return await _chosen(multivariant, choices[-1], job, fetcher)


async def _chosen(multivariant: MultivariantPlaylist, choice: VariantChoice, job: Job, fetcher: Fetcher) -> ResolvedSource:
    """Fetch the playlists of what is wanted, and no other."""
    picture, sound = choice.video, choice.audio
    if sound is not None and job.kind is TrackKind.AUDIO:
        picture, sound = sound, None
    elif job.kind is TrackKind.VIDEO:
        sound = None
    with single_error():
        async with asyncio.TaskGroup() as tasks:
            video = tasks.create_task(_media(picture, multivariant, fetcher))
            audio = tasks.create_task(_media(sound, multivariant, fetcher)) if sound else None
    # How much of a variant's bandwidth is its sound's, it does not tell.
    bandwidth = None if job.kind is TrackKind.AUDIO and not is_audio_only(choice.variant) else choice.bandwidth
    plan = make_plan(video.result(), audio.result() if audio else None, bandwidth=bandwidth)
    return ResolvedSource(select(plan, job), multivariant, choice)


async def _mp4(url: str, job: Job, fetcher: Fetcher) -> Plan:
    """Read the index of an MP4 file, and plan what is made of it."""
    size = _INDEX_BYTES
    while size <= _MAX_INDEX_BYTES:
        head = await fetcher.head(url, size=size)
        plan = plan_plain_mp4(url, head, job.kind)
        if plan:
            return plan
        if len(head) < size:
            break
        size *= 4
    raise UnsupportedSourceError("This file is no MP4 that something could be made of; it can be had as it is.")


async def _media(url: str, multivariant: MultivariantPlaylist, fetcher: Fetcher) -> MediaPlaylist:
    got = await fetcher.text(url)
    return require_media_playlist(parse(got.text, got.url, imported=multivariant.variables))
