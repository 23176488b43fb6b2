"""What is wanted: one film, as a request or a command line says it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from transcoder.errors import BadRequestError

MAX_URL_CHARACTERS = 8192


@dataclass(frozen=True, slots=True)
class Job:
    """One film that somebody wants; each field but `url` is a parameter in `transcoder.core.parameters`."""

    url: str
    height: int | None = None
    """A cap on the short side of the picture, in pixels."""
    audio: str | None = None
    """The language or the name of the sound; None takes the source's default."""
    item: int | None = None
    """Which of several videos behind one address, counted from 1; None takes the first."""
    filename: str | None = None
    """What the caller wants the file to be called, as they wrote it."""


def checked_url(url: str) -> str:
    """Return `url` if it is an http(s) address with a host.

    Raises:
        BadRequestError: it is not, or it is longer than `MAX_URL_CHARACTERS`.

    """
    if len(url) > MAX_URL_CHARACTERS:
        raise BadRequestError(f"url: longer than {MAX_URL_CHARACTERS} characters.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadRequestError(f"url: {url!r} is not an address.") from error
    if parts.scheme.lower() not in {"http", "https"}:
        raise BadRequestError(f"url: {url!r} is not an http or https address.")
    if not host or re.search(r"[\x00-\x20\x7f]", url):
        raise BadRequestError(f"url: {url!r} is not an address.")
    return url
