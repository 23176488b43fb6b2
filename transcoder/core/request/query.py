"""A raw query string → its parameters."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from transcoder.core.request.job import Job, checked_url
from transcoder.core.request.parameters import make_job
from transcoder.errors import BadRequestError

_RAW_URL = re.compile(r"(?:^|(?<=&))url=(https?://.*)", re.IGNORECASE | re.DOTALL)
MAX_PARAMETERS = 50
SIGNATURE = frozenset({"exp", "sig"})
"""Parameters that say who made a link, and nothing of the film."""


@dataclass(frozen=True, slots=True)
class Query:
    """What stands in a query, decoded; each name once."""

    values: dict[str, str]

    def job(self) -> Job:
        """Read it as a job.

        Raises:
            BadRequestError: `url` is missing or not an http(s) address, a parameter is unknown, a value makes no sense.

        """
        choices = {name: text for name, text in self.values.items() if name not in SIGNATURE | {"url"}}
        url = self.values.get("url")
        if not url:
            make_job("", choices)  # an unknown name explains more than a missing one: `uri=…`
            raise BadRequestError("The parameter url is missing: name the video, as in ?url=https://example.com/video.m3u8")
        return make_job(checked_url(url), choices)


def parse_query(query: str) -> Query:
    """Take a raw query string apart.

    A `url` that begins with a literal `http://` or `https://` is everything after `url=`, taken as it stands: players' addresses carry
    queries of their own, and existing sites paste them in as they are. Other parameters stand before it. Percent-encoded, it is
    one parameter of several, in any order.

    Raises:
        BadRequestError: a parameter is there twice, or there are more than `MAX_PARAMETERS`.

    """
    raw = _RAW_URL.search(query)
    try:
        pairs = parse_qsl(query[: raw.start()] if raw else query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise BadRequestError(f"More than {MAX_PARAMETERS} parameters stand in the query.") from error
    if raw:
        pairs.append(("url", raw[1]))
    values = dict(pairs)
    if len(values) != len(pairs):
        raise BadRequestError("A parameter stands twice in the query.")
    return Query(values)
