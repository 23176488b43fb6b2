"""Options of the commands that fetch from origins themselves: what is sent to origins, and through which proxy."""

import argparse
import os
import ssl
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Self

from transcoder.cli.arguments import web_address
from transcoder.cli.cookie_file import read_cookies
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
    _add_files_and_proxy(parser)


def _add_files_and_proxy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cookies",
        metavar="FILE",
        help="send the cookies in FILE (in Netscape's format), each to its own host",
    )
    parser.add_argument(
        "--ca-file",
        metavar="FILE",
        help="trust the certificates in FILE (PEM), not the usual ones (default: SSL_CERT_FILE)",
    )
    parser.add_argument(
        "--proxy",
        metavar="URL",
        help="fetch through this HTTP proxy; '' uses none (default: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY of the environment). "
        "Through a proxy, the protection against playlists that lead into a private network is weaker: only names are checked, "
        "not the addresses that they stand for",
    )


_NAMES = ("header", "header_for", "referer", "user_agent", "cookies", "ca_file", "proxy")


def refuse_origin_options(arguments: argparse.Namespace, reason: str) -> None:
    """Refuse these options where nothing is fetched from origins, for a reason that begins a sentence.

    Raises:
        BadRequestError: one was given.

    """
    given = next((name for name in _NAMES if getattr(arguments, name) not in (None, [])), None)
    if given:
        raise BadRequestError(f"{reason}, without --{given.replace('_', '-')}.")


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
            BadRequestError: a header, the address of a proxy or a file is invalid.

        """
        headers = split_credentials(web_address(arguments.url))[1] | _parse_headers(arguments.header)
        shortcuts = {"Referer": arguments.referer, "User-Agent": arguments.user_agent}
        headers |= {name: value for name, value in shortcuts.items() if value is not None}
        for_hosts = [HostHeaders(host, _parse_headers([line])) for host, line in arguments.header_for]
        cookies = read_cookies(arguments.cookies) if arguments.cookies is not None else ()
        # A caller's own network trusts what it trusts, whatever the environment says.
        if ca_file := arguments.ca_file or (os.environ.get("SSL_CERT_FILE") if network is INTERNET else None):
            context = _tls("--ca-file" if arguments.ca_file else "SSL_CERT_FILE", ca_file)
            network = replace(network, tls=lambda: context)
        return cls(UserOrigins.of(url, headers, for_hosts, cookies), read_proxies(arguments.proxy, os.environ), network)

    def fetcher(self, settings: Settings) -> AbstractAsyncContextManager[Fetcher]:
        """Open a fetcher that also reads local files, and that may go to private addresses: the user may name a server of their own."""
        settings = replace(settings, allow_private=True)
        return Fetcher.open(settings, user=self.user, local_files=True, network=replace(self.network, proxies=self.proxies))


def _tls(name: str, path: str) -> ssl.SSLContext:
    """Return a TLS context that trusts the certificates in a file alone; `name` is the option that named it."""
    try:
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise BadRequestError(f"{name} {path}: it has no certificates in PEM.") from error
    except OSError as error:
        raise BadRequestError(f"{name} {path}: {error.strerror}.") from error


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
