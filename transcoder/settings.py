"""The configuration: one frozen value, read from the environment once, by an entry point."""

import math
from collections.abc import Mapping
from typing import NamedTuple, Self, TypeVar

from transcoder.errors import BadRequestError

PREFIX = "TRANSCODER_"
MIB = 1024 * 1024
Value = str | int | float | bool | tuple[str, ...]
Number = TypeVar("Number", int, float)
_MAY_BE_ZERO = frozenset(
    {"ahead_bytes", "least_rate", "retry_seconds", "max_redirects", "daily_bytes", "deadline_margin_seconds", "cache_seconds"}
)
"""With any other number, 0 would mean that nothing works."""
_SECRETS = frozenset({"signing_keys", "reddit_client_secret"})


class Settings(NamedTuple):
    """The settings of an operator. Each field is read from the variable `TRANSCODER_` followed by its name in capitals."""

    ffmpeg: str = ""
    """Path of the ffmpeg to use, version 7 or newer. Empty: the one in the package imageio-ffmpeg."""
    allow_private: bool = False
    """Whether callers may name addresses on loopback or private networks."""
    ahead_bytes: int = 16 * MIB
    """How many bytes of media to prefetch, over all tracks, before ffmpeg asks for them."""
    connections: int = 12
    """Maximum number of concurrent requests to origins. Media begin with at most six, and come to more where each wait for a response takes
    longer than the response."""
    connect_seconds: float = 10.0
    """How long an origin may take to accept a connection."""
    read_seconds: float = 20.0
    """How long an origin may take to send the head of a response, and to send nothing of its body, while that is awaited."""
    least_rate: int = 500
    """The least bytes per second that an origin must send of a body; a slower transfer counts as interrupted."""
    rate_seconds: float = 30.0
    """The time over which `least_rate` is measured; only time in which the origin is awaited counts."""
    playlist_seconds: float = 90.0
    """How long a playlist, a key or another small resource may take in all, over all attempts."""
    stall_seconds: float = 300.0
    """How long the origins of a job may be awaited without a byte of a body from any of them, over all attempts."""
    ffmpeg_seconds: float = 120.0
    """How long ffmpeg may neither read nor write, although it has input and its output is awaited."""
    attempts: int = 4
    """How many times a request is tried, including the first, before the origin counts as failed."""
    retry_seconds: float = 0.25
    """Average wait before the second try; each further try waits twice as long, up to 10 seconds."""
    max_playlist_bytes: int = 16 * MIB
    """Longer playlists are refused."""
    max_segment_bytes: int = 1024 * MIB
    """Longer segments are refused."""
    max_init_bytes: int = 4 * MIB
    """Longer initialization sections are refused."""
    max_file_bytes: int = 16 * 1024 * MIB
    """Longer files are not passed through. Over HTTP, the limit of a response is usually lower."""
    max_redirects: int = 8
    """How many redirects in a row are followed."""
    response_limit: int = 200 * MIB - MIB // 4
    """Longest response in bytes; a longer one ends with an error. Lambda itself cuts responses at 200 MiB without telling the caller."""
    daily_bytes: int = 0
    """How many bytes one execution environment sends in a day (UTC) before it refuses further requests; about, and 0: any number."""
    plain_heads: int = 60
    """From how many heads of segments the index of a plain MP4 may be made where the caller leaves the layout to the source."""
    index_cache_bytes: int = 16 * MIB
    """How many bytes of indexes of plain MP4s an execution environment keeps for the next requests."""
    log_text: bool = False
    """Whether the log has one line of text for people about each request, in place of the JSON from which CloudWatch makes metrics."""
    bucket: str = ""
    """S3 bucket of the service's own, which keeps finished files, and indexes of plain MP4s for all execution environments. Empty: none."""
    files_url: str = ""
    """Base URL under which the objects `files/…` of the bucket can be read by anyone, as the distribution's; empty: presigned URLs."""
    tmp_bytes: int = 480 * MIB
    """How many bytes of media the temporary folder may hold while a plain MP4 is made there."""
    silent_seconds: float = 20.0
    """How long making a plain MP4 may take, as estimated beforehand, if nothing can be sent meanwhile."""
    deadline_margin_seconds: float = 3.0
    """How long before Lambda's timeout an unfinished invocation is ended with an error; at most half of the time that it has."""
    signing_keys: tuple[str, ...] = ()
    """Keys of signed links, separated by commas, 16 characters or more each. The first key signs. Empty: links need no signature."""
    signing_secret_arn: str = ""
    """ARN of the AWS Secrets Manager secret with the keys of signed links, one per line. The first key signs. Empty: no secret."""
    page: bool = True
    """Whether `/` has the web page. Where links must be signed, it has it only with `page_links`."""
    page_links: bool = False
    """Whether the web page gets signed links for whoever opens it: then signatures keep nobody out who can open the page."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that sources may be on, with their subdomains, separated by commas. Empty or `*`: any host. Segments may be on other hosts."""
    denied: tuple[str, ...] = ()
    """What is never served, separated by commas: hosts with their subdomains, subreddits (`r/name`), ids of Reddit's posts and videos."""
    allowed_buckets: tuple[str, ...] = ()
    """S3 buckets, separated by commas, whose objects (`s3://bucket/key`) are served with the function's own permissions. Empty: none."""
    reddit_client_id: str = ""
    """Client id of an application registered at Reddit. Empty: requests to Reddit are not authenticated."""
    reddit_client_secret: str = ""
    """The client secret of that application."""
    reddit_steps: tuple[str, ...] = ("oauth", "feed", "embed", "json")
    """How posts are looked up on Reddit, in this order, until a step has an answer; `oauth` is left out without a client id."""
    reddit_user_agent: str = ""
    """The `User-Agent` of requests to Reddit's site. Empty: that of all requests, or the application's with a client id."""
    cache_seconds: int = 0
    """How long caches may store a video, in seconds; 0: not at all. Unsafe where a failed stream may look whole to a cache."""

    def __repr__(self) -> str:
        """Return the settings without secrets."""
        shown = {name: value for name, value in self._asdict().items() if name not in _SECRETS}
        return f"Settings({shown})"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings from the variables that begin with `TRANSCODER_`.

        Raises:
            BadRequestError: a variable has an unknown name, a value of the wrong type, or a number that is negative or not finite.
        """
        known = {PREFIX + name.upper(): name for name in cls._fields}
        values: dict[str, Value] = {}
        for name, text in environ.items():
            if not name.startswith(PREFIX):
                continue
            if name not in known:
                message = f"{name} is not a setting of Transcoder; check its spelling."
                raise BadRequestError(message)
            field = known[name]
            values[field] = _value(name, text, cls.__annotations__[field])
        return cls(**values)  # type: ignore[arg-type]  # each value was converted to its field's type


def _value(name: str, text: str, kind: object) -> Value:
    """Convert the text of a variable to the type of its field."""
    try:
        if kind is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}[text.lower()]
        if kind is int:
            return _checked(int(text), name)
        if kind is float:
            return _checked(float(text), name)
        if kind == tuple[str, ...]:
            return tuple(part.strip() for part in text.split(",") if part.strip())
    except (KeyError, ValueError) as error:
        message = f"{name}: {text!r} is not a value for this setting."
        raise BadRequestError(message) from error
    return text


def _checked(number: Number, name: str) -> Number:
    """Return a number that a setting can have; raise ValueError for any other."""
    if not math.isfinite(number) or number < 0 or (not number and name.removeprefix(PREFIX).lower() not in _MAY_BE_ZERO):
        raise ValueError(name)
    return number
