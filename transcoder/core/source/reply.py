"""A small HTTP response from an origin, such as a page or a JSON document."""

from typing import NamedTuple


class HttpReply(NamedTuple):
    """One HTTP response, whatever its status."""

    url: str
    """Its address, after redirects."""
    status: int
    content_type: str
    text: str
    location: str | None = None
    """The absolute target address, if the response is a redirect that was not followed."""
    wait: float | None = None
    """For how many seconds the origin wants no further request, if it says so (Retry-After, X-RateLimit-Reset)."""
