"""What the user of the command line says about origins: which headers go to which host, and which host they named themselves."""

import base64
import re
from collections.abc import Iterable, Mapping
from http.cookiejar import Cookie
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit, urlunsplit

from transcoder.core.request.addresses import is_web_port
from transcoder.core.request.host_names import is_within
from transcoder.errors import BadRequestError

_FOR_ALL = frozenset({"referer", "user-agent", "accept", "accept-language", "origin", "dnt", "x-requested-with", "cache-control", "pragma"})
"""Headers that a browser sends to every host, apart from those whose names begin with `Sec-`. Any other may be a secret."""
_OURS = frozenset(
    {"connection", "content-length", "expect", "if-range", "keep-alive", "range", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that say how a request is sent, and which part of a resource is wanted."""
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HOST = r"[\w.-]+"
_INVALID_VALUE = r"[\x00-\x1f\x7f\ud800-\udfff]"


class HostHeaders(NamedTuple):
    """Headers for one host and its subdomains."""

    host: str
    headers: Mapping[str, str]
    tls_only: bool = False
    """They are for https alone."""

    def __repr__(self) -> str:
        """Return what is said without the headers, which may be secrets."""
        return f"HostHeaders({self.host!r})"


class UserOrigins(NamedTuple):
    """What a user says about origins; by default nothing, as for callers of the function, who are strangers."""

    host: str = ""
    """The host of the address that the user named: on it, every port is dialled."""
    for_all: Mapping[str, str] = MappingProxyType({})
    """Headers for every origin."""
    for_hosts: tuple[HostHeaders, ...] = ()
    cookies: tuple[Cookie, ...] = ()
    """Cookies that the user has; each goes to its own host only."""

    def __repr__(self) -> str:
        """Return what is said without the cookies."""
        return f"UserOrigins({self.host!r}, {dict(self.for_all)!r}, {self.for_hosts!r})"

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str], for_hosts: Iterable[HostHeaders] = (), cookies: tuple[Cookie, ...] = ()) -> Self:
        """Return what a user says who names the source `url`: `headers` that may be secret go to its host and its subdomains alone.

        Raises:
            BadRequestError: a header is invalid, or one that may be secret has no host to go to, because the source is a local file.
        """
        for_all = {name: value for name, value in headers.items() if name.lower() in _FOR_ALL or name.lower().startswith("sec-")}
        others = {name: value for name, value in headers.items() if name not in for_all}
        parts = urlsplit(url)
        host = _normalized(parts.hostname or "") if parts.scheme in {"http", "https"} else ""
        if others and not host:
            name = next(iter(others))
            raise BadRequestError(f"--header {name}: it goes to the host of the source, which has none; use --header-for HOST '{name}: …'.")
        own = [HostHeaders(host, others, tls_only=parts.scheme == "https")] if others else []
        given = [HostHeaders(_host(each.host), each.headers) for each in for_hosts]
        for group in (headers, *(each.headers for each in given)):
            _check(group)
        return cls(host, for_all, (*own, *given), cookies)

    def headers_for(self, scheme: str, host: str) -> dict[str, str]:
        """Return the headers for a request to a host."""
        found = dict(self.for_all)
        for each in self.for_hosts:
            if is_within(_normalized(host), {each.host}) and (scheme == "https" or not each.tls_only):
                found |= each.headers
        return found

    def allows_port(self, scheme: str, host: str, port: int | None) -> bool:
        """Return whether a port is dialled: one where a web server may be expected, or any on the host that the user named."""
        return is_web_port(scheme, port) or (bool(self.host) and _normalized(host) == self.host)


def _host(text: str) -> str:
    if not re.fullmatch(_HOST, text) and not _is_ipv6(text):
        raise BadRequestError(f"--header-for {text!r}: write the name of a host alone, such as cdn.example.com.")
    return _normalized(text)


def _is_ipv6(text: str) -> bool:
    """Return whether it is an address of IPv6, with or without its brackets, and not an IPv4 address with a port."""
    try:
        IPv6Address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


NOBODY = UserOrigins()


def split_credentials(url: str) -> tuple[str, dict[str, str]]:
    """Return an address without its user name and password, and the Authorization header that they make (RFC 7617); {} without any."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, {}  # it is no address
    credentials, at, netloc = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    token = base64.b64encode(unquote(credentials if ":" in credentials else f"{credentials}:").encode()).decode()
    return urlunsplit(parts._replace(netloc=netloc)), {"Authorization": f"Basic {token}"} if credentials else {}


def _normalized(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _check(headers: Mapping[str, str]) -> None:
    """Raise BadRequestError for a header that is none (RFC 9110, 5.5), or that a user cannot set."""
    for name, value in headers.items():
        if name.lower() in _OURS:
            raise BadRequestError(f"--header {name}: it is set for each request as it is needed, so it cannot be given.")
        if not re.fullmatch(_NAME, name) or re.search(_INVALID_VALUE, value):
            raise BadRequestError(f"--header {name!r}: it is not a valid header, or its value contains control characters.")
