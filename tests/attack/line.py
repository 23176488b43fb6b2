"""One line of `make attack`: a hostile input, how it is sent, and what it may cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
from peers.origin import Origin, Rule

Files = Mapping[str, bytes]
Attack = Callable[["Target"], str]
"""Carries out an attack on a target, and returns how that ended."""


@dataclass(frozen=True)
class Target:
    """The emulated Lambda that is attacked, and an origin that serves what it is led to."""

    url: str
    """Of the Function URL, without a slash at its end."""
    origin: Origin
    http: httpx.Client


@dataclass(frozen=True)
class Line:
    """A hostile input, and the most that it may cost."""

    name: str
    attack: Attack
    max_cpu_seconds: float = 2.0
    """Processor time of the function's process, on a machine of usual speed; that of ffmpeg does not count."""
    max_mib: float = 64.0
    """Peak memory beyond that of the idle process."""


def download(
    files: Callable[[], Files],
    rules: Callable[[], Mapping[str, Rule]] = dict,
    *,
    path: str = "/main.m3u8",
    parameters: str = "",
    route: str = "/download",
) -> Attack:
    """Return the attack that serves `files` by `rules`, and downloads `path` from there, or asks for it by another `route`."""

    def attack(target: Target) -> str:
        target.origin.files = files()
        target.origin.rules |= rules()
        query = f"{parameters}url={quote(target.origin.url(path), safe='')}"
        return ending(target, f"{route}?{query}")

    return attack


def ending(target: Target, path: str) -> str:
    """Send a request, and return how it was answered: the status and the message, and whether the body was whole."""
    try:
        with target.http.stream("GET", target.url + path) as response:
            if response.status_code >= httpx.codes.BAD_REQUEST:
                return f"{response.status_code} {_detail(response)}"
            length = sum(map(len, response.iter_raw()))
            return f"{response.status_code} and all {length} bytes"
    except httpx.RemoteProtocolError:
        return f"{response.status_code}, then broken off"


def _detail(response: httpx.Response) -> str:
    response.read()
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text[:60]


@dataclass(frozen=True)
class Measured:
    """What a line has cost."""

    line: Line
    ending: str
    cpu_seconds: float
    mib: float
    seconds: float
    faults: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        figures = f"{self.cpu_seconds:6.2f} s CPU {self.mib:6.1f} MiB {self.seconds:6.1f} s"
        return f"{self.line.name:58} {figures}  {self.ending[:80]}" + "".join(f"\n    FAILED: {fault}" for fault in self.faults)
