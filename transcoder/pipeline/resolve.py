"""The playlist resolver: an address becomes a plan."""

import asyncio

from transcoder.core.choose import Choice, choose
from transcoder.core.job import Job
from transcoder.core.plan import Plan
from transcoder.core.planning import make_plan
from transcoder.core.playlist import Media, Multivariant, media_only, parse
from transcoder.edge.fetch import Fetcher
from transcoder.errors import UpstreamError, UpstreamTimeoutError, single_error


async def resolve(job: Job, *, fetcher: Fetcher) -> Plan:
    """Fetch the playlists of `job` and plan what is to be fetched for it.

    Raises:
        UpstreamError: a playlist cannot be had.
        UnsupportedSourceError: it is not a playlist, or not one that can become an MP4.

    """
    got = await fetcher.text(job.url)
    playlist = parse(got.text, got.url)
    if isinstance(playlist, Media):
        return make_plan(playlist, None)
    choices = choose(playlist, height=job.height, audio=job.audio)
    for choice in choices[:-1]:
        try:
            return await _chosen(playlist, choice, fetcher)
        except (UpstreamError, UpstreamTimeoutError):
            continue  # redundant variants are there for this (RFC 8216, 6.2.4); the last one's failure is the caller's to hear
    return await _chosen(playlist, choices[-1], fetcher)


async def _chosen(multivariant: Multivariant, choice: Choice, fetcher: Fetcher) -> Plan:
    with single_error():
        async with asyncio.TaskGroup() as tasks:
            video = tasks.create_task(_media(choice.video, multivariant, fetcher))
            audio = tasks.create_task(_media(choice.audio, multivariant, fetcher)) if choice.audio else None
    return make_plan(video.result(), audio.result() if audio else None, bandwidth=choice.bandwidth)


async def _media(url: str, multivariant: Multivariant, fetcher: Fetcher) -> Media:
    got = await fetcher.text(url)
    return media_only(parse(got.text, got.url, imported=multivariant.variables))
