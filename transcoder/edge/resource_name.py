"""How messages name a resource."""

from functools import lru_cache
from pathlib import PurePosixPath

import httpx


@lru_cache(maxsize=64)  # each of the steps of a request has it at hand for a failure; reading an address takes time
def resource_name(url: str) -> str:
    """Name a resource to the caller: its last path component and host, never the query, which may hold a signature."""
    try:
        parts = httpx.URL(url)
        host = parts.host
    except (httpx.InvalidURL, UnicodeError):  # UnicodeError: a label that begins with xn-- and is none (RFC 5890)
        return "An address"
    file = PurePosixPath(parts.path).name
    return f"{file[:60]} at {host}" if file and host else file[:60] or host
