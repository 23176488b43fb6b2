"""What is said of an origin with which there is no connection: whether the name, the server or its certificate is the reason."""

import socket

import pytest
from peers.fetch_calls import FILES, with_fetcher
from peers.origin import origin
from peers.reddit import certificates

from transcoder.edge.fetch import Fetcher
from transcoder.errors import UpstreamError

UNTRUSTED_SERVER, _ = certificates(("localhost",))


def message_for(url: str) -> str:
    async def use(fetcher: Fetcher) -> bytes:
        return await fetcher.small_resource(url, limit=1000)

    with pytest.raises(UpstreamError) as caught:
        with_fetcher(use)
    return str(caught.value)


def test_a_name_that_cannot_be_resolved() -> None:
    name = "a" * 64 + ".example"  # longer than a label may be, so that no name server has to be asked (RFC 1035, 2.3.4)
    assert message_for(f"http://{name}/a.ts") == f"a.ts at {name}: the name of the origin cannot be resolved (DNS)."


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.ts"
        assert message_for(url) == "a.ts at 127.0.0.1: the origin refuses the connection."


def test_a_certificate_that_is_not_trusted() -> None:
    with origin(FILES, tls=UNTRUSTED_SERVER) as o:
        message = message_for(o.url("/a.ts").replace("127.0.0.1", "localhost"))
    assert message.startswith("a.ts at localhost: the TLS certificate of the origin is not trusted: ")
    assert "certificate" in message.rpartition(": ")[2]


def test_a_server_without_tls() -> None:
    with origin(FILES) as o:
        message = message_for(o.url("/a.ts").replace("http://", "https://"))
    assert message == "a.ts at 127.0.0.1: the origin does not speak TLS as it should."
