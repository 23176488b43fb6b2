"""Host names: which ones a domain includes, and which are Reddit's."""

from collections.abc import Collection
from urllib.parse import urlsplit

REDDIT_DOMAINS = frozenset({"reddit.com", "redd.it", "redditmedia.com"})
"""Where Reddit's posts and media are; redditstatic.com has only parts of its pages."""


def is_within(host: str, domains: Collection[str]) -> bool:
    """Return whether a host is one of the domains, or a subdomain of one; all are in lower case, and no dot is at their end."""
    # Each domain is compared once: joining the labels of each longer ending again costs the square of a long host's length.
    return bool(host) and (host in domains or any(host.endswith(f".{domain}") for domain in domains))


def subreddit_name(kind: str, name: str) -> str:
    """Return the subreddit that `r/name` names; `u/name` and `user/name` name the one of a profile, which is `u_name`."""
    return name if kind.lower() == "r" else f"u_{name}"


def host_of(url: str) -> str:
    """Return the host of an address in lower case; empty if it has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
