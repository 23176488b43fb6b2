"""Options of the commands that fetch from origins themselves: what is sent to origins, and through which proxy."""

import argparse
import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Self

from transcoder.cli.arguments import web_address
from transcoder.core.request.proxies import Proxies, read_proxies
from transcoder.core.request.user_origins import HostHeaders, UserOrigins, split_credentials
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.edge.fetch import Fetcher
from transcoder.errors import BadRequestError
from transcoder.settings import Settings


def add_origin_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for requests to origins."""
    parser.add_argument(
        "--header",
        metavar="'NAME: VALUE'",
        action="append",
        default=[],
        help="send this header to the host of URL and its subdomains, or to all origins if a browser would (Referer, User-Agent, Origin, "
        "Accept …); may be repeated",
    )
    parser.add_argument(
        "--header-for",
        metavar=("HOST", "'NAME: VALUE'"),
        nargs=2,
        action="append",
        default=[],
        help="send this header to HOST and its subdomains; may be repeated",
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

    user: UserOrigins
    proxies: Proxies
    network: Network = INTERNET

    @classmethod
    def of(cls, arguments: argparse.Namespace, url: str, network: Network = INTERNET) -> Self:
        """Return what the command line and the environment say about the origins of the source at `url`.

        Raises:
            BadRequestError: a header or the address of a proxy is invalid.

        """
        headers = split_credentials(web_address(arguments.url))[1] | _parse_headers(arguments.header)
        shortcuts = {"Referer": arguments.referer, "User-Agent": arguments.user_agent}
        headers |= {name: value for name, value in shortcuts.items() if value is not None}
        for_hosts = [HostHeaders(host, _parse_headers([line])) for host, line in arguments.header_for]
        return cls(UserOrigins.of(url, headers, for_hosts), read_proxies(arguments.proxy, os.environ), network)

    def fetcher(self, settings: Settings) -> AbstractAsyncContextManager[Fetcher]:
        """Open a fetcher that also reads local files, and that may go to private addresses: the user may name a server of their own."""
        settings = replace(settings, allow_private=True)
        return Fetcher.open(settings, user=self.user, local_files=True, network=replace(self.network, proxies=self.proxies))


def _parse_headers(lines: Sequence[str]) -> dict[str, str]:
    """Return the headers given on the command line.

    Raises:
        BadRequestError: one is not of the form `NAME: VALUE`.

    """
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise BadRequestError(f"A header must have the form 'NAME: VALUE', and {line!r} has not.")
        headers[name.strip()] = value.strip()
    return headers
