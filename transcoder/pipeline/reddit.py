"""Requests to Reddit: where a share link leads, what the JSON of a post says, which files an old post has."""

import asyncio
from base64 import b64encode
from dataclasses import replace

from transcoder import __version__
from transcoder.core.media.mp4.sidx import indexed_seconds
from transcoder.core.request.job import Job
from transcoder.core.source.reddit import (
    HostedVideo,
    Mp4Files,
    Post,
    PostLink,
    ShareLink,
    Video,
    audio_file_urls,
    mp4_files,
    parse_link,
    parse_reply,
    parse_token,
    read_post,
)
from transcoder.core.source.reply import HttpReply
from transcoder.core.source.source import Source, SourceKind
from transcoder.edge.fetch import ApiRequest, Fetcher
from transcoder.errors import BadRequestError, UnsupportedSourceError, UpstreamError
from transcoder.settings import Settings

_TOKEN_URL = "https://www.reddit.com/api/v1/access_token"  # noqa: S105  # a URL, not a password
_OAUTH_HOST = "oauth.reddit.com"
_MAX_ANSWER_BYTES = 16 * 1024 * 1024
_HEAD_BYTES = 64 * 1024
_TOKEN_MARGIN_SECONDS = 60.0
_UNAUTHORIZED = 401


class Reddit:
    """Finds the videos behind Reddit links; keeps the access token from one job to the next."""

    def __init__(self, settings: Settings) -> None:
        """Send requests with the client id and secret of `settings`, or with neither."""
        self._id = settings.reddit_client_id
        self._secret = settings.reddit_client_secret
        self._max_redirects = settings.max_redirects
        self._token = ""
        self._token_ends = 0.0

    async def find(self, job: Job, *, fetcher: Fetcher) -> Source | None:
        """Return where the video of a Reddit link is; None if the URL is not a Reddit link.

        Raises:
            UpstreamBlockedError: Reddit refuses requests from this network.
            NotFoundError, UnsupportedSourceError: the post does not exist, or has no video.
            BadRequestError: it has no video with the item number of `job`.
            UpstreamError: Reddit failed.

        """
        link = parse_link(job.url)
        if isinstance(link, ShareLink):
            link = await self._follow_share_link(link, fetcher)
        if link is None:
            return None
        if isinstance(link, HostedVideo):
            video = Video(link.playlist, link.dash, link.video_file)
            return replace(_source(job, link.folder, (video,)), title=None)
        post = await self._post(link, fetcher)
        source = _source(job, post.url or job.url, post.videos)
        return replace(source, title=post.title or None, subreddit=post.subreddit or None, posted=post.posted)

    async def files(self, video: Video, *, height: int | None, fetcher: Fetcher) -> Mp4Files:
        """Return the MP4 files of a video that has no playlist, or no longer has one.

        Raises:
            UpstreamError: they cannot be fetched.
            UnsupportedSourceError: there are none.

        """
        try:
            if video.dash:
                manifest = await fetcher.playlist(video.dash)
                return mp4_files(manifest.text, manifest.url, height=height)
        except (UpstreamError, UnsupportedSourceError):
            if not video.fallback:
                raise
        if not video.fallback:
            raise UnsupportedSourceError("Reddit lists no file for this video.")
        audio = None if video.silent else await self._find_audio(video.fallback, fetcher)
        seconds = video.seconds or indexed_seconds(await fetcher.first_bytes(video.fallback, size=_HEAD_BYTES))
        return Mp4Files(video.fallback, audio, seconds, min(video.size) if video.size else None)

    async def _find_audio(self, video_url: str, fetcher: Fetcher) -> str | None:
        """Find the audio file among the names that Reddit has used for it; None if there is none: the video is silent."""
        for url in audio_file_urls(video_url):
            try:
                if await fetcher.first_bytes(url, size=16, guessed=True):
                    return url
            except UpstreamError as error:
                if error.origin_status not in {403, 404, 410}:
                    raise
        return None

    async def _follow_share_link(self, link: ShareLink, fetcher: Fetcher) -> PostLink | HostedVideo:
        """Follow a share link; the post that it leads to is not fetched, since its URL is enough."""
        url = link.url
        for _ in range(self._max_redirects):
            reply = await fetcher.api_reply(ApiRequest(url, follow=False), limit=_MAX_ANSWER_BYTES)
            if reply.location is None:
                parse_reply(reply)
                break
            url = reply.location
            following = parse_link(url)
            if isinstance(following, PostLink | HostedVideo):
                return following
            if following is None:
                break
        raise UnsupportedSourceError("This share link does not lead to a post. Open it in a browser and copy the URL of the post.")

    async def _post(self, link: PostLink, fetcher: Fetcher) -> Post:
        if self._id:
            reply = await self._post_with_token(link, fetcher)
        else:
            reply = await fetcher.api_reply(ApiRequest(link.json_url()), limit=_MAX_ANSWER_BYTES)
        return read_post(parse_reply(reply), comment=link.comment)

    async def _post_with_token(self, link: PostLink, fetcher: Fetcher) -> HttpReply:
        """Request a post as the registered application; with a new token if Reddit no longer accepts the old one."""
        reply = await self._authorized_reply(link, fetcher)
        if reply.status == _UNAUTHORIZED:
            self._token = ""
            reply = await self._authorized_reply(link, fetcher)
        return reply

    async def _authorized_reply(self, link: PostLink, fetcher: Fetcher) -> HttpReply:
        now = asyncio.get_running_loop().time()
        if not self._token or now >= self._token_ends:
            self._token, seconds = await self._new_token(fetcher)
            self._token_ends = now + seconds - _TOKEN_MARGIN_SECONDS
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": self._user_agent}
        return await fetcher.api_reply(ApiRequest(link.json_url(_OAUTH_HOST), headers), limit=_MAX_ANSWER_BYTES)

    async def _new_token(self, fetcher: Fetcher) -> tuple[str, float]:
        """Request a token for the application alone (RFC 6749, 4.4), and return it with the seconds that it is valid for."""
        credentials = b64encode(f"{self._id}:{self._secret}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "User-Agent": self._user_agent}
        question = ApiRequest(_TOKEN_URL, headers, form={"grant_type": "client_credentials"}, follow=False)
        return parse_token(await fetcher.api_reply(question, limit=_MAX_ANSWER_BYTES))

    @property
    def _user_agent(self) -> str:
        """The format that Reddit asks for: platform, application, version."""
        return f"python:{self._id}:{__version__}"


def _source(job: Job, page: str, videos: tuple[Video, ...]) -> Source:
    item = job.item or 1
    if item > len(videos):
        there = "one video" if len(videos) == 1 else f"{len(videos)} videos"
        raise BadRequestError(f"item: there is no video {item}; the post has {there}.")
    video = videos[item - 1]
    return Source(SourceKind.REDDIT, page, video.playlist or video.file, seconds=video.seconds, videos=videos, item=item)
