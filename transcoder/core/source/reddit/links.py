"""Parses an address that a person pasted into what it names on Reddit.

Reddit documents none of these forms; they are those that its site and apps have handed out.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from transcoder.core.request.host_names import host_of, is_within, subreddit_name
from transcoder.errors import UnsupportedSourceError

_ID = r"[a-z0-9]{1,15}"
_POST = re.compile(rf"(?:/(r|u|user)/([^/]+))?/(?:comments|gallery)/({_ID})(?:/comment/({_ID})|/[^/]*/({_ID}))?(?:/[^/]*)?", re.IGNORECASE)
_OTHER_FORM = re.compile(r"\.(?:json|rss|xml|compact)$", re.IGNORECASE)
"""What is added to the address of a post for another form of it."""
_SHARE = re.compile(r"/(?:r|u|user)/[^/]+/s/[A-Za-z0-9]+", re.IGNORECASE)
_VIDEO_PAGE = re.compile(rf"/video/({_ID})", re.IGNORECASE)
_PLAYER = re.compile(rf"/link/({_ID})/video/({_ID})(?:/player)?", re.IGNORECASE)
_SHORT = re.compile(rf"/({_ID})", re.IGNORECASE)
_ASSET = re.compile(rf"/(link/{_ID}/asset/{_ID}|{_ID})(?:/.*)?", re.IGNORECASE)
_PACKAGED = re.compile(rf"/({_ID})/.*", re.IGNORECASE)
_PLAYLIST = "HLSPlaylist.m3u8"


@dataclass(frozen=True, slots=True)
class PostLink:
    """A post, or a comment under one."""

    id: str
    comment: str | None = None
    subreddit: str = field(default="", compare=False)
    """The name of its community, if the address has it; the community of a user's profile is named `u_` and the user's name."""

    @property
    def path(self) -> str:
        """Its path on Reddit's site, without a slash at its end."""
        return f"/comments/{self.id}" + (f"/_/{self.comment}" if self.comment else "")

    def json_url(self, host: str = "www.reddit.com") -> str:
        """Return the address of its JSON document; `oauth.reddit.com` requires a token."""
        # Without raw_json every & in the document is &amp;. For a post, the comments are not needed, and they may be megabytes.
        return f"https://{host}{self.path}{'' if host.startswith('oauth.') else '.json'}?raw_json=1{'' if self.comment else '&limit=1'}"


class ShareLink(NamedTuple):
    """A share link: Reddit redirects it to a post that cannot be told from the address."""

    url: str


@dataclass(frozen=True, slots=True)
class HostedVideo:
    """A video on Reddit's media host: its playlist is found without fetching the post."""

    folder: str
    """Its address there, without a slash at its end."""
    query: str = ""
    """The signature in the playlist's address, if the link was to the playlist."""
    file: str = ""
    """The name of the file in its folder that the link was to, if any."""
    packaged: str | None = None
    """The address of an MP4 with video and audio, if the link was to that; it works for some hours."""

    @property
    def playlist(self) -> str:
        """The address of its Multivariant Playlist."""
        return f"{self.folder}/{_PLAYLIST}" + (f"?{self.query}" if self.query else "")

    @property
    def video_file(self) -> str | None:
        """The address of its video file, if the link was to that; a post without playlists has nothing else."""
        is_video = re.match(r"(?:DASH|CMAF)_(?!AUDIO)", self.file, re.IGNORECASE) is not None
        return f"{self.folder}/{self.file}" if is_video else None

    @property
    def dash(self) -> str:
        """The address of its DASH manifest."""
        return f"{self.folder}/DASHPlaylist.mpd"


def parse_link(url: str) -> PostLink | ShareLink | HostedVideo | None:
    """Return what a Reddit address names; None for any other address.

    Raises:
        UnsupportedSourceError: it names an image, or nothing that could be a video.

    """
    host = host_of(url)
    if not host:
        return None
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if host == "v.redd.it":
        return _parse_media_path(path, parts.query)
    if host == "packaged-media.redd.it" and (packaged := _PACKAGED.fullmatch(path)):
        return HostedVideo(f"https://v.redd.it/{packaged[1]}", packaged=url)
    if host in {"redd.it", "www.redd.it"} and (short := _SHORT.fullmatch(path)):
        return PostLink(short[1].lower())
    if host == "i.redd.it" and is_gif(url):
        raise UnsupportedSourceError("This address is a GIF on Reddit; only its post says where the MP4 is that Reddit made of it.")
    if host == "i.redd.it":
        raise UnsupportedSourceError("This address is an image on Reddit, not a video.")
    if host not in {"redd.it", "www.redd.it"} and not is_within(host, {"reddit.com", "redditmedia.com"}):
        return None
    return _parse_site_path(path)


def parse_link_if_possible(url: str) -> PostLink | ShareLink | HostedVideo | None:
    """Return what a Reddit address names; None for any other address, and for one that names nothing that could be a video."""
    try:
        return parse_link(url)
    except UnsupportedSourceError:
        return None


def _parse_site_path(path: str) -> PostLink | ShareLink | HostedVideo:
    """Parse the path of an address on Reddit's site."""
    if post := _POST.fullmatch(_OTHER_FORM.sub("", path).rstrip("/")):
        kind, name, post_id, *comments = post.groups()
        comment = next((each.lower() for each in comments if each), None)
        return PostLink(post_id.lower(), comment, subreddit_name(kind, name) if kind else "")
    if _SHARE.fullmatch(path):
        return ShareLink(f"https://www.reddit.com{path}")
    if video := _VIDEO_PAGE.fullmatch(path):
        return HostedVideo(f"https://v.redd.it/{video[1]}")
    if player := _PLAYER.fullmatch(path):
        return HostedVideo(f"https://v.redd.it/link/{player[1]}/asset/{player[2]}")
    raise UnsupportedSourceError("This Reddit address names no post: open the post and copy its link, as in reddit.com/r/…/comments/…")


def _parse_media_path(path: str, query: str) -> HostedVideo:
    """Parse the path of an address on the media host; whichever file it names, the playlist beside it has video and audio."""
    asset = _ASSET.fullmatch(path)
    if not asset:
        raise UnsupportedSourceError("This address on v.redd.it names no video.")
    file = path.rpartition("/")[2] if path != f"/{asset[1]}" else ""
    # A signature is valid only for the file that it was made for.
    return HostedVideo(f"https://v.redd.it/{asset[1]}", query if file == _PLAYLIST else "", file)


def with_subtitles(playlist: str) -> str:
    """Return the address of a Multivariant Playlist on the media host that lists subtitles, too: its parameter `f` is a filter."""
    address, _, query = playlist.partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    features = [feature for feature in parameters.get("f", "hd").split(",") if feature]
    parameters["f"] = ",".join(dict.fromkeys([*features, "subsAll"]))
    return f"{address}?{urlencode(parameters)}"


def is_gif(url: str) -> bool:
    """Whether an address is that of a GIF, by its name."""
    return url.partition("?")[0].partition("#")[0].lower().endswith((".gif", ".gifv"))
