"""The CORS configuration that the deployed Function URL and the emulated one share, and the headers that it yields.

Source: Fetch standard, "CORS protocol"; AWS Lambda developer guide, "Cross-origin resource sharing" of function URLs.
"""

from typing import NamedTuple

from transcoder.core.answer.event import Request


class Cors(NamedTuple):
    """A Function URL's CORS configuration. Lambda itself answers preflight requests by it, and it overrides the function's own headers."""

    allow_origins: tuple[str, ...] = ("*",)
    allow_methods: tuple[str, ...] = ("GET", "HEAD")
    allow_headers: tuple[str, ...] = ("if-range", "last-event-id", "range")
    expose_headers: tuple[str, ...] = (
        "accept-ranges", "content-disposition", "content-range", "etag", "server-timing", "x-audio-reencoded", "x-content-duration",
        "x-content-length", "x-content-length-estimate",
    )  # fmt: skip
    """Response headers that a script may read in addition to the few that it always may."""
    max_age_seconds: int = 3600


def own_cors_headers(request: Request) -> list[tuple[str, str]]:
    """Return the CORS headers that the function itself has to send; none behind a Function URL, which adds them."""
    origin = request.headers.get("origin", "")
    return cors_headers(Cors(), origin=origin, preflight=False) if origin and request.adds_cors else []


def cors_headers(cors: Cors, *, origin: str, preflight: bool) -> list[tuple[str, str]]:
    """Return the CORS headers of a response to `origin`; none if that origin may not read it."""
    any_origin = "*" in cors.allow_origins
    if not any_origin and origin not in cors.allow_origins:
        return []
    headers = [("access-control-allow-origin", "*" if any_origin else origin)]
    if not any_origin:
        headers.append(("vary", "Origin"))
    if preflight:
        headers.append(("access-control-allow-methods", ",".join(cors.allow_methods)))
        headers.append(("access-control-max-age", str(cors.max_age_seconds)))
        if cors.allow_headers:
            headers.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
    elif cors.expose_headers:
        headers.append(("access-control-expose-headers", ",".join(cors.expose_headers)))
    return headers
