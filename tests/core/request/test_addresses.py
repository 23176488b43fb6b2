"""Which addresses and ports are dialled, entry by entry of the registries."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest

from transcoder.core.request.addresses import (
    FORBIDDEN_NETWORKS,
    PRIVATE_NETWORKS,
    SERVICE_PORTS,
    AddressClass,
    classify,
    is_web_port,
)

IANA_IPV4 = (
    *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32", "192.0.2.0/24"),
    *("192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32"),
)
IANA_IPV6 = (
    *("::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32"),
    *("2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28"),
    *("2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7"),
    "fe80::/10",
)
"""All entries of the two registries of special-purpose addresses."""
WITH_IPV4_INSIDE = ("::ffff:0:0/96", "64:ff9b::/96")
"""They stand for IPv4 addresses, whose class decides."""
OTHERS = ("224.0.0.0/4", "ff00::/8", "fec0::/10", "::/96", "::ffff:0:0:0/96", "4000::/3", "6000::/3", "8000::/1", "1000::/4", "200::/7")
"""Multicast, what was abolished, and what is not unicast."""
SPECIAL = [entry for entry in (*IANA_IPV4, *IANA_IPV6, *OTHERS) if entry not in WITH_IPV4_INSIDE]


@pytest.mark.parametrize("entry", SPECIAL)
def test_no_address_of_a_special_network_is_public(entry: str) -> None:
    network = ip_network(entry)
    middle = network.network_address + network.num_addresses // 2
    for address in (network[0], middle, network[-1]):
        assert classify(address) is not AddressClass.PUBLIC


@pytest.mark.parametrize("entry", [*PRIVATE_NETWORKS, *FORBIDDEN_NETWORKS], ids=lambda entry: str(entry[0]))
def test_the_class_of_a_network_ends_where_it_does(entry: tuple[str, str]) -> None:
    network, expected = ip_network(entry[0]), AddressClass.PRIVATE if entry in PRIVATE_NETWORKS else AddressClass.FORBIDDEN
    assert entry[1], "the table says why"
    assert classify(network[0]) is expected
    assert classify(network[-1]) is expected
    if isinstance(network, IPv4Network):
        outside = [int(network[0]) - 1, int(network[-1]) + 1]
        known = [ip_network(text) for text, _ in (*PRIVATE_NETWORKS, *FORBIDDEN_NETWORKS)]
        for address in (ip_address(number) for number in outside if 0 <= number < 2**32):
            if not any(address in other for other in known):
                assert classify(address) is AddressClass.PUBLIC


EMBEDDED = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "192.0.0.192")
FORMS = (
    pytest.param("64:ff9b::{}", id="NAT64"),
    pytest.param("64:ff9b:1::{}", id="local NAT64"),
    pytest.param("::{}", id="IPv4-compatible"),
    pytest.param("::ffff:0:{}", id="IPv4-translated"),
    pytest.param("2606:4700::5efe:{}", id="ISATAP"),
    pytest.param("2606:4700::200:5efe:{}", id="ISATAP with a unique identifier"),
    pytest.param("fe80::5efe:{}", id="ISATAP on a link"),
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("embedded", EMBEDDED)
def test_an_address_inside_an_address_does_not_hide(form: str, embedded: str) -> None:
    if (form, embedded) != ("::{}", "0.0.0.0"):
        assert classify(ip_address(form.format(embedded))) is AddressClass.FORBIDDEN


@pytest.mark.parametrize("embedded", EMBEDDED)
def test_an_ipv4_mapped_address_has_the_class_of_its_ipv4_address(embedded: str) -> None:
    assert classify(ip_address(f"::ffff:{embedded}")) is classify(ip_address(embedded)) is not AddressClass.PUBLIC


@pytest.mark.parametrize("embedded", EMBEDDED)
def test_tunnels_are_forbidden_whatever_is_inside(embedded: str) -> None:
    number = int(ip_address(embedded))
    inverted = number ^ 0xFFFF_FFFF
    to4 = IPv6Network((0x2002 << 112 | number << 80, 48))
    teredo = ip_address(0x2001_0000 << 96 | 0x0102_0304 << 64 | inverted)
    assert {classify(to4[0]), classify(to4[-1]), classify(teredo)} == {AddressClass.FORBIDDEN}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("93.184.216.34", AddressClass.PUBLIC, id="a public address"),
        pytest.param("2606:2800:220:1::1", AddressClass.PUBLIC, id="a public IPv6 address"),
        pytest.param("2a00:1450:4001:800::5e", AddressClass.PUBLIC, id="another public IPv6 address"),
        pytest.param("64:ff9b::5db8:d822", AddressClass.PUBLIC, id="NAT64 to a public address"),
        pytest.param("::ffff:93.184.216.34", AddressClass.PUBLIC, id="IPv4-mapped public address"),
        pytest.param("127.0.0.1", AddressClass.PRIVATE, id="loopback"),
        pytest.param("127.9.9.9", AddressClass.PRIVATE, id="all of loopback"),
        pytest.param("::1", AddressClass.PRIVATE, id="IPv6 loopback"),
        pytest.param("::ffff:127.0.0.1", AddressClass.PRIVATE, id="IPv4-mapped loopback"),
        pytest.param("172.31.255.255", AddressClass.PRIVATE, id="172.16/12"),
        pytest.param("172.32.0.0", AddressClass.PUBLIC, id="just after 172.16/12"),
        pytest.param("fd12::1", AddressClass.PRIVATE, id="unique local"),
        pytest.param("169.254.169.254", AddressClass.FORBIDDEN, id="the metadata service"),
        pytest.param("169.254.170.2", AddressClass.FORBIDDEN, id="the container credentials"),
        pytest.param("fd00:ec2::254", AddressClass.FORBIDDEN, id="the metadata service over IPv6"),
        pytest.param("fd00:ec2::23", AddressClass.FORBIDDEN, id="the container credentials over IPv6"),
        pytest.param("fd20:ce::254", AddressClass.FORBIDDEN, id="Google's metadata service over IPv6"),
        pytest.param("100.100.100.200", AddressClass.FORBIDDEN, id="Alibaba's metadata service"),
        pytest.param("192.0.0.192", AddressClass.FORBIDDEN, id="Oracle's metadata service"),
        pytest.param("168.63.129.16", AddressClass.FORBIDDEN, id="Azure's host"),
        pytest.param("::ffff:169.254.169.254", AddressClass.FORBIDDEN, id="IPv4-mapped metadata service"),
        pytest.param("fe80::1%lo", AddressClass.FORBIDDEN, id="link-local with a scope"),
    ],
)
def test_classifies_an_address(address: str, expected: AddressClass) -> None:
    assert classify(ip_address(address)) is expected


SERVICES = (
    1080, 1099, 1433, 1434, 1521, 1719, 1720, 1723, 1883, 2049, 2181, 2375, 2376, 2377, 2379, 2380, 2483, 2484, 3128, 3260, 3268, 3269,
    3306, 3389, 3659, 4045, 4190, 4369, 5060, 5061, 5222, 5269, 5432, 5433, 5555, 5601, 5671, 5672, 5900, 5901, 5938, 5984, 5985, 5986,
    6000, 6001, 6379, 6380, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 7001, 7199, 7473, 7474, 7687, 8125, 8300, 8301, 8302,
    8500, 8529, 8600, 9042, 9092, 9160, 9200, 9300, 9418, 10080, 10249, 10250, 10255, 10256, 11211, 15672, 16379, 25672, 26379, 27017,
    27018, 27019, 28017,
)  # fmt: skip
"""Ports above 1023 of databases, queues, caches, mail, chat, remote control and the like, as IANA or their makers have chosen them."""


@pytest.mark.parametrize(
    ("scheme", "port", "expected"),
    [
        *[("http", None, True), ("https", None, True), ("http", 80, True), ("http", 443, True), ("https", 80, True)],
        *[("http", port, True) for port in (1024, 1935, 8000, 8080, 8443, 9000, 49152, 65535)],
        *[("http", port, False) for port in (0, 1, 21, 22, 25, 53, 81, 110, 445, 631, 1023)],
        *[("https", port, False) for port in SERVICES],
    ],
)
def test_only_ports_of_web_servers_are_dialled(scheme: str, port: int | None, expected: bool) -> None:  # noqa: FBT001  # a column
    assert is_web_port(scheme, port) is expected


def test_no_other_port_is_that_of_a_service() -> None:
    assert sorted(SERVICE_PORTS) == list(SERVICES)


def test_no_service_port_is_one_that_a_system_hands_out() -> None:
    assert max(SERVICE_PORTS) < 32768
