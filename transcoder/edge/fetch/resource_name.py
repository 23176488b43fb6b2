"""How messages name a resource."""

from pathlib import PurePosixPath

import httpx


def resource_name(url: str) -> str:
    """Name a resource to the caller: its last path component and host, never the query, which may hold a signature."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return "An address"
    file = PurePosixPath(parts.path).name
    return f"{file[:60]} at {parts.host}" if file and parts.host else file[:60] or parts.host
