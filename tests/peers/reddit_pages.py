"""The public pages of a Reddit post, in the form that Reddit sends them: its Atom feed and its embed page.

The forms are those that programs of 2026 parse, with tests of their own; the real site was not asked.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[2] / "fixtures" / "reddit"
FORBIDDEN_FEED = (
    '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><updated>2026-09-01T10:00:00+00:00</updated>'
    "<id>/r/aww/comments/premoved/.rss</id><title>reddit.com: forbidden</title></feed>"
)
"""What Reddit sends with status 403 for a post that was removed or is private."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPost:
    """One post, as its pages show it."""

    id: str
    title: str
    target: str
    """What its link leads to."""
    subreddit: str = "aww"
    author: str = "someone"
    permalink: str = ""
    posted: float = 1656572964.0
    kind: str = "video"
    nsfw: bool = False
    text: str = ""
    """The text of the post, as HTML."""
    comments: dict[str, str] = field(default_factory=dict)
    """The text of each comment, by its id, as HTML."""
    thumbnail: str = "https://external-preview.redd.it/thumb.jpg?width=140&s=1"
    poster: str = "https://external-preview.redd.it/poster.jpg?format=pjpg&s=2"

    @property
    def page(self) -> str:
        return self.permalink or f"https://www.reddit.com/r/{self.subreddit}/comments/{self.id}/a_film/"


def feed(post: PublicPost) -> bytes:
    """Return the feed of a post: the post, then its comments."""
    entries = [_post_entry(post), *(_comment_entry(post, *each) for each in post.comments.items())]
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">'
        f'<category term="{post.subreddit}" label="r/{post.subreddit}"/><updated>2026-09-01T10:00:00+00:00</updated>'
        f"<icon>https://www.redditstatic.com/icon.png/</icon><id>/comments/{post.id}/.rss</id>"
        f'<link rel="self" href="https://www.reddit.com/comments/{post.id}/.rss" type="application/atom+xml" />'
        f'<link rel="alternate" href="https://www.reddit.com/comments/{post.id}/" type="text/html" />'
        f"<title>{escape(post.title)} : {post.subreddit}</title>{''.join(entries)}</feed>"
    ).encode()


def _post_entry(post: PublicPost) -> str:
    words = _words(post.text) if post.text else ""
    content = (
        f'<table> <tr><td> <a href="{escape(post.page)}"> <img src="{escape(post.thumbnail)}" alt="{escape(post.title)}" '
        f'title="{escape(post.title)}" /> </a> </td><td> {words} &#32; submitted by &#32; '
        f'<a href="https://www.reddit.com/user/{post.author}"> /u/{post.author} </a> &#32; to &#32; '
        f'<a href="https://www.reddit.com/r/{post.subreddit}/"> r/{post.subreddit} </a> <br/> '
        f'<span><a href="{escape(post.target)}">[link]</a></span> &#32; '
        f'<span><a href="{escape(post.page)}">[comments]</a></span> </td></tr></table>'
    )
    date = datetime.fromtimestamp(post.posted, UTC).isoformat()
    return (
        f"<entry><author><name>/u/{post.author}</name><uri>https://www.reddit.com/user/{post.author}</uri></author>"
        f'<category term="{post.subreddit}" label="r/{post.subreddit}"/><content type="html">{escape(content)}</content>'
        f'<id>t3_{post.id}</id><media:thumbnail url="{escape(post.thumbnail)}" /><link href="{escape(post.page)}" />'
        f"<updated>{date}</updated><published>{date}</published><title>{escape(post.title)}</title></entry>"
    )


def _words(text: str) -> str:
    return f'<!-- SC_OFF --><div class="md">{text}\n</div><!-- SC_ON -->'


def _comment_entry(post: PublicPost, name: str, text: str) -> str:
    return (
        "<entry><author><name>/u/another</name><uri>https://www.reddit.com/user/another</uri></author>"
        f'<category term="{post.subreddit}" label="r/{post.subreddit}"/>'
        f'<content type="html">{escape(_words(text))}</content>'
        f'<id>t1_{name}</id><link href="{escape(post.page)}{name}/"/><updated>2026-09-01T10:00:00+00:00</updated>'
        f"<title>/u/another on {escape(post.title)}</title></entry>"
    )


def embed(post: PublicPost) -> bytes:
    """Return the page with which other sites embed a post."""
    data = {
        "post": {
            "id": f"t3_{post.id}",
            "title": post.title,
            "url": post.target,
            "nsfw": post.nsfw,
            "created_timestamp": int(post.posted * 1000),
            "type": post.kind,
        },
        "subreddit": {"name": post.subreddit},
    }
    source = f"{post.target}/HLSPlaylist.m3u8?f=sd&v=1"
    # The page of an image may have a player for something else.
    name = f"t3_{post.id}" if post.kind == "video" else "t3_advert"
    player = f'<shreddit-player src="{escape(source)}" post-id="{name}" poster="{escape(post.poster)}"></shreddit-player>'
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>Embed</title></head><body>'
        f'<shreddit-screenview-data data="{escape(json.dumps(data))}"></shreddit-screenview-data>'
        f'<main><h1 class="title">\n  {escape(post.title)}\n</h1>{player if post.kind in {"video", "image"} else ""}</main></body></html>'
    ).encode()


def posts() -> list[PublicPost]:
    """Return the posts of the JSON fixtures, and some that only these pages need."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FIXTURES.glob("*.json"))]
    return [*(_from_json(document) for document in documents if isinstance(document, list)), *_MORE]


def _from_json(document: Any) -> PublicPost:
    """Return a post of the fixtures; a crosspost links to its original here, and in its JSON to the video."""
    data = document[0]["data"]["children"][0]["data"]
    parent = (data.get("crosspost_parent_list") or [{}])[0]
    kinds = {"gallery": data.get("is_gallery"), "text": data["is_self"], "video": "v.redd.it" in data["url"] and not parent}
    return PublicPost(
        id=data["id"],
        title=data["title"].replace("&amp;", "&"),
        subreddit=data["subreddit"],
        author=data["author"],
        permalink=f"https://www.reddit.com{data['permalink']}",
        target=f"https://www.reddit.com{parent['permalink']}" if parent else data["url"],
        posted=data["created_utc"],
        kind=next((kind for kind, holds in kinds.items() if holds), "image" if data.get("post_hint") == "image" else "link"),
        nsfw=data["over_18"],
        text=_links(data["selftext"]),
        comments=_COMMENTS if data["id"] == "pcomment" else {},
    )


def _links(text: str) -> str:
    """Return a text with its addresses as links, and with a `[link]` of the author's own."""
    words = [f'<a href="{word}">{word}</a>' if word.startswith("https://") else word for word in text.split()]
    return f'<p>{" ".join(words)} <a href="https://v.redd.it/notthis">[link]</a></p>' if text else ""


_PLAYER = "https://reddit.com/link/pcomment/video/duwg8xxrajsh1/player"
_COMMENTS = {
    "ctop": '<p>words <a href="https://v.redd.it/era2018one">[link]</a></p>',
    "cdeep": f'<p><a href="{_PLAYER}">{_PLAYER}</a></p>',
}


def _crosspost(name: str, original: str) -> PublicPost:
    target = f"https://www.reddit.com/r/aww/comments/{original}/a_film/"
    return PublicPost(id=name, title=f"Look at {original}", target=target, kind="link", author="crossposter", posted=1700000000.0)


_MORE = [
    _crosspost("pchain1", "pchain2"),
    _crosspost("pchain2", "pchain3"),
    _crosspost("pchain3", "p2024"),
    _crosspost("pchain0", "pchain1"),
    _crosspost("pcircle1", "pcircle2"),
    _crosspost("pcircle2", "pcircle1"),
    _crosspost("pcrossgone", "pnowhere"),
    PublicPost(id="padults", title="For adults", target="https://v.redd.it/era2024one", nsfw=True),
    PublicPost(id="pmany", title='"Many" <answers> & links', target="https://v.redd.it/era2020one", comments={"c1": _COMMENTS["ctop"]}),
]
