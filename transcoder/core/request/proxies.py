"""Which proxy a request goes through, by an option of the command line and the usual variables of the environment.

Sources: curl(1), `--proxy`, `--noproxy` and ENVIRONMENT. A lower-case variable goes before the same one in upper case.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from transcoder.core.request.host_names import is_within
from transcoder.errors import BadRequestError

_IN_NO_ADDRESS = r"[\x00-\x20\x7f\ud800-\udfff]"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Proxy(NamedTuple):
    """An HTTP proxy."""

    scheme: str
    """`http`, or `https` if the connection to the proxy itself uses TLS."""
    host: str
    port: int | None
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Return what it is without user name and password."""
        return f"Proxy({self.name!r})"

    @property
    def name(self) -> str:
        """Its address without user name and password, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" if self.port is None else f"{self.scheme}://{host}:{self.port}"


class Proxies(NamedTuple):
    """The proxies for requests to origins, and the origins that are asked directly."""

    http: Proxy | None = None
    """For origins whose URL begins with http."""
    https: Proxy | None = None
    direct: tuple[str, ...] = ()
    """Hosts that are asked directly: a domain with its subdomains, an IP address, a network (`10.0.0.0/8`), any of them with a port, or
    `*` for all."""

    @property
    def all(self) -> frozenset[Proxy]:
        """Return the one or two proxies; none if every host is asked directly."""
        return frozenset(proxy for proxy in (self.http, self.https) if proxy)

    def proxy_for(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        """Return the proxy for an origin; None if it is asked directly. `host` has no brackets; `port` None is the default of `scheme`."""
        proxy = {"http": self.http, "https": self.https}[scheme]
        if proxy is None or any(_covers(entry, host.rstrip(".").lower(), port or _DEFAULT_PORTS[scheme]) for entry in self.direct):
            return None
        return proxy


NO_PROXIES = Proxies()


def read_proxies(option: str | None, environ: Mapping[str, str]) -> Proxies:
    """Return the proxies that the user wants.

    Args:
        option: the address of the proxy for all requests; "" for none, whatever the environment says; None: as the environment says.
        environ: `http_proxy` and `https_proxy`, or `all_proxy` instead of either, and `no_proxy`; in lower or upper case.

    Raises:
        BadRequestError: one that would be used is not the address of an HTTP proxy. The message does not repeat it: it may hold a password.
    """
    if option is not None and not option.strip():
        return NO_PROXIES
    direct = tuple(_variable(environ, "no_proxy")[1].lower().replace(",", " ").split())
    if "*" in direct:
        return NO_PROXIES
    if option is not None:
        proxy = _parse_proxy("--proxy", option)
        return Proxies(proxy, proxy, direct)
    http, https = (_parse_proxy(*_variable(environ, f"{scheme}_proxy", "all_proxy")) for scheme in ("http", "https"))
    return Proxies(http, https, direct)


def _variable(environ: Mapping[str, str], *names: str) -> tuple[str, str]:
    """Return name and value of the first variable that is not empty; two empty texts if there is none."""
    for spelling in (spelling for name in names for spelling in (name, name.upper())):
        if text := environ.get(spelling, "").strip():
            return spelling, text
    return "", ""


def _parse_proxy(source: str, text: str) -> Proxy | None:
    """Parse the address of a proxy, whose scheme is http if it has none; `source` is where the user has written it."""
    if not text:
        return None
    text = text.strip() if "://" in text else f"http://{text.strip()}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _invalid(source) from error
    if parts.scheme.startswith("socks"):
        raise BadRequestError(f"{source}: SOCKS proxies are not supported, only http and https proxies.")
    if parts.scheme not in _DEFAULT_PORTS or not host or _has_more(parts) or re.search(_IN_NO_ADDRESS, text):
        raise _invalid(source)
    return Proxy(parts.scheme, host, port, unquote(parts.username or ""), unquote(parts.password or ""))


def _has_more(parts: SplitResult) -> bool:
    """Return whether there is a path or a query: then a / or ? in the password has been taken for the end of the host."""
    return bool(parts.path.strip("/") or parts.query or parts.fragment)


def _invalid(source: str) -> BadRequestError:
    return BadRequestError(
        f"{source} is not the address of a proxy, such as http://proxy.example:3128 or http://user:password@proxy.example:3128; "
        "special characters in user name and password must be percent-encoded."
    )


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry of `no_proxy` covers a host."""
    if entry == "*":
        return True
    address, network = _parse_address(host), _parse_network(entry)
    if network is None:
        name, colon, number = entry.rpartition(":")
        if colon and number.isdecimal():
            if int(number) != port:
                return False
            entry, network = name, _parse_network(name)
    if address is not None or network is not None:
        return address is not None and network is not None and address in network
    return is_within(host, {entry.removeprefix("*").strip(".")})


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _parse_network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None
