"""Which addresses a connection may go to."""

import asyncio

import httpx
import pytest
from peers.origin import origin

from transcoder.edge.address_guard import GuardedTransport, checked_addresses, has_public_peer
from transcoder.errors import ForbiddenSourceError


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
