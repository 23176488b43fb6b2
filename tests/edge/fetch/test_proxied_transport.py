"""Requests through a proxy: tunnels, credentials, and which failures are the proxy's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from peers.application import ask
from peers.fetch_calls import CONTENT, FILES, SETTINGS, with_fetcher
from peers.origin import Origin, Rule, origin
from peers.proxy import Proxy, proxy
from peers.reddit import HOSTS, certificates, reddit

from transcoder.core.request.proxies import read_proxies
from transcoder.edge.address_guard import Network
from transcoder.edge.fetch import Fetcher
from transcoder.errors import BadRequestError, ForbiddenSourceError, ProxyFailedError, UpstreamError, UpstreamTimeoutError
from transcoder.settings import Settings

PUBLIC = "video.example"
TRUSTED_SERVER, TRUSTED_CLIENT = certificates((PUBLIC, "localhost"))
QUICK = SETTINGS._replace(attempts=2, rate_seconds=1.0)


@dataclass(frozen=True, slots=True)
class Site:
    """An origin whose name only the proxy knows."""

    origin: Origin
    proxy: Proxy
    scheme: str

    def url(self, path: str) -> str:
        return f"{self.scheme}://{PUBLIC}{path}"

    def network(self, userinfo: str = "", no_proxy: str = "") -> Network:
        address = self.proxy.url.replace("://", f"://{userinfo}")
        return Network(tls=lambda: TRUSTED_CLIENT, proxies=read_proxies(address, {"no_proxy": no_proxy}))

    def fetch(self, network: Network | None = None) -> tuple[bytes, int]:
        """Fetch a file; return its content, and how many requests were repeated."""

        async def use(fetcher: Fetcher) -> tuple[bytes, int]:
            return await fetcher.small_resource(self.url("/a.ts"), limit=10**6), fetcher.retries

        return with_fetcher(use, QUICK, network=network or self.network())


@contextmanager
def running_site(scheme: str, *, tls_proxy: bool = False) -> Iterator[Site]:
    with (
        origin(FILES, tls=TRUSTED_SERVER if scheme == "https" else None) as o,
        proxy(tls=TRUSTED_SERVER if tls_proxy else None) as p,
    ):
        p.hosts[PUBLIC] = int(o.base.rpartition(":")[2])
        yield Site(o, p, scheme)


@pytest.fixture(params=["http", "https"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with running_site(request.param) as running:
        yield running


@pytest.fixture
def forwarded() -> Iterator[Site]:
    """A site whose requests and responses the proxy reads and sends on."""
    with running_site("http") as running:
        yield running


@pytest.fixture
def tunnelled() -> Iterator[Site]:
    """A site that is reached through a tunnel, into which the proxy cannot look."""
    with running_site("https") as running:
        yield running


def test_an_origin_is_asked_through_the_proxy(site: Site) -> None:
    assert site.fetch() == (CONTENT, 0)
    assert [request.method for request in site.proxy.requests] == [{"http": "GET", "https": "CONNECT"}[site.scheme]]
    assert site.proxy.targets == {PUBLIC if site.scheme == "http" else f"{PUBLIC}:443"}
    assert site.origin.requests[0].headers["host"] == PUBLIC


def test_connections_through_the_proxy_are_reused(site: Site) -> None:
    async def use(fetcher: Fetcher) -> None:
        for _ in range(3):
            assert (await fetcher.playlist(site.url("/main.m3u8"))).text == "#EXTM3U\n"
        assert fetcher.retries == 0

    with_fetcher(use, network=site.network())
    assert len(site.origin.requests) == 3
    assert site.origin.connections == 1


def test_a_broken_transfer_goes_on_through_the_proxy(site: Site) -> None:
    site.origin.rules["/a.ts"] = Rule(times=1, cut_after=100_000)
    assert site.fetch() == (CONTENT, 1)
    assert site.origin.requests[1].headers["range"] == "bytes=100000-"


def test_credentials_reach_the_proxy_and_no_one_else(site: Site) -> None:
    site.proxy.credentials = "us:er@:p/ss"
    with pytest.raises(UpstreamError):
        site.fetch()
    assert site.fetch(site.network("us%3Aer%40:p%2Fss@"))[0] == CONTENT
    assert site.proxy.requests[-1].headers["proxy-authorization"]
    for request in site.origin.requests:
        assert not [name for name in request.headers if name.startswith("proxy")]


def test_a_host_that_is_asked_directly_gets_no_credentials() -> None:
    with origin(FILES) as o, proxy() as p:
        address = p.url.replace("://", "://user:secret@")
        network = Network(proxies=read_proxies(address, {"no_proxy": "127.0.0.1"}))
        assert with_fetcher(lambda fetcher: fetcher.small_resource(o.url("/a.ts"), limit=10**6), network=network) == CONTENT
        assert not p.requests
        assert not [name for name in o.requests[0].headers if name.startswith("proxy")]


@pytest.mark.parametrize("userinfo", ["", "user:wrong-secret@"])
def test_missing_or_wrong_credentials_are_an_error_of_the_proxy_at_once(site: Site, userinfo: str) -> None:
    site.proxy.credentials = "user:secret"
    with pytest.raises(UpstreamError) as caught:
        site.fetch(site.network(userinfo))
    message = f"a.ts at {PUBLIC}: the proxy {site.proxy.url}, not the origin, answered 407 Proxy Authentication Required."
    assert str(caught.value) == message
    assert caught.value.origin_status is None
    assert len(site.proxy.requests) == 1
    assert not site.origin.requests


@pytest.mark.parametrize(
    ("status", "attempts"),
    [
        pytest.param(502, 2, id="the proxy does not reach the origin"),
        pytest.param(504, 2, id="the origin does not answer the proxy"),
        pytest.param(403, 1, id="the proxy does not want to"),
        pytest.param(418, 1, id="another status"),
        pytest.param(499, 1, id="a status that has no name"),
    ],
)
def test_a_refused_tunnel_is_an_error_of_the_proxy(tunnelled: Site, status: int, attempts: int) -> None:
    tunnelled.proxy.connect_status = status
    with pytest.raises(UpstreamError, match=f"the proxy {tunnelled.proxy.url}, not the origin, answered {status}[ .]") as caught:
        tunnelled.fetch()
    assert caught.value.origin_status is None
    assert len(tunnelled.proxy.requests) == attempts


def test_a_refused_tunnel_is_tried_again(tunnelled: Site) -> None:
    tunnelled.proxy.connect_status = 503
    tunnelled.proxy.refusals = 1
    assert tunnelled.fetch() == (CONTENT, 1)


def test_a_status_that_may_be_of_either_is_not_blamed_on_the_origin_alone(forwarded: Site) -> None:
    forwarded.proxy.forward_status = 502
    with pytest.raises(UpstreamError, match=f"the origin or the proxy {forwarded.proxy.url} answered 502 Bad Gateway"):
        forwarded.fetch()


def test_a_status_inside_a_tunnel_is_the_origins(tunnelled: Site) -> None:
    tunnelled.origin.rules["/a.ts"] = Rule(status=502)
    with pytest.raises(UpstreamError, match="the origin answered 502"):
        tunnelled.fetch()


def test_an_unreachable_proxy_is_named_without_its_password(site: Site) -> None:
    network = Network(proxies=read_proxies("http://user:secret@127.0.0.1:9", {}))
    with pytest.raises(UpstreamError, match=rf"a.ts at {PUBLIC}: the proxy http://127.0.0.1:9 refuses the connection\.$"):
        site.fetch(network)


def test_a_proxy_that_hangs_up_on_a_tunnel_is_named(tunnelled: Site) -> None:
    tunnelled.proxy.closes = True
    with pytest.raises(UpstreamError, match=f"the proxy {tunnelled.proxy.url} closed the connection or did not send valid HTTP"):
        tunnelled.fetch()


def test_a_proxy_that_does_not_answer_is_named(tunnelled: Site) -> None:
    tunnelled.proxy.stalls = True
    with pytest.raises(ProxyFailedError, match=f"the proxy {tunnelled.proxy.url} did not respond in time"):
        tunnelled.fetch()


def test_a_trickle_through_a_proxy_is_a_timeout(site: Site) -> None:
    site.origin.rules["*"] = [Rule(trickle_head=(1, 0.1), times=2), Rule(trickle=(1, 0.05))]
    with pytest.raises(UpstreamTimeoutError, match="did not respond in time"):
        site.fetch()
    with pytest.raises(UpstreamTimeoutError, match=rf"a\.ts at {PUBLIC}: the origin sends too slowly\."):
        site.fetch()


def test_a_certificate_that_is_not_trusted_is_the_origins(tunnelled: Site) -> None:
    with pytest.raises(UpstreamError, match="the TLS certificate of the origin is not trusted: unable to get local issuer"):
        tunnelled.fetch(Network(proxies=read_proxies(tunnelled.proxy.url, {})))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_may_be_reached_by_tls(scheme: str) -> None:
    with running_site(scheme, tls_proxy=True) as site:
        site.proxy.credentials = "user:secret"
        assert site.fetch(site.network("user:secret@")) == (CONTENT, 0)
        with pytest.raises(UpstreamError, match=f"the TLS certificate of the proxy {site.proxy.url} is not trusted"):
            site.fetch(Network(proxies=read_proxies(site.proxy.url, {})))


def test_a_proxy_whose_host_is_invalid_is_refused() -> None:
    with pytest.raises(BadRequestError, match="not a valid address of a proxy"):
        with_fetcher(fetch_nothing, network=Network(proxies=read_proxies("http://a\u2028.example", {})))


async def fetch_nothing(_fetcher: Fetcher) -> None:
    """Only open a fetcher."""


def test_a_reddit_post_is_found_and_fetched_through_the_proxy() -> None:
    with reddit() as site, proxy() as p:
        p.hosts = dict.fromkeys(HOSTS, int(site.origin.base.rpartition(":")[2]))
        network = site.network._replace(proxies=read_proxies(p.url, {}))
        answered = ask("/download?url=https://www.reddit.com/r/aww/s/AbCdEf1234", network=network)
        assert answered.status == 200
        assert len(answered.body) == int(answered.headers["x-content-length"])
        assert p.targets == {"www.reddit.com:443", "v.redd.it:443"}


@pytest.mark.parametrize("link", ["r/aww/comments/9iiojb/puppy", "r/aww/s/AbCdEf1234", "gallery/9iiojb", "comments/9iiojb"])
def test_a_proxy_that_fails_is_not_reported_as_reddit(link: str) -> None:
    with reddit() as site:
        network = site.network._replace(proxies=read_proxies("http://127.0.0.1:9", {}))
        status, slug, detail = ask(f"/download?url=https://www.reddit.com/{link}", network=network, settings=Settings(attempts=1)).problem
    assert (status, slug) == (502, "upstream-failed")
    assert "the proxy http://127.0.0.1:9 refuses the connection" in detail


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(lambda o: o.url("/a.ts"), id="a literal address"),
        pytest.param(lambda o: o.url("/a.ts").replace("127.0.0.1", "localhost"), id="localhost"),
        pytest.param(lambda o: o.url("/a.ts").replace("127.0.0.1", "127.1"), id="another notation"),
        pytest.param(lambda _: "http://169.254.169.254/latest", id="metadata"),
    ],
)
def test_a_public_playlist_behind_a_proxy_does_not_lead_to_private_addresses(second: Callable[[Origin], str], site: Site) -> None:
    async def use(fetcher: Fetcher) -> None:
        await fetcher.playlist(site.url("/main.m3u8"))
        await fetcher.small_resource(second(site.origin), limit=10**6)

    for no_proxy in ("", "127.0.0.0/8 localhost"):
        with pytest.raises(ForbiddenSourceError, match="public internet"):
            with_fetcher(use, network=site.network(no_proxy=no_proxy))
    assert len(site.origin.requests) == 2
    assert len(site.proxy.requests) == 2


def test_a_public_redirect_behind_a_proxy_does_not_lead_to_private_addresses(site: Site) -> None:
    site.origin.rules["/a.ts"] = Rule(redirect="http://127.0.0.1:8009/a.ts")
    with pytest.raises(ForbiddenSourceError, match="public internet"):
        site.fetch()


def test_a_private_address_that_the_user_names_is_asked_through_the_proxy() -> None:
    async def use(fetcher: Fetcher) -> bytes:
        await fetcher.playlist(o.url("/main.m3u8"))
        return await fetcher.small_resource(o.url("/a.ts"), limit=10**6)

    with origin(FILES) as o, proxy() as p:
        network = Network(proxies=read_proxies(p.url, {}))
        assert with_fetcher(use, network=network) == CONTENT
        with pytest.raises(ForbiddenSourceError):
            with_fetcher(use, SETTINGS._replace(allow_private=False), network=network)
        assert len(p.requests) == 2
