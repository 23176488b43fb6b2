"""The web page that a caller found an address on: what its own address says about it."""

import re
from urllib.parse import unquote, urlsplit

from transcoder.core.answer.file_names import title_from_url
from transcoder.core.answer.plain_text import one_line
from transcoder.core.request.host_names import REDDIT_DOMAINS, host_of, is_within, subreddit_name
from transcoder.core.source.source import Source

_POST = r"(?i)(?:/(r|u|user)/([^/]+))?/(?:comments|gallery)/[a-z0-9]+(?:/([^/]*))?(?:/.*)?"


def is_on_reddit(page: str) -> bool:
    """Whether the page is one of Reddit's."""
    return is_within(host_of(page), REDDIT_DOMAINS)


def with_page(source: Source, page: str) -> Source:
    """Return a source without a title as it is seen on that page, with the title and the subreddit that the page's address shows."""
    parts = urlsplit(page)
    if source.title is not None:
        return source
    if not is_on_reddit(page):
        return source._replace(page=page, title=title_from_url(page) if parts.path.strip("/") else None)
    subreddit, title = _parse_post_path(parts.path)
    return source._replace(page=f"https://{parts.hostname}{parts.path}", title=title, subreddit=subreddit)


def _parse_post_path(path: str) -> tuple[str | None, str | None]:
    """Return the subreddit and the title in the path of a link to a post. Reddit shortens titles there to some 50 characters."""
    post = re.fullmatch(_POST, path)
    if not post:
        return None, None
    kind, community, slug = post.groups()
    subreddit = subreddit_name(kind, community) if community else None
    words = one_line(unquote(slug or "").removesuffix(".json").replace("_", " "))
    is_comment = words == "comment" and path.rstrip("/").lower().rpartition("/")[0].endswith("/comment")
    return subreddit, None if is_comment else words or None
