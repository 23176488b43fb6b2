"""How the commands call the function: by its URL, or through the SDK, with any header of a request."""

import argparse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urljoin

from transcoder import __version__
from transcoder.cli.arguments import service_address
from transcoder.core.request.job import checked_web_address
from transcoder.edge.invoke import FunctionUrl, LambdaFunction, Receiver
from transcoder.emulator.function_url_event import HttpRequest, make_event, new_trace_id
from transcoder.errors import BadRequestError, InvocationError

LINK_SECONDS = 12 * 3600
"""How long the signed link of a request is valid: as long as fetching a large file by ranges may take."""
DEFAULT_CONNECTIONS = 4
DOWNLOAD, EVENTS = "/download", "/events"
"""Paths of the function."""


class Call(Protocol):
    """A call of the function."""

    async def __call__(self, receiver: Receiver, headers: Mapping[str, str], /) -> None:
        """Call it with headers, pass its response to the receiver, and return only if the transport reports success."""

    def at(self, address: str, /) -> "Call":
        """Return the call of an address that a response names.

        Raises:
            InvocationError: it cannot be called.
        """


def add_connections_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how many ranges are fetched at once."""
    parser.add_argument(
        "--connections",
        metavar="N",
        type=int,
        help=f"how many ranges of a plain MP4 to fetch at once from the function (default: {DEFAULT_CONNECTIONS})",
    )


@dataclass(frozen=True, slots=True)
class UrlCall:
    """The call of one URL."""

    url: FunctionUrl

    async def __call__(self, receiver: Receiver, headers: Mapping[str, str]) -> None:
        """Call it."""
        await self.url.invoke(into=receiver, headers=headers)

    def at(self, address: str) -> Call:
        """Return the call of `address`, which may be relative to this one. It is not signed: such an address is not the function's."""
        return _call_of(urljoin(self.url.url, address))


@dataclass(frozen=True, slots=True)
class NameCall:
    """The call of a function through the SDK."""

    function: LambdaFunction
    target: str
    """Path and query of the request."""

    async def __call__(self, receiver: Receiver, headers: Mapping[str, str]) -> None:
        """Call it."""
        await self.function.invoke(_event(self.target, headers), into=receiver)

    def at(self, address: str) -> Call:
        """Return the call of `address`; a relative one is relative to an address of the function that is not known here."""
        return _call_of(address)


def call_by_url(option: str, address: str, query: str, *, path: str = DOWNLOAD, sign: bool = False, region: str | None = None) -> Call:
    """Return the call of the function at `address`, which an option named, with that path and query.

    Raises:
        BadRequestError: the address is none.
    """
    base = checked_web_address(option, service_address(address), credentials=True).partition("?")[0].rstrip("/")
    return UrlCall(FunctionUrl(f"{base.removesuffix(DOWNLOAD)}{path}?{query}", sign=sign, region=region))


def call_by_name(function: LambdaFunction, query: str, *, path: str = DOWNLOAD) -> Call:
    """Return the call of a function through the SDK."""
    return NameCall(function, f"{path}?{query}")


def _call_of(address: str) -> Call:
    try:
        return UrlCall(FunctionUrl(checked_web_address("Location", address)))
    except BadRequestError as error:
        raise InvocationError(f"The function leads to an address that cannot be fetched: {error}") from error


def _event(target: str, more_headers: Mapping[str, str]) -> bytes:
    """Return the event that a Function URL would make of the request; through the SDK the caller has to make it."""
    headers = (("host", "localhost"), ("user-agent", f"transcoder/{__version__}"), *more_headers.items())
    request = HttpRequest("GET", target, headers, b"", "127.0.0.1")
    return make_event(request, request_id=str(uuid.uuid4()), trace_id=new_trace_id(), now=datetime.now(UTC))
