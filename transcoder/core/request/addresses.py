"""Which addresses and ports are dialled: a table of our own, because the answers of `ipaddress` differ between versions of Python.

Sources: the IANA registries "IPv4 Special-Purpose Address Space" and "IPv6 Special-Purpose Address Space" (RFC 6890, as of 2025),
"IPv4 Multicast Address Space", and "IPv6 Address Space", of which only 2000::/3 is global unicast.
"""

from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


class AddressClass(Enum):
    """Whether connections to an address are allowed."""

    PUBLIC = "public"
    PRIVATE = "private"
    """Loopback, private networks, carrier-grade NAT: allowed only if the user named such an address directly."""
    FORBIDDEN = "forbidden"
    """Link-local with the clouds' metadata services, multicast, reserved, unspecified, and tunnels that could hide any of these."""


PRIVATE_NETWORKS: tuple[tuple[str, str], ...] = (
    ("10.0.0.0/8", "private use"),
    ("100.64.0.0/10", "shared address space: carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("172.16.0.0/12", "private use"),
    ("192.168.0.0/16", "private use"),
    ("::1/128", "loopback"),
    ("fc00::/7", "unique local"),
)
FORBIDDEN_NETWORKS: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this network"),
    ("100.100.100.200/32", "the metadata service of Alibaba Cloud"),
    ("168.63.129.16/32", "the host of a machine in Azure"),
    ("169.254.0.0/16", "link-local, with most metadata services"),
    ("192.0.0.0/24", "IETF protocol assignments, with the metadata service of Oracle Cloud"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "AS112"),
    ("192.52.193.0/24", "AMT: a relay for multicast"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.175.48.0/24", "AS112"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved, with the broadcast address"),
    ("2001::/23", "IETF protocol assignments: Teredo, benchmarking, AMT, AS112, ORCHID, drone tags, anycast of PCP and TURN"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4, which hides an IPv4 address"),
    ("2620:4f:8000::/48", "AS112"),
    ("3fff::/20", "documentation"),
    ("fd00:ec2::/32", "services of AWS for its machines, with the metadata service"),
    ("fd20:ce::254/128", "the metadata service of Google Cloud"),
)
"""Whatever is not in 2000::/3 is forbidden too, unless it is private: the table need not list fe80::/10, 100::/64 or 5f00::/16."""

_Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address


def _networks(table: tuple[tuple[str, str], ...]) -> tuple[_Network, ...]:
    return tuple(IPv6Network(text) if ":" in text else IPv4Network(text) for text, _ in table)


_PRIVATE = _networks(PRIVATE_NETWORKS)
_FORBIDDEN = _networks(FORBIDDEN_NETWORKS)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_IPV4_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""The first half of an interface identifier whose second half is an IPv4 address (RFC 5214, 6.1)."""
_LOW_32 = 0xFFFF_FFFF


def classify(address: _Address) -> AddressClass:
    """Return the class of an address by the tables, not by what answers there; an IPv4 address inside an IPv6 address counts too."""
    if isinstance(address, IPv6Address):
        # RFC 4291, 2.5.5.2: the system connects to the IPv4 address itself. RFC 6052: a gateway does.
        if address in _IPV4_MAPPED:
            return classify(_embedded(address))
        if address in _NAT64:
            return AddressClass.PUBLIC if classify(_embedded(address)) is AddressClass.PUBLIC else AddressClass.FORBIDDEN
    if any(address in network for network in _FORBIDDEN) or _is_isatap(address):
        return AddressClass.FORBIDDEN
    if any(address in network for network in _PRIVATE):
        return AddressClass.PRIVATE
    is_unicast = isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST
    return AddressClass.PUBLIC if is_unicast else AddressClass.FORBIDDEN


def _embedded(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & _LOW_32)


def _is_isatap(address: _Address) -> bool:
    """Return whether a router of a site would unpack what is sent to an address, and send it on to an IPv4 address in it."""
    return isinstance(address, IPv6Address) and (int(address) >> 32) & _LOW_32 in _ISATAP


WEB_PORTS = frozenset({80, 443})
FIRST_UNPRIVILEGED_PORT = 1024
SERVICE_PORTS = frozenset(
    {
        *(1080, 1099, 1433, 1434, 1521, 1719, 1720, 1723, 1883, 2049, 2181, 2375, 2376, 2377, 2379, 2380, 2483, 2484),
        *(3128, 3260, 3268, 3269, 3306, 3389, 3659, 4045, 4190, 4369, 5060, 5061, 5222, 5269, 5432, 5433, 5555, 5601),
        *(5671, 5672, 5900, 5901, 5938, 5984, 5985, 5986, 6000, 6001, 6379, 6380, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697),
        *(7001, 7199, 7473, 7474, 7687, 8125, 8300, 8301, 8302, 8500, 8529, 8600, 9042, 9092, 9160, 9200, 9300, 9418),
        *(10080, 10249, 10250, 10255, 10256, 11211, 15672, 16379, 25672, 26379, 27017, 27018, 27019, 28017),
    }
)
"""Ports of services that are no web servers, and that a request for a segment must not reach: databases, queues, caches, mail, chat,
containers and their control, remote desktops. Those of fetch.spec.whatwg.org, "bad port", are among them. None is above 32767, where
systems pick ports for whoever asks for any."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_web_port(scheme: str, port: int | None) -> bool:
    """Return whether a web server may be expected at a port; None is the default of `scheme`."""
    number = _DEFAULT_PORTS.get(scheme, 0) if port is None else port
    return number in WEB_PORTS or (number >= FIRST_UNPRIVILEGED_PORT and number not in SERVICE_PORTS)
