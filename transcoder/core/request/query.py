"""Parses a raw query string into its parameters."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qsl

from transcoder.core.request.job import Job, checked_url
from transcoder.core.request.parameters import make_job
from transcoder.core.request.pasted_text import find_address
from transcoder.core.request.subtitle_request import SubtitleRequest, make_subtitle_request
from transcoder.errors import BadRequestError

T = TypeVar("T")

_LITERAL_URL = re.compile(r"(?:^|(?<=&))url=(https?://.*)", re.IGNORECASE | re.DOTALL)
"""A `url` that is not percent-encoded: it goes on to the end of the query, as its first group."""
MAX_PARAMETERS = 50
SIGNATURE_PARAMETERS = frozenset({"exp", "sig"})
"""Parameters that authenticate a link and do not affect the output."""


class Query(NamedTuple):
    """The decoded parameters of a query, each name once."""

    values: dict[str, str]

    def job(self) -> Job:
        """Return the job that the parameters describe.

        Raises:
            BadRequestError: `url` is missing or not an http(s) address, a parameter is unknown, or a value is invalid.

        """
        return self._with_url(make_job)

    def subtitle_request(self) -> SubtitleRequest:
        """Return the request for subtitles that the parameters describe.

        Raises:
            BadRequestError: as `job` does.

        """
        return self._with_url(make_subtitle_request)

    def _with_url(self, make: Callable[[str, Mapping[str, str]], T]) -> T:
        """Return what `make` makes of the address and the other parameters."""
        parameters = {name: text for name, text in self.values.items() if name not in SIGNATURE_PARAMETERS | {"url"}}
        url = self.values.get("url")
        if not url:
            make("", parameters)  # an unknown name such as `uri=…` is the more helpful error
            raise BadRequestError("The parameter url is missing: pass the address of the video, as in ?url=https://example.com/video.m3u8")
        return make(checked_url(find_address(url)), parameters)


def url_in(query: str) -> str:
    """Return the address of the video in a query, however wrong the rest of the query is; empty if there is none."""
    literal = _LITERAL_URL.search(query)
    return literal[1] if literal else next((text for name, text in parse_qsl(query) if name == "url"), "")


def parse_query(query: str) -> Query:
    """Return the parameters of a raw query string.

    A `url` that begins with a literal `http://` or `https://` is everything after `url=`, unchanged: the addresses of playlists have
    queries of their own, and existing sites paste them in unescaped. Other parameters must come before it. A percent-encoded `url`
    is a parameter like any other, in any order.

    Raises:
        BadRequestError: a parameter appears twice, or there are more than `MAX_PARAMETERS`.

    """
    literal = _LITERAL_URL.search(query)
    try:
        pairs = parse_qsl(query[: literal.start()] if literal else query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise BadRequestError(f"The query has more than {MAX_PARAMETERS} parameters.") from error
    if literal:
        pairs.append(("url", literal[1]))
    values = dict(pairs)
    if len(values) != len(pairs):
        name = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise BadRequestError(f"{name[:50]}: the query has this parameter twice.")
    return Query(values)
