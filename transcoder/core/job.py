"""What is wanted: a request's query or a command's words, checked once."""

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote, urlsplit

from transcoder.errors import BadRequestError

MAX_URL_CHARACTERS = 8192
_MAX_NAME_CHARACTERS = 100
_GENERIC_STEMS = re.compile(
    r"(index|master|main|playlist|manifest|output|prog_index|chunklist|hls_?\w*|stream|video|media)(_?\d+)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Job:
    """One film that somebody wants."""

    url: str
    height: int | None = None
    """A cap on the short side of the picture, in pixels."""

    @property
    def file_name(self) -> str:
        """A name for the MP4 made from the playlist's address: ASCII, no path, no quotes."""
        parts = [part for part in urlsplit(self.url).path.split("/") if part]
        stems = [unquote(part).rpartition(".")[0] or unquote(part) if part is parts[-1] else unquote(part) for part in parts]
        telling = next((stem for stem in reversed(stems) if not _GENERIC_STEMS.fullmatch(stem)), "video")
        safe = re.sub(r"[^A-Za-z0-9._-]+", "_", telling).strip("._-")[:_MAX_NAME_CHARACTERS]
        return f"{safe or 'video'}.mp4"


def parse_query(query: str) -> Job:
    """Read a raw query string as a job.

    A `url` that begins with a literal `http://` or `https://` is everything after `url=`, and nothing else is read: players'
    addresses carry queries of their own, and existing sites paste them in as they are. Percent-encoded, it is one parameter of several.

    Raises:
        BadRequestError: `url` is missing or not an http(s) address, a parameter is unknown or twice there, a value makes no sense.

    """
    raw = re.search(r"(?:^|&)url=(https?://.*)", query, re.IGNORECASE | re.DOTALL)
    if raw:
        return Job(checked_url(raw[1]))
    pairs = parse_qsl(query, keep_blank_values=True)
    values = dict(pairs)
    unknown = [name for name, _ in pairs if name not in {"url", "height"}]
    if unknown:
        raise BadRequestError(f"{unknown[0]!r} is not a parameter; known are url and height.")
    if len(values) != len(pairs):
        raise BadRequestError("A parameter stands twice in the query.")
    if not values.get("url"):
        raise BadRequestError("The parameter url is missing: name the playlist, as in ?url=https://example.com/video.m3u8")
    return with_height(Job(checked_url(values["url"])), values.get("height"))


def with_height(job: Job, text: str | None) -> Job:
    """Cap the picture's short side as `text` says; None is no cap.

    Raises:
        BadRequestError: it is not a whole number of pixels above 0.

    """
    if text is None:
        return job
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) == 0:
        raise BadRequestError(f"height: {text!r} is not a number of pixels.")
    return replace(job, height=int(text))


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
