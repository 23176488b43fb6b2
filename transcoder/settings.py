"""All configuration: one frozen value, read from the environment once, by an entry point."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from transcoder.errors import BadRequestError

PREFIX = "TRANSCODER_"
MIB = 1024 * 1024
Value = str | int | float | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may change. Every field is the variable `TRANSCODER_` and its name in capitals."""

    ffmpeg: str = ""
    """Path of the ffmpeg to use, version 7 or newer; empty means the one in the package imageio-ffmpeg."""
    allow_private: bool = False
    """May a URL that a caller names lie on loopback or a private network."""
    ahead_bytes: int = 16 * MIB
    """How many bytes of media, over all tracks, are fetched before ffmpeg has asked for them."""
    connections: int = 6
    """How many requests to origins are under way at once, at most."""
    connect_seconds: float = 10.0
    """How long an origin may take to accept a connection."""
    read_seconds: float = 20.0
    """How long an origin may send nothing at all while an answer is awaited."""
    attempts: int = 4
    """How often a request is tried, the first time included, before the origin is said to have failed."""
    retry_seconds: float = 0.25
    """How long to wait before the second try, on average; each further one waits twice as long, up to 10 seconds."""
    max_playlist_bytes: int = 16 * MIB
    """A longer playlist is refused."""
    max_segment_bytes: int = 1024 * MIB
    """A longer segment is refused."""
    max_init_bytes: int = 4 * MIB
    """A longer initialization section is refused."""
    max_redirects: int = 8
    """More redirects in a row are refused."""
    response_limit: int = 200 * MIB - MIB // 4
    """A longer answer is broken off, in bytes; Lambda itself cuts at 200 MiB, without a word to the caller."""
    deadline_margin_seconds: float = 3.0
    """How long before Lambda would kill it an invocation is ended in good order; at most half of the time that it has."""
    signing_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys of signed links, separated by commas, of 16 characters or more; the first one signs; none: links need no signature."""
    signing_secret_arn: str = ""
    """Secret of AWS Secrets Manager that holds the keys of signed links, one a line, the first the one that signs; empty means none."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts, separated by commas, on which sources may lie, subdomains included; none or `*`: anywhere. Segments may lie elsewhere."""
    allowed_buckets: tuple[str, ...] = ()
    """Buckets of S3, separated by commas, whose objects (`s3://bucket/key`) are served, with the function's own rights; none: none is."""
    reddit_client_id: str = ""
    """Client id of an application registered at Reddit; empty: Reddit is asked without one."""
    reddit_client_secret: str = field(default="", repr=False)
    """The secret that belongs to it."""
    cache_seconds: int = 0
    """How long a film may be kept by what lies between; 0 is not at all. Unsafe where a stream that failed may look whole."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables that begin with `TRANSCODER_`.

        Raises:
            BadRequestError: a variable has an unknown name, or a value that is not of its type.
        """
        known = {PREFIX + each.name.upper(): each for each in fields(cls)}
        values: dict[str, Value] = {}
        for name, text in environ.items():
            if not name.startswith(PREFIX):
                continue
            if name not in known:
                message = f"{name} is not a setting of this program."
                raise BadRequestError(message)
            values[known[name].name] = _value(name, text, known[name].type)
        return cls(**values)  # type: ignore[arg-type]  # each value was made by its field's own type


def _value(name: str, text: str, kind: object) -> Value:
    """Turn one variable's text into its field's type."""
    try:
        if kind is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}[text.lower()]
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
        if kind == tuple[str, ...]:
            return tuple(part.strip() for part in text.split(",") if part.strip())
    except (KeyError, ValueError) as error:
        message = f"{name}: {text!r} is not a value for this setting."
        raise BadRequestError(message) from error
    return text
