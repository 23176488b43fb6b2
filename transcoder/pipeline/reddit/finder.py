"""Finds the source of a Reddit link, and remembers what Reddit answered."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TypeVar

from transcoder.core.answer.plain_text import one_line
from transcoder.core.request.job import Job
from transcoder.core.source.reddit import (
    Asked,
    Blocked,
    HostedVideo,
    Mp4Files,
    NotThere,
    PostLink,
    ShareLink,
    Video,
    hosted,
    parse_link,
)
from transcoder.core.source.source import Source, SourceKind
from transcoder.edge.fetch import Fetcher
from transcoder.errors import BadRequestError
from transcoder.pipeline.reddit.kept_answers import KeptAnswers
from transcoder.pipeline.reddit.mp4_files import find_mp4_files
from transcoder.pipeline.reddit.search import Located, Result, Search, Unanswered
from transcoder.pipeline.reddit.share_links import follow_share_link
from transcoder.pipeline.reddit.site import RestingHosts, Site
from transcoder.settings import Settings

T = TypeVar("T")
KEEP_SECONDS = 300.0
"""How long an answer with a video is kept."""
KEEP_REFUSAL_SECONDS = 60.0
"""How long any other answer is kept: a video may be ready soon, and a block may end."""
MEDIA = "media"
"""The step that needs no request: the address names the video itself."""


class Reddit:
    """Finds the videos behind Reddit links; keeps answers, the access token and the site's limits from one job to the next."""

    def __init__(self, settings: Settings) -> None:
        """Ask the steps that `settings` name.

        Raises:
            BadRequestError: one of them does not exist.

        """
        self._search = Search.configured(settings)
        self._user_agent = settings.reddit_user_agent
        self._max_redirects = settings.max_redirects
        self._resting = RestingHosts()
        self._posts = KeptAnswers[Result]()
        self._share_links = KeptAnswers[PostLink | HostedVideo | NotThere | Unanswered]()
        self._one_at_a_time = asyncio.Lock()

    async def find(self, job: Job, *, fetcher: Fetcher) -> Source | None:
        """Return where the video of a Reddit link is; None if the URL is not a Reddit link.

        Raises:
            UpstreamBlockedError: Reddit refuses requests from this network, or does not tell where the video is.
            NotFoundError, UnsupportedSourceError: the post does not exist, or has no video.
            BadRequestError: it has no video with the item number of `job`.
            UpstreamError, UpstreamTimeoutError: Reddit failed.

        """
        link = parse_link(job.url)
        if link is None:
            return None
        site = Site(fetcher, self._resting, user_agent=self._user_agent)
        if isinstance(link, ShareLink):
            link = await self._follow(link, site)
        if isinstance(link, HostedVideo):
            return _source(job, link.folder, (hosted(link),))._replace(step=MEDIA)
        return _source_of_post(job, await self._locate(link, site))

    async def files(self, video: Video, *, height: int | None, fetcher: Fetcher) -> Mp4Files:
        """Return the MP4 files of a video that has no playlist, or no longer has one.

        Raises:
            UpstreamError: they cannot be fetched.
            UnsupportedSourceError: there are none.

        """
        return await find_mp4_files(video, height=height, fetcher=fetcher)

    async def _locate(self, link: PostLink, site: Site) -> Located:
        # The name of the community decides which steps can be asked, but not what is found.
        names = link, (link, link.subreddit.lower())
        located = await self._kept(self._posts, names, lambda: self._search.find(link, site))
        if isinstance(located, NotThere | Unanswered):
            raise located.error()
        return located

    async def _follow(self, link: ShareLink, site: Site) -> PostLink | HostedVideo:
        async def follow() -> PostLink | HostedVideo | NotThere | Unanswered:
            target = await follow_share_link(link, site, max_redirects=self._max_redirects)
            return Unanswered((Asked("share", "the share link", target),)) if isinstance(target, Blocked) else target

        target = await self._kept(self._share_links, (link,), follow)
        if isinstance(target, NotThere | Unanswered):
            raise target.error()
        return target

    async def _kept(self, answers: KeptAnswers[T], names: Sequence[Hashable], ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer that is kept under one of the names, or else what `ask()` returns; only one caller at a time asks.

        That nobody has an answer is kept under the last name, everything else under the first.
        """
        clock = asyncio.get_running_loop().time
        kept = _first_kept(answers, names, now=clock())
        if kept is not None:
            return kept
        async with self._one_at_a_time:
            kept = _first_kept(answers, names, now=clock())  # another caller may have asked meanwhile
            if kept is None:
                kept = await ask()
                name = names[-1] if isinstance(kept, Unanswered) else names[0]
                answers.keep(name, kept, until=clock() + _seconds_to_keep(kept))
            return kept


def _first_kept(answers: KeptAnswers[T], names: Sequence[Hashable], *, now: float) -> T | None:
    return next((kept for name in names if (kept := answers.get(name, now=now)) is not None), None)


def _seconds_to_keep(answer: object) -> float:
    if isinstance(answer, Unanswered):
        return KEEP_REFUSAL_SECONDS if answer.is_refusal else 0.0
    return KEEP_REFUSAL_SECONDS if isinstance(answer, NotThere) else KEEP_SECONDS


def _source_of_post(job: Job, located: Located) -> Source:
    post = located.post
    return _source(job, post.url or job.url, post.videos)._replace(
        title=one_line(post.title) or None,
        subreddit=one_line(post.subreddit) or None,
        posted=post.posted,
        author=one_line(post.author) or None,
        over_18=post.over_18,
        thumbnail=post.thumbnail or post.poster,
        poster=post.poster,
        original=f"https://www.reddit.com{post.original.path}" if post.original else None,
        step=located.step,
    )


def _source(job: Job, page: str, videos: tuple[Video, ...]) -> Source:
    item = job.item or 1
    if item > len(videos):
        there = "one video" if len(videos) == 1 else f"{len(videos)} videos"
        raise BadRequestError(f"item: there is no video {item}; the post has {there}.")
    video = videos[item - 1]
    return Source(SourceKind.REDDIT, page, video.playlist or video.file, seconds=video.seconds, videos=videos, item=item)
