"""The operator's denylist: hosts, subreddits, and posts and videos on Reddit that are never served."""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

from transcoder.core.request.host_names import REDDIT_DOMAINS, is_within, subreddit_name
from transcoder.errors import BadRequestError, DeniedSourceError

_HOST = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+|[0-9a-f]*:[0-9a-f:.]+"
_COMMUNITY = r"/?(r|u|user)/([a-z0-9_-]{1,30})/?"
_ID = r"(?:t[13]_)?([a-z0-9]{1,15})"
_EXCLUDED = "the operator of this service has excluded it."


class Denylist(NamedTuple):
    """What is never served. Hosts include their subdomains; all names are in lower case."""

    hosts: frozenset[str] = frozenset()
    subreddits: frozenset[str] = frozenset()
    """A profile is the subreddit `u_name`."""
    ids: frozenset[str] = frozenset()
    """Ids of posts, comments and videos on Reddit."""

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Return the list for entries such as `example.com`, `r/name`, `u/name` and `9iiojb7jws291`.

        Raises:
            BadRequestError: an entry is none of these: ignored, it would be served.

        """
        hosts, subreddits, ids = set(), set(), set()
        for entry in entries:
            text = entry.strip().lower()
            if community := re.fullmatch(_COMMUNITY, text):
                subreddits.add(subreddit_name(*community.groups()))
            elif re.fullmatch(_HOST, host := _ascii_host(text)):
                hosts.add(host)
            elif name := re.fullmatch(_ID, text):
                ids.add(name[1])
            else:
                raise BadRequestError(f"TRANSCODER_DENIED: {entry[:100]!r} is neither a host, nor r/name, nor the id of a post or a video.")
        return cls(frozenset(hosts), frozenset(subreddits), frozenset(ids))

    def check(self, url: str) -> None:
        """Accept an address unless its host is denied, or it is one on Reddit that contains a denied name.

        Raises:
            DeniedSourceError: it is denied.

        """
        if not (self.hosts or self.subreddits or self.ids):
            return
        try:
            parts = urlsplit(url)
            host = _ascii_host(parts.hostname or "")
        except ValueError:  # nothing can be fetched from there
            return
        if is_within(host, self.hosts):
            raise DeniedSourceError(f"Nothing on {host[:200]} is served here: {_EXCLUDED}")
        if not is_within(host, REDDIT_DOMAINS):
            return
        names = [unquote(name).lower() for name in parts.path.split("/") if name]
        for kind, name in pairwise(names):
            if kind in {"r", "u", "user"}:
                self.check_subreddits(*(subreddit_name(kind, each) for each in name.split("+")))
        if not self.ids.isdisjoint(name.partition(".")[0] for name in names):
            raise DeniedSourceError(f"This video is not served here: {_EXCLUDED}")

    def check_subreddits(self, *names: str) -> None:
        """Accept subreddits unless one of them is denied.

        Raises:
            DeniedSourceError: one is denied.

        """
        for name in names:
            if name.lower() in self.subreddits:
                raise DeniedSourceError(f"Nothing from r/{name[:100]} is served here: {_EXCLUDED}")


def _ascii_host(host: str) -> str:
    """Return a host name as it is sent; what is no host name is returned as it is."""
    host = host.strip(".")
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host
