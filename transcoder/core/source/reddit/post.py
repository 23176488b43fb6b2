"""A post's JSON → its title and its videos, wherever in it they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from transcoder.core.source.reddit.json_values import listed, mapping, member, number, text
from transcoder.core.source.reddit.links import HostedVideo, host_of, parse_link
from transcoder.core.source.reddit.reasons import why_no_video
from transcoder.errors import NotFoundError, UnsupportedSourceError

MAX_VIDEOS = 100
_MAX_COMMENTS = 5000


@dataclass(frozen=True, slots=True)
class Video:
    """One video as a post's JSON names it; of its addresses, at least one is there."""

    playlist: str | None
    """The HLS playlist, with its signature."""
    dash: str | None = None
    """The DASH manifest."""
    fallback: str | None = None
    """An MP4 file of the picture alone."""
    seconds: float | None = None
    """Whole seconds."""
    size: tuple[int, int] | None = None
    """Width and height in pixels."""
    silent: bool | None = None
    """True: it has no sound; None: nothing is said."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post, or a comment, with the videos in it."""

    title: str
    subreddit: str
    url: str
    """Where people read it."""
    videos: tuple[Video, ...]
    """At least one."""
    posted: float | None = None
    """In seconds since 1970."""


def read_post(document: object, *, comment: str | None = None) -> Post:
    """Find the videos of a post, or of one of its comments, or if that has none, of the post above it.

    Raises:
        NotFoundError: the post is not in the document.
        UnsupportedSourceError: it has no video, or none that Reddit itself keeps; the sentence says what it has.

    """
    post = mapping(document, 0, "data", "children", 0, "data")
    if not post:
        raise NotFoundError("Reddit has no such post.")
    videos: list[Video] = []
    if comment is not None:
        videos = _distinct(_of_metadata(_comment(listed(document, 1, "data", "children"), comment)))
    videos = videos or _distinct(_of_post(post))
    if not videos:
        raise UnsupportedSourceError(why_no_video(post))
    permalink = text(post, "permalink")
    return Post(
        title=text(post, "title").strip(),
        subreddit=text(post, "subreddit"),
        url=f"https://www.reddit.com{permalink}" if permalink.startswith("/") else "",
        videos=tuple(videos),
        posted=number(post, "created_utc"),
    )


def _of_post(post: Mapping[str, object], *, crossposted: bool = False) -> Iterator[Video]:
    """Yield the videos of a post, those that are surest to be what people see first."""
    for media in ("secure_media", "media"):
        yield from _reddit_video(mapping(post, media, "reddit_video"))
    parent = mapping(post, "crosspost_parent_list", 0)
    if parent and not crossposted:
        yield from _of_post(parent, crossposted=True)
    yield from _reddit_video(mapping(post, "preview", "reddit_video_preview"))
    yield from _of_metadata(post)
    # A crosspost whose parent was left out, and posts that Reddit lists without their media.
    url = text(post, "url_overridden_by_dest") or text(post, "url")
    if host_of(url) == "v.redd.it" and isinstance(link := parse_link(url), HostedVideo):
        yield Video(link.playlist, link.dash)


def _reddit_video(video: Mapping[str, object]) -> Iterator[Video]:
    hls, dash, fallback = (text(video, name) or None for name in ("hls_url", "dash_url", "fallback_url"))
    if not (hls or dash or fallback):
        return
    if text(video, "transcoding_status") not in {"", "completed"}:
        raise UnsupportedSourceError("Reddit is still working on this video, or could not make anything of it: try again in some minutes.")
    sound = member(video, "has_audio")
    silent = True if member(video, "is_gif") is True else (not sound if isinstance(sound, bool) else None)
    yield Video(hls, dash, fallback, number(video, "duration"), _size(video, "width", "height"), silent)


def _of_metadata(thing: Mapping[str, object]) -> Iterator[Video]:
    """Yield videos of galleries, texts and comments, in a gallery's order."""
    metadata = mapping(thing, "media_metadata")
    order = [text(item, "media_id") for item in listed(thing, "gallery_data", "items")]
    for name in dict.fromkeys([*order, *metadata]):
        entry = mapping(metadata, name)
        if member(entry, "e") != "RedditVideo" or text(entry, "status") not in {"", "valid"}:
            continue
        hls, dash = text(entry, "hlsUrl") or None, text(entry, "dashUrl") or None
        if hls or dash:
            yield Video(hls, dash, size=_size(entry, "x", "y"), silent=True if member(entry, "isGif") is True else None)


def _size(thing: Mapping[str, object], width: str, height: str) -> tuple[int, int] | None:
    across, down = number(thing, width), number(thing, height)
    return (int(across), int(down)) if across and down else None


def _distinct(videos: Iterator[Video]) -> list[Video]:
    """Leave out what is there twice: most posts name the same video in several places, with different signatures."""
    found: dict[str, Video] = {}
    for video in videos:
        folder = _folder(video)
        known = found.get(folder)
        if known is None:
            if len(found) < MAX_VIDEOS:
                found[folder] = video
        elif known.seconds is None:
            found[folder] = replace(known, seconds=video.seconds, size=known.size or video.size)
    return list(found.values())


def _folder(video: Video) -> str:
    return (video.playlist or video.dash or video.fallback or "").partition("?")[0].rpartition("/")[0]


def _comment(replies: list[object], wanted: str) -> Mapping[str, object]:
    """Find a comment by its id among replies and their replies."""
    waiting = list(replies)
    for _ in range(_MAX_COMMENTS):
        if not waiting:
            break
        data = mapping(waiting.pop(), "data")
        if member(data, "id") == wanted:
            return data
        waiting += listed(data, "replies", "data", "children")
    return {}
