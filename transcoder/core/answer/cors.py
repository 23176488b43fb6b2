"""What browsers on other sites may do with the function: said once, for the deployed Function URL and for the emulated one.

Source: Fetch standard, "CORS protocol"; AWS Lambda developer guide, "Cross-origin resource sharing" of function URLs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cors:
    """A Function URL's CORS configuration: Lambda itself answers preflights by it, and it wins over what the function says."""

    allow_origins: tuple[str, ...] = ("*",)
    allow_methods: tuple[str, ...] = ("GET", "HEAD")
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = (
        "accept-ranges", "content-disposition", "content-range", "etag", "server-timing", "x-content-duration", "x-content-length-estimate",
    )  # fmt: skip
    """What a script may read beside the few headers that it always may."""
    max_age_seconds: int = 3600


def cors_headers(cors: Cors, *, origin: str, preflight: bool) -> list[tuple[str, str]]:
    """Say what a response to a request of `origin` carries; nothing if that origin may not read it."""
    anyone = "*" in cors.allow_origins
    if not anyone and origin not in cors.allow_origins:
        return []
    headers = [("access-control-allow-origin", "*" if anyone else origin)]
    if not anyone:
        headers.append(("vary", "Origin"))
    if preflight:
        headers.append(("access-control-allow-methods", ",".join(cors.allow_methods)))
        headers.append(("access-control-max-age", str(cors.max_age_seconds)))
        if cors.allow_headers:
            headers.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
    elif cors.expose_headers:
        headers.append(("access-control-expose-headers", ",".join(cors.expose_headers)))
    return headers
