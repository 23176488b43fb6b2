"""Reads a post's JSON: its title and its videos, wherever they are in it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from transcoder.core.request.host_names import host_of
from transcoder.core.source.reddit.images import is_image_post, is_upload, target_of
from transcoder.core.source.reddit.json_values import get_array, get_member, get_object, get_positive_number, get_string
from transcoder.core.source.reddit.links import HostedVideo, PostLink, parse_link, parse_link_if_possible
from transcoder.core.source.reddit.missing_video import explain_missing_video
from transcoder.errors import NotFoundError, UnsupportedSourceError, UpstreamError

MAX_VIDEOS = 100
_SITE = "https://www.reddit.com"
_MAX_COMMENTS = 5000


@dataclass(frozen=True, slots=True)
class Image:
    """A still image that stands for a video."""

    url: str
    width: int | None = None
    """In pixels, if known."""
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """One video of a post; it has at least one of the five addresses."""

    playlist: str | None
    """The HLS playlist, with its signature."""
    dash: str | None = None
    """The DASH manifest."""
    fallback: str | None = None
    """An MP4 file with the video alone."""
    seconds: float | None = None
    """A whole number of seconds."""
    size: tuple[int, int] | None = None
    """Width and height in pixels."""
    silent: bool | None = None
    """Whether it has no audio; None: unknown."""
    file: str | None = None
    """The MP4 that Reddit made of a GIF, with its signature; there is nothing else of such a video."""
    packaged: str | None = None
    """An MP4 with video and audio, with its signature, for when the playlist is gone."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post with its videos, or with those of one of its comments."""

    title: str
    subreddit: str
    url: str
    """The web page where people read it."""
    videos: tuple[Video, ...]
    """At least one, unless the post is a crosspost whose original has not been read yet."""
    posted: float | None = None
    """When it was posted, in seconds since 1970."""
    author: str = ""
    over_18: bool | None = None
    """Whether it is marked as for adults only; None: unknown."""
    thumbnail: Image | None = None
    poster: Image | None = None
    """What a player shows before it starts."""
    original: PostLink | None = None
    """The post whose videos these are, if this one is a crosspost and its JSON says so."""


def read_post(document: object, *, name: str | None = None, comment: str | None = None) -> Post:
    """Return a post with its videos, or with those of a comment; if the comment has none, with those of the post.

    A post that links to another post has none yet. With `name`, only the post with that id is read.

    Raises:
        NotFoundError: the list of posts in the document is empty.
        UpstreamError: there is no such list, or it has another post.
        UnsupportedSourceError: the post has no video, or none hosted by Reddit; the message says what it has instead.

    """
    post = get_object(document, 0, "data", "children", 0, "data")
    if get_member(document, 0, "data", "children") == []:
        raise NotFoundError("Reddit has no such post.")
    if not post or name not in {None, get_string(post, "id").lower() or name}:
        raise UpstreamError("Reddit answered with a document without the post.")
    found = {} if comment is None else _find_comment(get_array(document, 1, "data", "children"), comment)
    videos = distinct(_videos_in_metadata(found)) or distinct(_videos_in_post(post))
    return _read_data(post, tuple(videos), _original(post))


def _read_data(post: Mapping[str, object], videos: tuple[Video, ...], original: PostLink | None) -> Post:
    """Return all of a post, or raise `UnsupportedSourceError` if it has no videos, and no other post may have them."""
    if not videos and (original is None or not _needs_original(post, original)):
        raise UnsupportedSourceError(explain_missing_video(post))
    permalink, over_18 = get_string(post, "permalink"), get_member(post, "over_18")
    poster = get_object(post, "preview", "images", 0, "source")
    return Post(
        title=get_string(post, "title").strip(),
        subreddit=get_string(post, "subreddit"),
        url=f"{_SITE}{permalink}" if permalink.startswith("/") else "",
        videos=videos,
        posted=get_positive_number(post, "created_utc"),
        author=get_string(post, "author"),
        over_18=over_18 if isinstance(over_18, bool) else None,
        thumbnail=image(get_string(post, "thumbnail"), _size(post, "thumbnail_width", "thumbnail_height")),
        poster=image(get_string(poster, "url"), _size(poster, "width", "height")),
        original=original,
    )


def _original(post: Mapping[str, object]) -> PostLink | None:
    """Return the post that a post crossposts or links to."""
    name, parent = get_string(post, "id").lower(), get_object(post, "crosspost_parent_list", 0)
    address = f"/r/{get_string(parent, 'subreddit')}/comments/{get_string(parent, 'id')}" if parent else target_of(post)
    target = parse_link_if_possible(f"{_SITE}{address}" if address.startswith("/") else address)
    return target if isinstance(target, PostLink) and name and target.id != name else None


def _needs_original(post: Mapping[str, object], original: PostLink) -> bool:
    """Whether the videos of a post must be looked up in its original: the document has nothing of that, and the post is there."""
    return get_string(post, "crosspost_parent_list", 0, "id") != original.id and get_member(post, "removed_by_category") is None


def image(url: str, size: tuple[int, int] | None = None) -> Image | None:
    """Return the image at an address; None if it is not an address, such as `nsfw`, which stands for an image that is not shown."""
    return Image(url, *(size or (None, None))) if url.startswith(("https://", "http://")) else None


def _videos_in_post(post: Mapping[str, object], *, crossposted: bool = False) -> Iterator[Video]:
    """Yield the videos of a post, beginning with those that people most likely see first."""
    for media in ("secure_media", "media"):
        yield from _reddit_video(get_object(post, media, "reddit_video"))
    parent = get_object(post, "crosspost_parent_list", 0)
    if parent and not crossposted:
        yield from _videos_in_post(parent, crossposted=True)
    yield from [*_reddit_video(get_object(post, "preview", "reddit_video_preview"))] or _gif(post)
    yield from _videos_in_metadata(post)
    # A crosspost without its parent, or a post that Reddit lists without its media.
    url = target_of(post)
    if host_of(url) == "v.redd.it" and isinstance(link := parse_link(url), HostedVideo):
        yield hosted(link)


def hosted(link: HostedVideo) -> Video:
    """Return the video of which nothing but its address is known."""
    return Video(link.playlist, link.dash, link.video_file, packaged=link.packaged)


def _reddit_video(video: Mapping[str, object]) -> Iterator[Video]:
    hls, dash, fallback = (get_string(video, name) or None for name in ("hls_url", "dash_url", "fallback_url"))
    if not (hls or dash or fallback):
        return
    if get_string(video, "transcoding_status") not in {"", "completed"}:
        raise UnsupportedSourceError("Reddit is still working on this video, or failed to process it: try again in a few minutes.")
    has_audio = get_member(video, "has_audio")
    silent = True if get_member(video, "is_gif") is True else (not has_audio if isinstance(has_audio, bool) else None)
    yield Video(hls, dash, fallback, get_positive_number(video, "duration"), _size(video, "width", "height"), silent)


def _gif(post: Mapping[str, object]) -> Iterator[Video]:
    """Yield the MP4 that Reddit made of the GIF that a post is; what a page shows in its preview is not what the post is about."""
    if is_image_post(post):
        source = get_object(post, "preview", "images", 0, "variants", "mp4", "source")
        yield from _mp4_of_gif(get_string(source, "url"), _size(source, "width", "height"))


def _mp4_of_gif(url: str, size: tuple[int, int] | None) -> Iterator[Video]:
    if url:
        yield Video(None, size=size, silent=True, file=url)


def _videos_in_metadata(thing: Mapping[str, object]) -> Iterator[Video]:
    """Yield the videos and the GIFs of a gallery, a text or a comment, in the gallery's order."""
    metadata = get_object(thing, "media_metadata")
    order = [get_string(item, "media_id") for item in get_array(thing, "gallery_data", "items")]
    for name in dict.fromkeys([*order, *metadata]):
        entry = get_object(metadata, name)
        kind = get_member(entry, "e") if get_string(entry, "status") in {"", "valid"} else None
        if kind == "AnimatedImage" and is_upload(name):
            yield from _mp4_of_gif(get_string(entry, "s", "mp4"), _size(get_object(entry, "s"), "x", "y"))
        if kind != "RedditVideo":
            continue
        hls, dash = get_string(entry, "hlsUrl") or None, get_string(entry, "dashUrl") or None
        if hls or dash:
            yield Video(hls, dash, size=_size(entry, "x", "y"), silent=True if get_member(entry, "isGif") is True else None)


def _size(thing: Mapping[str, object], width: str, height: str) -> tuple[int, int] | None:
    columns, rows = get_positive_number(thing, width), get_positive_number(thing, height)
    return (int(columns), int(rows)) if columns and rows else None


def distinct(videos: Iterable[Video]) -> list[Video]:
    """Return the videos without duplicates: most posts name the same video in several places, with different signatures."""
    found: dict[str, Video] = {}
    for video in videos:
        place = _place(video)
        known = found.get(place)
        if known is None:
            if len(found) < MAX_VIDEOS:
                found[place] = video
        else:
            found[place] = replace(known, seconds=known.seconds or video.seconds, size=known.size or video.size)
    return list(found.values())


def _place(video: Video) -> str:
    """Return what two addresses of the same video have in common: a folder of its own, or the file of a GIF."""
    if video.file:
        return video.file.partition("?")[0]
    return (video.playlist or video.dash or video.fallback or "").partition("?")[0].rpartition("/")[0]


def _find_comment(comments: list[object], comment_id: str) -> Mapping[str, object]:
    """Return the comment with that id among comments and their replies; an empty object if there is none."""
    pending = list(comments)
    for _ in range(_MAX_COMMENTS):
        if not pending:
            break
        data = get_object(pending.pop(), "data")
        if get_member(data, "id") == comment_id:
            return data
        pending += get_array(data, "replies", "data", "children")
    return {}
