"""No address that a stranger names leads to a private network, on whichever way it comes."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from conftest import Serve
from peers.address_tricks import NAMES, PLAYLISTS, PUBLIC, PUBLIC_ADDRESS, tricks
from peers.application import Answered, ask_all
from peers.origin import Origin, Rule

from transcoder.edge.address_guard import Network
from transcoder.edge.address_guard.socket_stream import SocketStream, dial
from transcoder.settings import Settings

SETTINGS = Settings(attempts=1, retry_seconds=0.0, connect_seconds=2.0)


def port_of(origin: Origin) -> int:
    return int(origin.base.rpartition(":")[2])


@dataclass(slots=True)
class Resolver:
    """The stranger's name server, which changes its answer, and the system's reading of addresses; nothing else is asked."""

    asked: Counter[str] = field(default_factory=Counter)

    async def __call__(self, host: str, port: int) -> list[str]:
        name = host.rstrip(".").lower()
        if name in NAMES:
            answers = NAMES[name]
            self.asked[name] += 1
            return answers[(self.asked[name] - 1) % len(answers)]
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(entry[4][0]) for entry in found]


class Dial:
    """Connects the stranger's public address to their server on loopback; keeps a list of all other addresses that it is asked for."""

    def __init__(self, origin: Origin, ports: Collection[int]) -> None:
        self._port = port_of(origin)
        self._ports = ports
        self.others: list[tuple[str, int]] = []

    async def __call__(self, address: str, port: int) -> SocketStream:
        if address != PUBLIC_ADDRESS or port not in self._ports:
            self.others.append((address, port))
            if address not in {"127.0.0.1", "::1"}:
                raise httpx.ConnectError("Only loopback is contacted by a test.")
        return await dial("127.0.0.1", self._port if address == PUBLIC_ADDRESS else port)


@pytest.fixture
def canary(serve: Serve) -> Origin:
    """A server on loopback that nobody may reach."""
    return serve({"/x": b"#EXTM3U\n"})


@pytest.fixture
def stranger(media: Callable[[str], Path], serve: Serve) -> Origin:
    folder = media("ts-muxed")
    return serve({"/segment.ts": (folder / "segment-1.ts").read_bytes(), "/video.m3u8": PLAYLISTS["segment"]("/segment.ts")})


def outcomes(targets: list[str], stranger: Origin, canary: Origin) -> list[Answered]:
    """Ask for each address as a caller of the function; no connection but those to the stranger's own server may be made."""
    dial = Dial(stranger, {80, port_of(canary)})
    answers = ask_all([f"/download?{urlencode({'url': url})}" for url in targets], network=Network(Resolver(), dial), settings=SETTINGS)
    assert dial.others == []
    assert canary.connections == 0
    return answers


def test_there_are_many_tricks() -> None:
    assert len(tricks(8000)) >= 120


def test_addresses_of_a_caller_lead_nowhere(stranger: Origin, canary: Origin) -> None:
    addresses = tricks(port_of(canary))
    answers = outcomes(addresses, stranger, canary)
    assert {answer.problem[1] for answer in answers} <= {"bad-request", "forbidden-source", "unsupported-source", "upstream-failed"}


def test_redirects_lead_nowhere(stranger: Origin, canary: Origin) -> None:
    addresses = [each for each in tricks(port_of(canary)) if each.isascii()]  # a header has no other letters
    for number, address in enumerate(addresses):
        stranger.rules[f"/{number}.m3u8"] = Rule(redirect=address)
    answers = outcomes([f"http://{PUBLIC}/{number}.m3u8" for number in range(len(addresses))], stranger, canary)
    assert {answer.problem[1] for answer in answers} <= {"forbidden-source", "unsupported-source", "upstream-failed"}
    assert len(stranger.requests) >= len(addresses)


@pytest.mark.parametrize("way", list(PLAYLISTS))
def test_playlists_lead_nowhere(way: str, stranger: Origin, canary: Origin) -> None:
    addresses = tricks(port_of(canary))
    for number, address in enumerate(addresses):
        stranger.rules[f"/{number}.m3u8"] = Rule(body=PLAYLISTS[way](address))
    answers = outcomes([f"http://{PUBLIC}/{number}.m3u8" for number in range(len(addresses))], stranger, canary)
    assert {answer.problem[1] for answer in answers} <= {"forbidden-source", "unsupported-source", "upstream-failed"}
    assert len(stranger.requests) >= len(addresses)


def test_the_canary_would_sing(stranger: Origin, canary: Origin) -> None:
    """The same addresses do lead to loopback for an operator who allows it."""
    dial = Dial(stranger, {80, port_of(canary)})
    address = f"/download?{urlencode({'url': canary.url('/x')})}"
    ask_all([address], network=Network(Resolver(), dial), settings=Settings(attempts=1, retry_seconds=0.0, allow_private=True))
    assert canary.connections
    assert dial.others
