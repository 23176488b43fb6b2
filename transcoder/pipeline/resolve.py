"""An address becomes a source, and a source becomes a plan."""

import asyncio

from transcoder.core.choose import Choice, choose
from transcoder.core.hosts import check_host
from transcoder.core.job import Job
from transcoder.core.planning import make_plan
from transcoder.core.playlist import Media, Multivariant, media_only, parse
from transcoder.core.source import Origin, Resolved, Source, plan_files
from transcoder.edge.fetch import Fetcher
from transcoder.errors import BadRequestError, UpstreamError, UpstreamTimeoutError, single_error
from transcoder.pipeline.reddit import Reddit
from transcoder.settings import Settings

_GONE = frozenset({403, 404, 410})
"""How Reddit's media host says that a file is not there; 403 is the usual one."""


class Resolver:
    """Finds what jobs ask for; keeps from one to the next what need not be asked twice."""

    def __init__(self, settings: Settings) -> None:
        """Serve sources on the hosts of `settings`."""
        self._allowed = settings.allowed_hosts
        self._reddit = Reddit(settings)

    async def find(self, job: Job, *, fetcher: Fetcher) -> Source:
        """Say where the video of `job` lies; of the video itself nothing is fetched.

        Raises:
            ForbiddenSourceError: its host is not served.
            BadRequestError: `job` counts on more videos than there are.
            UpstreamError, NotFoundError, UnsupportedSourceError: Reddit does not name the video.

        """
        check_host(job.url, self._allowed)
        source = await self._reddit.find(job, fetcher=fetcher)
        if source is not None:
            return source
        if (job.item or 1) > 1:
            raise BadRequestError("item: there is one video behind this address.")
        return Source(Origin.ADDRESS, job.url, job.url)

    async def resolve(self, source: Source, job: Job, *, fetcher: Fetcher) -> Resolved:
        """Fetch the playlists of `source`, choose as `job` says, and plan what is to be fetched for it.

        Raises:
            UpstreamError: a playlist cannot be had.
            ForbiddenSourceError: it redirects to a host that is not served.
            UnsupportedSourceError: it is not a playlist, or not one that can become an MP4.

        """
        if source.url is None:
            return await self._files(source, job, fetcher)
        try:
            return await self._playlist(source.url, job, fetcher)
        except UpstreamError as error:
            if source.video is None or error.origin_status not in _GONE:
                raise
            try:
                return await self._files(source, job, fetcher)
            except UpstreamError:
                raise error from None  # of the two, this is the one that tells of the video itself

    async def _files(self, source: Source, job: Job, fetcher: Fetcher) -> Resolved:
        """Plan a Reddit post that is older than its playlists."""
        if source.video is None:
            raise BadRequestError("There is no address.")
        files = await self._reddit.files(source.video, height=job.height, fetcher=fetcher)
        return Resolved(plan_files(files, seconds=source.seconds))

    async def _playlist(self, url: str, job: Job, fetcher: Fetcher) -> Resolved:
        got = await fetcher.text(url)
        check_host(got.url, self._allowed)
        playlist = parse(got.text, got.url)
        if isinstance(playlist, Media):
            return Resolved(make_plan(playlist, None))
        choices = choose(playlist, height=job.height, audio=job.audio)
        for choice in choices[:-1]:
            try:
                return await _chosen(playlist, choice, fetcher)
            except (UpstreamError, UpstreamTimeoutError):
                continue  # redundant variants are there for this (RFC 8216, 6.2.4); the last one's failure is the caller's to hear
        return await _chosen(playlist, choices[-1], fetcher)


async def _chosen(multivariant: Multivariant, choice: Choice, fetcher: Fetcher) -> Resolved:
    with single_error():
        async with asyncio.TaskGroup() as tasks:
            video = tasks.create_task(_media(choice.video, multivariant, fetcher))
            audio = tasks.create_task(_media(choice.audio, multivariant, fetcher)) if choice.audio else None
    plan = make_plan(video.result(), audio.result() if audio else None, bandwidth=choice.bandwidth)
    return Resolved(plan, multivariant, choice)


async def _media(url: str, multivariant: Multivariant, fetcher: Fetcher) -> Media:
    got = await fetcher.text(url)
    return media_only(parse(got.text, got.url, imported=multivariant.variables))
