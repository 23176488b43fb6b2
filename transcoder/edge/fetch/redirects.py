"""Where a response redirects to."""

import httpx

from transcoder.core.request.host_names import is_within

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def redirect_location(response: httpx.Response) -> str | None:
    """Return the Location of a redirect; None if `response` is not one."""
    location: str | None = response.headers.get("Location")
    return location if response.status_code in _REDIRECTS else None


def leads_within(location: str, base: httpx.URL, domains: frozenset[str]) -> bool:
    """Return whether a redirect leads to a web page on one of the domains or their subdomains."""
    try:
        target = base.join(location)
    except httpx.InvalidURL:
        return False
    return target.scheme in {"http", "https"} and is_within(target.host.rstrip("."), domains)
