"""The metadata of the output: title, dates, and the source if it is asked for."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from transcoder.core.request.job import Job
from transcoder.core.source.source import ResolvedSource, Source

_MAX_CHARACTERS = 1000
_CONTROL = r"[\x00-\x1f\x7f]+"


def metadata_of(source: Source, resolved: ResolvedSource, job: Job) -> dict[str, str]:
    """Return what is known of an output, by ffmpeg's names: title, date (of the post), creation_time, and comment (the source's address).

    The creation time is when the playlist says that its first segment was recorded, or else when the post was made: never the time at
    which the output is made, which would be another file each time. The address is included only if the job wants it, and only its
    public part: no credentials, no query, no fragment, and nothing about a local file.
    """
    created = source.posted if resolved.plan.recorded is None else resolved.plan.recorded
    tags = {
        "title": source.title or "",
        "comment": _public_url(source.page) if job.embed_source else "",
        "date": _date(source.posted),
        "creation_time": "" if created is None else datetime.fromtimestamp(int(created), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {name: re.sub(_CONTROL, " ", text)[:_MAX_CHARACTERS] for name, text in tags.items() if text}


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _date(posted: float | None) -> str:
    return "" if posted is None else datetime.fromtimestamp(posted, UTC).date().isoformat()
