"""Options of the commands that fetch from origins themselves: what is sent to origins, and through which proxy."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TypedDict

from transcoder.errors import BadRequestError, ContradictionError


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
    parser.add_argument("--referer", metavar="URL", action=_OneHeader, const="Referer", help="send this Referer to origins")
    parser.add_argument("--user-agent", metavar="TEXT", action=_OneHeader, const="User-Agent", help="send this User-Agent to origins")
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


class _OneHeader(argparse.Action):
    """Adds the header named `const` to those of `--header`, so that of equal ones the last counts."""

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: object, _option: str | None = None) -> None:
        setattr(namespace, self.dest, values)
        namespace.header = [*namespace.header, f"{self.const}: {values}"]


_NAMES = ("referer", "user_agent", "header", "header_for", "cookies", "ca_file", "proxy")


def refuse_origin_options(arguments: argparse.Namespace, reason: str, instead: str) -> None:
    """Refuse these options where nothing is fetched from origins, because of the option `instead`, for a reason that begins a sentence.

    Raises:
        ContradictionError: one was given.

    """
    if given := [name for name in _NAMES if getattr(arguments, name) not in (None, [])]:
        raise ContradictionError(f"{reason}, without --{given[0].replace('_', '-')}.", instead, *given)


class OriginWords(TypedDict):
    """The part of `transcoder.api.Choices` that is about origins."""

    headers: Mapping[str, str]
    headers_for: Mapping[str, Mapping[str, str]]
    cookies: str | None
    ca_file: str | None
    proxy: str | None


def origin_choices(arguments: argparse.Namespace) -> OriginWords:
    """Return what the command line says about origins.

    Raises:
        BadRequestError: a header is invalid.

    """
    headers = _parse_headers("--header", arguments.header)
    headers_for: dict[str, dict[str, str]] = {}
    for host, line in arguments.header_for:
        headers_for.setdefault(host, {}).update(_parse_headers("--header-for", [line]))
    return OriginWords(
        headers=headers, headers_for=headers_for, cookies=arguments.cookies, ca_file=arguments.ca_file, proxy=arguments.proxy
    )


def _parse_headers(option: str, lines: Sequence[str]) -> dict[str, str]:
    """Return the headers given on the command line with an option; of those with the same name, the last.

    Raises:
        BadRequestError: one is not of the form `NAME: VALUE`.

    """
    headers: dict[str, tuple[str, str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise BadRequestError(f"{option}: a header must have the form 'NAME: VALUE', and {line!r} has not.")
        headers[name.strip().lower()] = (name.strip(), value.strip())
    return dict(headers.values())
