"""Where a connection may go."""

import asyncio
from ipaddress import ip_address

import httpx
import pytest
from peers.origin import origin

from transcoder.edge.address_guard import GuardedTransport, Reach, addresses, came_from_public, reach
from transcoder.errors import ForbiddenSourceError


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("93.184.216.34", Reach.PUBLIC, id="a public address"),
        pytest.param("2606:2800:220:1::1", Reach.PUBLIC, id="a public IPv6 address"),
        pytest.param("64:ff9b::5db8:d822", Reach.PUBLIC, id="NAT64 to a public address"),
        pytest.param("::ffff:93.184.216.34", Reach.PUBLIC, id="IPv4-mapped public address"),
        pytest.param("127.0.0.1", Reach.PRIVATE, id="loopback"),
        pytest.param("127.9.9.9", Reach.PRIVATE, id="all of loopback"),
        pytest.param("::1", Reach.PRIVATE, id="IPv6 loopback"),
        pytest.param("::ffff:127.0.0.1", Reach.PRIVATE, id="IPv4-mapped loopback"),
        pytest.param("10.1.2.3", Reach.PRIVATE, id="10/8"),
        pytest.param("172.31.255.255", Reach.PRIVATE, id="172.16/12"),
        pytest.param("172.32.0.0", Reach.PUBLIC, id="just after 172.16/12"),
        pytest.param("192.168.1.1", Reach.PRIVATE, id="192.168/16"),
        pytest.param("100.64.0.1", Reach.PRIVATE, id="carrier-grade NAT"),
        pytest.param("fd12::1", Reach.PRIVATE, id="unique local"),
        pytest.param("169.254.169.254", Reach.NEVER, id="the metadata service"),
        pytest.param("169.254.170.2", Reach.NEVER, id="the container credentials"),
        pytest.param("fd00:ec2::254", Reach.NEVER, id="the metadata service over IPv6"),
        pytest.param("100.100.100.200", Reach.NEVER, id="another cloud's metadata service"),
        pytest.param("::ffff:169.254.169.254", Reach.NEVER, id="IPv4-mapped metadata service"),
        pytest.param("64:ff9b::a9fe:a9fe", Reach.NEVER, id="NAT64 to the metadata service"),
        pytest.param("64:ff9b::7f00:1", Reach.NEVER, id="NAT64 to loopback"),
        pytest.param("64:ff9b:1::1", Reach.NEVER, id="local NAT64"),
        pytest.param("2002:7f00:1::", Reach.NEVER, id="6to4"),
        pytest.param("2001:0:1::1", Reach.NEVER, id="Teredo"),
        pytest.param("::7f00:1", Reach.NEVER, id="IPv4-compatible"),
        pytest.param("::", Reach.NEVER, id="unspecified IPv6"),
        pytest.param("0.0.0.0", Reach.NEVER, id="unspecified"),
        pytest.param("0.1.2.3", Reach.NEVER, id="this network"),
        pytest.param("224.0.1.1", Reach.NEVER, id="multicast"),
        pytest.param("ff0e::1", Reach.NEVER, id="IPv6 multicast"),
        pytest.param("240.0.0.1", Reach.NEVER, id="reserved"),
        pytest.param("255.255.255.255", Reach.NEVER, id="broadcast"),
        pytest.param("192.0.2.1", Reach.NEVER, id="documentation"),
        pytest.param("198.18.0.1", Reach.NEVER, id="benchmarking"),
        pytest.param("192.88.99.1", Reach.NEVER, id="6to4 relay"),
        pytest.param("fe80::1", Reach.NEVER, id="link-local"),
        pytest.param("fe80::1%lo", Reach.NEVER, id="link-local with a scope"),
        pytest.param("fec0::1", Reach.NEVER, id="site-local"),
        pytest.param("2001:db8::1", Reach.NEVER, id="IPv6 documentation"),
    ],
)
def test_tells_how_far_an_address_is(address: str, expected: Reach) -> None:
    assert reach(ip_address(address)) is expected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "::1", "::ffff:127.0.0.1", "0.0.0.0"])
def test_every_notation_of_this_machine_is_refused(host: str) -> None:
    with pytest.raises(ForbiddenSourceError, match="public internet"):
        asyncio.run(addresses(host, 80, private=False))


def test_loopback_is_open_to_who_may_reach_it() -> None:
    assert asyncio.run(addresses("127.0.0.1", 80, private=True)) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "fe80::1"])
def test_metadata_is_open_to_nobody(host: str) -> None:
    with pytest.raises(ForbiddenSourceError):
        asyncio.run(addresses(host, 80, private=True))


def test_a_forbidden_address_is_not_even_connected_to() -> None:
    async def ask(url: str) -> None:
        async with httpx.AsyncClient(transport=GuardedTransport(connections=2)) as client:
            await client.get(url)

    with origin({"/a": b"secret"}) as o:
        with pytest.raises(ForbiddenSourceError):
            asyncio.run(ask(o.url("/a")))
        assert o.connections == 0


def test_an_open_private_connection_serves_no_public_request() -> None:
    async def ask(url: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=GuardedTransport(connections=2)) as client:
            first = await client.send(client.build_request("GET", url, extensions={"private": True}))
            assert not came_from_public(first)
            with pytest.raises(ForbiddenSourceError):
                await client.get(url)
            return first

    with origin({"/a": b"mine"}) as o:
        response = asyncio.run(ask(o.url("/a")))
        assert response.content == b"mine"
        assert len(o.requests) == 1


def test_a_response_from_nobody_counts_as_public() -> None:
    assert came_from_public(httpx.Response(200))


def test_host_and_name_stay_when_the_address_is_pinned() -> None:
    async def ask(url: str) -> int:
        async with httpx.AsyncClient(transport=GuardedTransport(connections=2)) as client:
            response = await client.send(client.build_request("GET", url, extensions={"private": True}))
            return response.status_code

    with origin({"/a": b"mine"}) as o:
        url = o.url("/a").replace("127.0.0.1", "localhost")
        assert asyncio.run(ask(url)) == 200
        assert o.requests[0].headers["host"] == httpx.URL(url).netloc.decode()
