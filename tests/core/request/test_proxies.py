"""Which proxy is used: the option, the variables of the environment in both spellings, and the hosts that are asked directly."""

from collections.abc import Mapping

import pytest

from transcoder.core.request.proxies import NO_PROXIES, Proxies, Proxy, read_proxies
from transcoder.errors import BadRequestError

EVERY = {"http_proxy": "http://h.example:1", "https_proxy": "http://s.example:2", "all_proxy": "http://a.example:3"}


@pytest.mark.parametrize(
    ("option", "environ", "http", "https"),
    [
        pytest.param(None, {}, None, None, id="nothing"),
        pytest.param(None, {"PATH": "/bin"}, None, None, id="other variables"),
        pytest.param(None, EVERY, "http://h.example:1", "http://s.example:2", id="all three variables"),
        pytest.param(None, {"http_proxy": "h.example:1"}, "http://h.example:1", None, id="http only, and no scheme"),
        pytest.param(None, {"HTTPS_PROXY": "https://s.example"}, None, "https://s.example", id="https only, in upper case"),
        pytest.param(None, {"ALL_PROXY": "a.example"}, "http://a.example", "http://a.example", id="for all"),
        pytest.param(None, {"HTTP_PROXY": "up.example", "http_proxy": "low.example"}, "http://low.example", None, id="lower case first"),
        pytest.param(None, {"HTTP_PROXY": "up.example", "http_proxy": " "}, "http://up.example", None, id="an empty one does not count"),
        pytest.param(
            None, {"https_proxy": "", "all_proxy": "a.example:3"}, "http://a.example:3", "http://a.example:3", id="empty before all"
        ),
        pytest.param(
            None, {**EVERY, "all_proxy": "socks5://a.example"}, "http://h.example:1", "http://s.example:2", id="SOCKS, not needed"
        ),
        pytest.param("o.example:4", EVERY, "http://o.example:4", "http://o.example:4", id="the option"),
        pytest.param(None, {"all_proxy": "socks5://a.example", "no_proxy": "*"}, None, None, id="SOCKS, and all hosts directly"),
        pytest.param("", EVERY, None, None, id="an empty option turns all off"),
        pytest.param(" ", EVERY, None, None, id="a blank option does, too"),
        pytest.param("http://[::1]:3128/", {}, "http://[::1]:3128", "http://[::1]:3128", id="an IPv6 address"),
        pytest.param("HTTP://P.example:3128", {}, "http://p.example:3128", "http://p.example:3128", id="capitals"),
    ],
)
def test_the_option_goes_before_the_environment(
    option: str | None, environ: Mapping[str, str], http: str | None, https: str | None
) -> None:
    proxies = read_proxies(option, environ)
    found = [proxies.proxy_for(scheme, "video.example", None) for scheme in ("http", "https")]
    assert [proxy and proxy.name for proxy in found] == [http, https]


def test_user_and_password_are_decoded_and_not_shown() -> None:
    proxies = read_proxies("http://us%40er:p%2Fss@p.example:3128", {})
    proxy = proxies.proxy_for("https", "video.example", None)
    assert proxy == Proxy("http", "p.example", 3128, "us@er", "p/ss")
    assert proxy.name == "http://p.example:3128"
    assert "p/ss" not in repr(proxies)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("http://", id="no host"),
        pytest.param("http://user:secret@", id="credentials only"),
        pytest.param("http://user:secret/1@p.example:3128", id="a slash in the password"),
        pytest.param("http://user:12/secret@p.example:3128", id="digits and a slash in the password"),
        pytest.param("http://user:secret?1@p.example:3128", id="a question mark in the password"),
        pytest.param("http://user:12#secret@p.example:3128", id="a hash in the password"),
        pytest.param("http://user:secret@p.example:99999", id="a port that is too large"),
        pytest.param("http://user:secret@p.example:port", id="a port that is no number"),
        pytest.param("http://user:secret@[::1:3128", id="half a bracket"),
        pytest.param("ftp://user:secret@p.example", id="another scheme"),
        pytest.param("socks5://user:secret@p.example:1080", id="SOCKS 5"),
        pytest.param("socks5h://user:secret@p.example:1080", id="SOCKS 5 with names"),
        pytest.param("socks4://user:secret@p.example:1080", id="SOCKS 4"),
    ],
)
@pytest.mark.parametrize("source", ["--proxy", "https_proxy", "ALL_PROXY"])
def test_an_address_that_is_none_of_a_proxy_is_refused_without_its_password(text: str, source: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_proxies(text if source == "--proxy" else None, {} if source == "--proxy" else {source: text})
    assert source in str(caught.value)
    assert "secret" not in str(caught.value)
    assert ("SOCKS proxies are not supported" in str(caught.value)) == text.startswith("socks")


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "is_direct"),
    [
        pytest.param("example.com", "example.com", None, True, id="the domain"),
        pytest.param("example.com", "cdn.Example.COM.", None, True, id="a subdomain, written differently"),
        pytest.param("example.com", "myexample.com", None, False, id="another domain with the same ending"),
        pytest.param(".example.com", "example.com", None, True, id="a leading dot"),
        pytest.param("*.example.com", "a.example.com", None, True, id="an asterisk"),
        pytest.param("a.example, example.com", "example.com", None, True, id="the second of a list"),
        pytest.param("a.example example.com", "example.com", None, True, id="a list with spaces"),
        pytest.param("*", "example.com", None, True, id="everything"),
        pytest.param("", "example.com", None, False, id="nothing"),
        pytest.param(".,,", "example.com", None, False, id="only punctuation"),
        pytest.param("example.com:8080", "example.com", 8080, True, id="the same port"),
        pytest.param("example.com:8080", "example.com", None, False, id="another port"),
        pytest.param("example.com:80", "example.com", None, True, id="the default port"),
        pytest.param("127.0.0.1", "127.0.0.1", 8000, True, id="an IPv4 address"),
        pytest.param("127.0.0.1:8000", "127.0.0.1", 8000, True, id="an IPv4 address with its port"),
        pytest.param("127.0.0.1:8000", "127.0.0.1", 8001, False, id="an IPv4 address with another port"),
        pytest.param("0.0.1", "127.0.0.1", None, False, id="the end of an address is no domain"),
        pytest.param("10.0.0.0/8", "10.1.2.3", None, True, id="inside a network"),
        pytest.param("10.0.0.0/8", "11.1.2.3", None, False, id="outside a network"),
        pytest.param("10.0.0.0/8", "a.example", None, False, id="a name is in no network"),
        pytest.param("10.1.2.3/8", "10.9.9.9", None, True, id="a network with host bits"),
        pytest.param("::1", "::1", None, True, id="an IPv6 address"),
        pytest.param("[::1]", "::1", 8000, True, id="an IPv6 address in brackets"),
        pytest.param("[::1]:8000", "::1", 8001, False, id="an IPv6 address with another port"),
        pytest.param("fd00::/8", "fd12::1", None, True, id="an IPv6 network"),
        pytest.param("localhost", "localhost", 8000, True, id="localhost"),
    ],
)
@pytest.mark.parametrize("spelling", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("option", [None, "http://p.example"])
def test_hosts_are_asked_directly(
    option: str | None, spelling: str, no_proxy: str, host: str, port: int | None, *, is_direct: bool
) -> None:
    proxies = read_proxies(option, {"http_proxy": "http://p.example", spelling: no_proxy})
    assert (proxies.proxy_for("http", host, port) is None) == is_direct


def test_without_proxies_every_host_is_asked_directly() -> None:
    assert Proxies() == NO_PROXIES
    assert NO_PROXIES.proxy_for("http", "video.example", None) is None


def test_the_default_port_is_that_of_the_scheme() -> None:
    for scheme, port in (("http", 80), ("https", 443)):
        proxies = read_proxies("http://p.example", {"no_proxy": f"a.example:{port}"})
        assert proxies.proxy_for(scheme, "A.example.", None) is None
        assert proxies.proxy_for(scheme, "a.example", port + 1) is not None
        assert proxies.proxy_for("https" if scheme == "http" else "http", "a.example", None) is not None
