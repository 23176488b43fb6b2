"""A request for subtitles: one rendition as one text."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from transcoder.core.request.job import Job
from transcoder.core.request.parameters import make_job
from transcoder.core.request.values import parse_choice, parse_text
from transcoder.errors import BadRequestError

SHARED_PARAMETERS = ("item", "filename", "page")
"""Parameters of a job that also say which subtitles to take, and how to name them."""


class SubtitleFormat(Enum):
    """The format of subtitles; the value is the file name extension, too."""

    VTT = "vtt"
    SRT = "srt"

    @property
    def content_type(self) -> str:
        """The media type."""
        return {SubtitleFormat.VTT: "text/vtt", SubtitleFormat.SRT: "application/x-subrip"}[self] + "; charset=utf-8"


class SubtitleRequest(NamedTuple):
    """Which subtitles of which source are wanted."""

    job: Job
    """The source, with the title that names the file; its other parameters have their defaults."""
    language: str | None = None
    """The language or the name of the rendition; None selects the source's default."""
    format: SubtitleFormat = SubtitleFormat.VTT


def make_subtitle_request(url: str, values: Mapping[str, str]) -> SubtitleRequest:
    """Return the request for an address and its other parameters, given by name.

    Raises:
        BadRequestError: a name is unknown, or a value is invalid.

    """
    own = {name: text for name, text in values.items() if name in {"language", "format"}}
    shared = {name: text for name, text in values.items() if name not in own}
    for name in shared:
        if name not in SHARED_PARAMETERS:
            known = f"the parameters of /subtitles are url, language, format, {', '.join(SHARED_PARAMETERS)}."
            raise BadRequestError(f"{name[:100]!r} is not a parameter here; {known}")
    return SubtitleRequest(
        make_job(url, shared),
        parse_text("language", own["language"]) if "language" in own else None,
        parse_choice(SubtitleFormat, "format", own.get("format", SubtitleFormat.VTT.value)),
    )
