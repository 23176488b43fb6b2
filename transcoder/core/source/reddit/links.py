"""An address that a person pasted → what to ask Reddit for.

Reddit documents none of these forms; they are those that its site and apps have handed out.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from transcoder.errors import UnsupportedSourceError

_ID = r"[a-z0-9]{1,15}"
_POST = re.compile(rf"(?:/(?:r|u|user)/[^/]+)?/(?:comments|gallery)/({_ID})(?:/comment/({_ID})|/[^/]*/({_ID}))?(?:/[^/]*)?", re.IGNORECASE)
_SHARE = re.compile(r"/(?:r|u|user)/[^/]+/s/[A-Za-z0-9]+", re.IGNORECASE)
_VIDEO_PAGE = re.compile(rf"/video/({_ID})", re.IGNORECASE)
_PLAYER = re.compile(rf"/link/({_ID})/video/({_ID})(?:/player)?", re.IGNORECASE)
_SHORT = re.compile(rf"/({_ID})", re.IGNORECASE)
_ASSET = re.compile(rf"/(link/{_ID}/asset/{_ID}|{_ID})(?:/.*)?", re.IGNORECASE)
_PLAYLIST = "HLSPlaylist.m3u8"


@dataclass(frozen=True, slots=True)
class PostLink:
    """A post, or a comment under one."""

    id: str
    comment: str | None = None

    def json_url(self, host: str = "www.reddit.com") -> str:
        """Return where its JSON is; `oauth.reddit.com` is for those who have a token."""
        path = f"/comments/{self.id}" + (f"/_/{self.comment}" if self.comment else "")
        # Without raw_json every & in it is &amp;. Of a post, the answers are of no use, and may be megabytes.
        return f"https://{host}{path}{'' if host.startswith('oauth.') else '.json'}?raw_json=1{'' if self.comment else '&limit=1'}"


@dataclass(frozen=True, slots=True)
class ShareLink:
    """A share link: only Reddit knows which post it stands for, and says so by a redirect."""

    url: str


@dataclass(frozen=True, slots=True)
class HostedVideo:
    """A video on Reddit's media host: its playlist is found without asking for the post."""

    folder: str
    """Its address there, without a slash at its end."""
    query: str = ""
    """The signature that the playlist was named with, if any."""
    file: str = ""
    """The file in its folder that was named, if any."""

    @property
    def playlist(self) -> str:
        """The address of its Multivariant Playlist."""
        return f"{self.folder}/{_PLAYLIST}" + (f"?{self.query}" if self.query else "")

    @property
    def picture(self) -> str | None:
        """The file of the picture, if it is what was named: all there is of a post without playlists."""
        is_picture = re.match(r"(?:DASH|CMAF)_(?!AUDIO)", self.file, re.IGNORECASE) is not None
        return f"{self.folder}/{self.file}" if is_picture else None

    @property
    def dash(self) -> str:
        """The address of its DASH manifest."""
        return f"{self.folder}/DASHPlaylist.mpd"


def parse_link(url: str) -> PostLink | ShareLink | HostedVideo | None:
    """Tell what a Reddit address names; None for any other address.

    Raises:
        UnsupportedSourceError: it names an image, or nothing that could be a video.

    """
    host = host_of(url)
    if not host:
        return None
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if host == "v.redd.it":
        return _hosted(path, parts.query)
    if host in {"redd.it", "www.redd.it"} and (short := _SHORT.fullmatch(path)):
        return PostLink(short[1].lower())
    if host == "i.redd.it":
        raise UnsupportedSourceError("This address is that of an image on Reddit: there is no video behind it.")
    if not is_under(host, "reddit.com", "redditmedia.com"):
        return None
    return _page(path)


def _page(path: str) -> PostLink | ShareLink | HostedVideo:
    """Read the path of an address on Reddit's site."""
    if post := _POST.fullmatch(path.removesuffix(".json").rstrip("/")):
        comment = post[2] or post[3]
        return PostLink(post[1].lower(), comment.lower() if comment else None)
    if _SHARE.fullmatch(path):
        return ShareLink(f"https://www.reddit.com{path}")
    if video := _VIDEO_PAGE.fullmatch(path):
        return HostedVideo(f"https://v.redd.it/{video[1]}")
    if player := _PLAYER.fullmatch(path):
        return HostedVideo(f"https://v.redd.it/link/{player[1]}/asset/{player[2]}")
    raise UnsupportedSourceError("This Reddit address names no post: open the post and copy its link, as in reddit.com/r/…/comments/…")


def _hosted(path: str, query: str) -> HostedVideo:
    """Read the path of an address on the media host; whichever file it names, the playlist beside it has picture and sound."""
    asset = _ASSET.fullmatch(path)
    if not asset:
        raise UnsupportedSourceError("This address on v.redd.it names no video.")
    file = path.rpartition("/")[2] if path != f"/{asset[1]}" else ""
    # A signature is good for the file that it was made for, and for no other.
    return HostedVideo(f"https://v.redd.it/{asset[1]}", query if file == _PLAYLIST else "", file)


def host_of(url: str) -> str:
    """Return the host of an address, in small letters; empty if it is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_under(host: str, *domains: str) -> bool:
    """Tell whether `host` is one of the domains, or a subdomain of one."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
