"""Options of the commands that fetch from origins themselves: what is sent to origins, and through which proxy."""

import argparse
import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Self

from transcoder.core.request.proxies import Proxies, read_proxies
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.edge.fetch import Fetcher
from transcoder.errors import BadRequestError
from transcoder.settings import Settings


def add_origin_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for requests to origins."""
    parser.add_argument(
        "--header", metavar="'NAME: VALUE'", action="append", default=[], help="send this header to origins; may be repeated"
    )
    parser.add_argument("--referer", metavar="URL", help="send this Referer to origins")
    parser.add_argument("--user-agent", metavar="TEXT", help="send this User-Agent to origins")
    parser.add_argument(
        "--proxy",
        metavar="URL",
        help="fetch through this HTTP proxy; '' uses none (default: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY of the environment). "
        "Through a proxy, the protection against playlists that lead into a private network is weaker: only names are checked, "
        "not the addresses that they stand for",
    )


@dataclass(frozen=True, slots=True)
class OriginOptions:
    """The user's choice of how to fetch from origins."""

    headers: Mapping[str, str]
    proxies: Proxies
    network: Network = INTERNET

    @classmethod
    def of(cls, arguments: argparse.Namespace, network: Network = INTERNET) -> Self:
        """Return what the command line and the environment say.

        Raises:
            BadRequestError: a header or the address of a proxy is invalid.

        """
        return cls(_request_headers(arguments), read_proxies(arguments.proxy, os.environ), network)

    def fetcher(self, settings: Settings) -> AbstractAsyncContextManager[Fetcher]:
        """Open a fetcher that also reads local files, and that may go to private addresses: the user may name a server of their own."""
        settings = replace(settings, allow_private=True)
        return Fetcher.open(settings, headers=self.headers, local_files=True, network=replace(self.network, proxies=self.proxies))


def _request_headers(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the headers given on the command line.

    Raises:
        BadRequestError: one is not of the form `NAME: VALUE`.

    """
    headers = {}
    for line in arguments.header:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise BadRequestError(f"--header {line!r} is not of the form 'NAME: VALUE'.")
        headers[name.strip()] = value.strip()
    shortcuts = {"Referer": arguments.referer, "User-Agent": arguments.user_agent}
    return headers | {name: value for name, value in shortcuts.items() if value is not None}
