"""Which addresses a connection may go to."""

import asyncio
from ipaddress import ip_address

import httpx
import pytest
from peers.origin import origin

from transcoder.edge.address_guard import AddressClass, GuardedTransport, checked_addresses, classify, has_public_peer
from transcoder.errors import ForbiddenSourceError


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("93.184.216.34", AddressClass.PUBLIC, id="a public address"),
        pytest.param("2606:2800:220:1::1", AddressClass.PUBLIC, id="a public IPv6 address"),
        pytest.param("64:ff9b::5db8:d822", AddressClass.PUBLIC, id="NAT64 to a public address"),
        pytest.param("::ffff:93.184.216.34", AddressClass.PUBLIC, id="IPv4-mapped public address"),
        pytest.param("127.0.0.1", AddressClass.PRIVATE, id="loopback"),
        pytest.param("127.9.9.9", AddressClass.PRIVATE, id="all of loopback"),
        pytest.param("::1", AddressClass.PRIVATE, id="IPv6 loopback"),
        pytest.param("::ffff:127.0.0.1", AddressClass.PRIVATE, id="IPv4-mapped loopback"),
        pytest.param("10.1.2.3", AddressClass.PRIVATE, id="10/8"),
        pytest.param("172.31.255.255", AddressClass.PRIVATE, id="172.16/12"),
        pytest.param("172.32.0.0", AddressClass.PUBLIC, id="just after 172.16/12"),
        pytest.param("192.168.1.1", AddressClass.PRIVATE, id="192.168/16"),
        pytest.param("100.64.0.1", AddressClass.PRIVATE, id="carrier-grade NAT"),
        pytest.param("fd12::1", AddressClass.PRIVATE, id="unique local"),
        pytest.param("169.254.169.254", AddressClass.FORBIDDEN, id="the metadata service"),
        pytest.param("169.254.170.2", AddressClass.FORBIDDEN, id="the container credentials"),
        pytest.param("fd00:ec2::254", AddressClass.FORBIDDEN, id="the metadata service over IPv6"),
        pytest.param("100.100.100.200", AddressClass.FORBIDDEN, id="another cloud's metadata service"),
        pytest.param("::ffff:169.254.169.254", AddressClass.FORBIDDEN, id="IPv4-mapped metadata service"),
        pytest.param("64:ff9b::a9fe:a9fe", AddressClass.FORBIDDEN, id="NAT64 to the metadata service"),
        pytest.param("64:ff9b::7f00:1", AddressClass.FORBIDDEN, id="NAT64 to loopback"),
        pytest.param("64:ff9b:1::1", AddressClass.FORBIDDEN, id="local NAT64"),
        pytest.param("2002:7f00:1::", AddressClass.FORBIDDEN, id="6to4"),
        pytest.param("2001:0:1::1", AddressClass.FORBIDDEN, id="Teredo"),
        pytest.param("::7f00:1", AddressClass.FORBIDDEN, id="IPv4-compatible"),
        pytest.param("::", AddressClass.FORBIDDEN, id="unspecified IPv6"),
        pytest.param("0.0.0.0", AddressClass.FORBIDDEN, id="unspecified"),
        pytest.param("0.1.2.3", AddressClass.FORBIDDEN, id="this network"),
        pytest.param("224.0.1.1", AddressClass.FORBIDDEN, id="multicast"),
        pytest.param("ff0e::1", AddressClass.FORBIDDEN, id="IPv6 multicast"),
        pytest.param("240.0.0.1", AddressClass.FORBIDDEN, id="reserved"),
        pytest.param("255.255.255.255", AddressClass.FORBIDDEN, id="broadcast"),
        pytest.param("192.0.2.1", AddressClass.FORBIDDEN, id="documentation"),
        pytest.param("198.18.0.1", AddressClass.FORBIDDEN, id="benchmarking"),
        pytest.param("192.88.99.1", AddressClass.FORBIDDEN, id="6to4 relay"),
        pytest.param("fe80::1", AddressClass.FORBIDDEN, id="link-local"),
        pytest.param("fe80::1%lo", AddressClass.FORBIDDEN, id="link-local with a scope"),
        pytest.param("fec0::1", AddressClass.FORBIDDEN, id="site-local"),
        pytest.param("2001:db8::1", AddressClass.FORBIDDEN, id="IPv6 documentation"),
    ],
)
def test_classifies_an_address(address: str, expected: AddressClass) -> None:
    assert classify(ip_address(address)) is expected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "::1", "::ffff:127.0.0.1", "0.0.0.0"])
def test_every_notation_of_loopback_is_refused(host: str) -> None:
    with pytest.raises(ForbiddenSourceError, match="public internet"):
        asyncio.run(checked_addresses(host, 80, private=False))


def test_loopback_is_allowed_where_private_addresses_are() -> None:
    assert asyncio.run(checked_addresses("127.0.0.1", 80, private=True)) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "fe80::1"])
def test_metadata_services_are_always_refused(host: str) -> None:
    with pytest.raises(ForbiddenSourceError):
        asyncio.run(checked_addresses(host, 80, private=True))


def test_no_connection_is_made_to_a_forbidden_address() -> None:
    async def get(url: str) -> None:
        async with httpx.AsyncClient(transport=GuardedTransport(connections=2)) as client:
            await client.get(url)

    with origin({"/a": b"secret"}) as o:
        with pytest.raises(ForbiddenSourceError):
            asyncio.run(get(o.url("/a")))
        assert o.connections == 0


def test_a_private_connection_is_not_reused_for_a_public_request() -> None:
    async def get(url: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=GuardedTransport(connections=2)) as client:
            first = await client.send(client.build_request("GET", url, extensions={"private": True}))
            assert has_public_peer(first) is False
            with pytest.raises(ForbiddenSourceError):
                await client.get(url)
            return first

    with origin({"/a": b"content"}) as o:
        response = asyncio.run(get(o.url("/a")))
        assert response.content == b"content"
        assert len(o.requests) == 1


def test_a_lost_connection_does_not_tell_its_peer() -> None:
    assert has_public_peer(httpx.Response(200)) is None


def test_the_host_header_keeps_the_name() -> None:
    async def get(url: str) -> int:
        async with httpx.AsyncClient(transport=GuardedTransport(connections=2)) as client:
            response = await client.send(client.build_request("GET", url, extensions={"private": True}))
            return response.status_code

    with origin({"/a": b"content"}) as o:
        url = o.url("/a").replace("127.0.0.1", "localhost")
        assert asyncio.run(get(url)) == 200
        assert o.requests[0].headers["host"] == httpx.URL(url).netloc.decode()
