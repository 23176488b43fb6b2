"""How the commands call the function: by its URL, or through the SDK, with any header of a request."""

import argparse
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from transcoder import __version__
from transcoder.core.request.job import checked_url
from transcoder.edge.invoke import FunctionUrl, LambdaFunction, Receiver
from transcoder.emulator.function_url_event import HttpRequest, make_event, new_trace_id

LINK_SECONDS = 12 * 3600
"""How long the signed link of a request is valid: as long as fetching a large file by ranges may take."""
DEFAULT_CONNECTIONS = 4
Call = Callable[[Receiver, Mapping[str, str]], Awaitable[None]]
"""Calls the function with headers, passes its response to the receiver, and returns only if the transport reports success."""


def add_connections_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how many ranges are fetched at once."""
    parser.add_argument(
        "--connections",
        metavar="N",
        type=int,
        default=DEFAULT_CONNECTIONS,
        help="how many ranges of a plain MP4 to fetch at once (default: %(default)s)",
    )


def add_progress_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that asks the function how far it is."""
    parser.add_argument(
        "--progress",
        action="store_true",
        help="make a plain MP4, and show how far the function is while it makes it: a bar on a terminal, or else lines",
    )


def call_by_url(address: str, query: str, *, sign: bool = False, region: str | None = None) -> Call:
    """Return the call of the function at `address` with that query.

    Raises:
        BadRequestError: the address is none.
    """
    base = checked_url(address, credentials=True).partition("?")[0].rstrip("/")
    url = FunctionUrl(f"{base.removesuffix('/download')}/download?{query}", sign=sign, region=region)
    return lambda receiver, headers: url.invoke(into=receiver, headers=headers)


def call_by_name(function: LambdaFunction, query: str) -> Call:
    """Return the call of a function through the SDK."""
    return lambda receiver, headers: function.invoke(_event(query, headers), into=receiver)


def _event(query: str, more_headers: Mapping[str, str]) -> bytes:
    """Return the event that a Function URL would make of the request; through the SDK the caller has to make it."""
    headers = (("host", "localhost"), ("user-agent", f"transcoder/{__version__}"), *more_headers.items())
    request = HttpRequest("GET", f"/download?{query}", headers, b"", "127.0.0.1")
    return make_event(request, request_id=str(uuid.uuid4()), trace_id=new_trace_id(), now=datetime.now(UTC))
