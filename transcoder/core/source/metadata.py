"""The metadata of the output: title, source and date."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from transcoder.core.source.source import Source

_MAX_CHARACTERS = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def metadata_of(source: Source) -> dict[str, str]:
    """Return title, comment (the source's address) and date (of the post), as far as they are known, by ffmpeg's names.

    Only the public part of an address is included: no credentials, no query, no fragment, and nothing about a local file.
    """
    tags = {"title": source.title or "", "comment": _public_url(source.page), "date": _date(source.posted)}
    return {name: _CONTROL.sub(" ", text)[:_MAX_CHARACTERS] for name, text in tags.items() if text}


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _date(posted: float | None) -> str:
    return "" if posted is None else datetime.fromtimestamp(posted, UTC).date().isoformat()
