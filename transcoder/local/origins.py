"""How sources are fetched for the user of this machine: what is sent to origins, through which proxy, and what is trusted."""

import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Self

from transcoder.core.request.proxies import read_proxies
from transcoder.core.request.user_origins import NOBODY, HostHeaders, UserOrigins, split_credentials
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.edge.fetch import Fetcher
from transcoder.errors import BadRequestError
from transcoder.local.cookie_file import read_cookies
from transcoder.local.source import web_address
from transcoder.settings import Settings


@dataclass(frozen=True, slots=True)
class OriginChoices:
    """The user's choice, as it was made."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """For the host of the source and its subdomains, or for all origins if a browser would send it to all."""
    headers_for: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For other hosts and their subdomains, by host."""
    cookies: str | None = None
    """The path of a file in Netscape's format."""
    ca_file: str | None = None
    """The path of a file with the certificates that are trusted, in PEM."""
    proxy: str | None = None
    """An address; empty: none; None: what the environment says."""
    allow_private: bool = True
    """Local files and private addresses may be fetched: the user named the source."""
    network: Network = INTERNET


@dataclass(frozen=True, slots=True)
class Origins:
    """How the origins of one source are fetched from."""

    user: UserOrigins = NOBODY
    allow_private: bool = True
    network: Network = INTERNET

    @classmethod
    def of(cls, choices: OriginChoices, source: str, url: str, environ: Mapping[str, str]) -> Self:
        """Return what the user's choices and the environment say about the origins of `source`, as the user wrote it, which is at `url`.

        Raises:
            BadRequestError: a header, the address of a proxy or a file is invalid.

        """
        headers = split_credentials(web_address(source))[1] | dict(choices.headers)
        for_hosts = [HostHeaders(host, more) for host, more in choices.headers_for.items()]
        cookies = read_cookies(choices.cookies) if choices.cookies is not None else ()
        network = choices.network._replace(proxies=read_proxies(choices.proxy, environ))
        # A caller's own network trusts what it trusts, whatever the environment says.
        from_environ = environ.get("SSL_CERT_FILE") or None if choices.network is INTERNET else None
        if (ca_file := from_environ if choices.ca_file is None else choices.ca_file) is not None:
            context = _tls("SSL_CERT_FILE" if choices.ca_file is None else "--ca-file", ca_file)
            network = network._replace(tls=lambda: context)
        return cls(UserOrigins.of(url, headers, for_hosts, cookies), choices.allow_private, network)

    def fetcher(self, settings: Settings) -> AbstractAsyncContextManager[Fetcher]:
        """Open a fetcher, which also reads local files and goes to private addresses if the user may name a server of their own."""
        settings = settings._replace(allow_private=self.allow_private)
        return Fetcher.open(settings, user=self.user, local_files=self.allow_private, network=self.network)


def _tls(name: str, path: str) -> ssl.SSLContext:
    """Return a TLS context that trusts the certificates in a file alone; `name` is the option that named it."""
    if not path:
        raise BadRequestError(f"{name} '': the name of the file is empty.")
    try:
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise BadRequestError(f"{name} {path}: it has no certificates in PEM.") from error
    except OSError as error:
        raise BadRequestError(f"{name} {path}: {error.strerror}.") from error
