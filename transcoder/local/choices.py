"""The choices that a program in Python makes about a source, and what they mean."""

import os
from collections.abc import Mapping
from typing import Literal, TypedDict, get_type_hints

from transcoder.core.request.job import Job
from transcoder.core.request.parameters import BY_NAME
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.errors import BadRequestError
from transcoder.local.origins import OriginChoices, Origins
from transcoder.local.source import consistent_job, source_url
from transcoder.local.typed_values import check_type

PathLike = str | os.PathLike[str]


class Choices(TypedDict, total=False):
    """What is wanted of a source, and how it is fetched. None is as good as leaving a choice out.

    Those up to `page` are the parameters of `/download` and the options of `transcoder get`; a text is read as it is there.
    """

    height: int | str | None
    """The maximum of the video's short side, in pixels (720 or "720p")."""
    audio: str | None
    """The language or the name of the audio."""
    format: Literal["mp4", "m4a", "mp3", "file"] | None
    mute: bool | None
    start: float | str | None
    """Where a clip begins: seconds, or "1:30"."""
    end: float | str | None
    exact: bool | None
    """The clip begins exactly at `start`, for which it is re-encoded."""
    fit: int | str | None
    """The maximum of the estimated size: bytes, or "8MB"."""
    video: Literal["copy", "h264"] | None
    audio_codec: Literal["auto", "copy"] | None
    layout: Literal["auto", "plain", "fragmented"] | None
    embed_source: bool | None
    """The file says which address it was made of."""
    item: int | str | None
    """Which of several videos at one address, counted from 1."""
    filename: str | None
    page: str | None
    """The Reddit post that the address was found in."""

    headers: Mapping[str, str] | None
    """For the host of the source and its subdomains; what a browser sends to all (Referer, User-Agent …) goes to all origins."""
    headers_for: Mapping[str, Mapping[str, str]] | None
    """Headers for other hosts and their subdomains, by host."""
    cookies: PathLike | None
    """A file in Netscape's format, of which each cookie goes to its own host."""
    ca_file: PathLike | None
    """A file with the certificates to trust, in PEM, in place of the usual ones; None: SSL_CERT_FILE, if that is set."""
    proxy: str | None
    """The address of an HTTP proxy; "" is none, and None what HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say."""
    allow_private: bool | None
    """False: the source was named by a stranger, so neither local files nor private addresses are fetched. True is the default."""
    network: Network | None
    """Who resolves names and connects; None: this machine."""


def read_choices(url: str, choices: Choices, environ: Mapping[str, str]) -> tuple[Job, Origins]:
    """Return the job that choices describe, and how its source is fetched.

    Raises:
        BadRequestError: a choice is invalid.
        TypeError: there is no such choice.

    """
    hints = get_type_hints(Choices)
    if unknown := next((name for name in choices if name not in hints), None):
        raise TypeError(f"there is no choice {unknown!r}; the choices are {', '.join(hints)}")
    check_type("url", url, str)
    given = {name: value for name, value in choices.items() if value is not None}
    allow_private = checked_flag("allow_private", given.get("allow_private", True))
    for name, value in given.items():
        if not (name in BY_NAME and isinstance(value, str)):  # a text is read as in a query, also where Python has other types
            check_type(name, value, hints[name])
    values = {name: _text(value) for name, value in given.items() if name in BY_NAME}
    job = consistent_job(source_url(url, local=allow_private), values)
    origin_choices = OriginChoices(
        choices.get("headers") or {},
        choices.get("headers_for") or {},
        path_text("cookies", choices.get("cookies")),
        path_text("ca_file", choices.get("ca_file")),
        choices.get("proxy"),
        allow_private,
        choices.get("network") or INTERNET,
    )
    return job, Origins.of(origin_choices, url, job.url, environ)


def checked_flag(name: str, value: object) -> bool:
    """Return a value that is True or False; what is as good as one of them is none: `allow_private="0"` would allow it.

    Raises:
        BadRequestError: it is neither.

    """
    if not isinstance(value, bool):
        raise BadRequestError(f"{name}: {value!r} is neither True nor False.")
    return value


def path_text(name: str, path: PathLike | None) -> str | None:
    """Return a path as text.

    Raises:
        BadRequestError: it is none.

    """
    check_type(name, path, PathLike | None)
    return None if path is None else os.fspath(path)


def _text(value: object) -> str:
    """Return a choice as `/download` has it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:f}" if isinstance(value, float) else str(value)
