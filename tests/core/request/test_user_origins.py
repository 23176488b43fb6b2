"""What the user says about origins: which headers go to which host."""

import pytest

from transcoder.core.request.user_origins import NOBODY, HostHeaders, UserOrigins, split_credentials
from transcoder.errors import BadRequestError

SECRETS = {"Authorization": "Basic x", "Cookie": "a=b", "X-Api-Key": "k", "Host": "other"}
OPEN = {
    "Referer": "https://site.example/",
    "user-agent": "Mine/1",
    "Accept-Language": "de",
    "Origin": "https://site.example",
    "Sec-GPC": "1",
}


@pytest.mark.parametrize(
    ("scheme", "host", "gets_secrets"),
    [
        pytest.param("https", "a.example", True, id="the host itself"),
        pytest.param("https", "A.Example.", True, id="the host, written differently"),
        pytest.param("https", "cdn.a.example", True, id="a subdomain"),
        pytest.param("http", "a.example", False, id="without TLS"),
        pytest.param("https", "example", False, id="the domain above"),
        pytest.param("https", "b.example", False, id="a sibling"),
        pytest.param("https", "nota.example", False, id="a name that ends alike"),
        pytest.param("https", "a.example.evil.example", False, id="a name that begins alike"),
        pytest.param("https", "127.0.0.1", False, id="an address"),
        pytest.param("https", "", False, id="nothing"),
    ],
)
def test_what_may_be_secret_goes_to_the_host_that_the_user_named(scheme: str, host: str, *, gets_secrets: bool) -> None:
    user = UserOrigins.of("https://a.example/v.m3u8", SECRETS | OPEN)
    assert user.headers_for(scheme, host) == (OPEN | SECRETS if gets_secrets else OPEN)


def test_a_source_without_tls_gets_the_headers_either_way() -> None:
    user = UserOrigins.of("http://127.0.0.1:8000/v.m3u8", SECRETS)
    assert user.headers_for("http", "127.0.0.1") == user.headers_for("https", "127.0.0.1") == SECRETS
    assert not user.headers_for("http", "1.127.0.0.1.evil.example")


def test_headers_for_another_host() -> None:
    others = [HostHeaders("Media.Example.", {"Cookie": "c=d"}), HostHeaders("a.example", {"Cookie": "e=f"})]
    user = UserOrigins.of("https://a.example/", {"Cookie": "a=b"}, others)
    assert user.headers_for("http", "x.media.example") == {"Cookie": "c=d"}
    assert user.headers_for("https", "a.example") == {"Cookie": "e=f"}


@pytest.mark.parametrize("url", ["file:///v.m3u8", "s3://bucket/v.m3u8"])
def test_a_secret_needs_a_host(url: str) -> None:
    with pytest.raises(BadRequestError, match="--header-for"):
        UserOrigins.of(url, {"Authorization": "x"})
    assert UserOrigins.of(url, OPEN, [HostHeaders("a.example", SECRETS)]).headers_for("https", "a.example") == OPEN | SECRETS


@pytest.mark.parametrize("header", [{"A\nB": "c"}, {"A": "b\r\nC: d"}, {"": "x"}, {"Referer": "a\0"}])
def test_an_invalid_header_is_refused(header: dict[str, str]) -> None:
    for name in ("Content-Length", "transfer-encoding", "Connection", "Range"):
        with pytest.raises(BadRequestError, match="set for each request"):
            UserOrigins.of("https://a.example/", {name: "5"})
    with pytest.raises(BadRequestError, match="not a valid header"):
        UserOrigins.of("http://a.example/", header)
    with pytest.raises(BadRequestError, match="not a valid header"):
        UserOrigins.of("http://a.example/", {}, [HostHeaders("b.example", header)])


def test_only_on_the_host_of_the_user_every_port_is_dialled() -> None:
    user = UserOrigins.of("http://nas.example:81/v.m3u8", {})
    assert user.allows_port("http", "NAS.example", 82)
    assert not user.allows_port("http", "a.nas.example", 82)
    assert not NOBODY.allows_port("http", "", 82)


def test_secrets_are_not_printed() -> None:
    assert "hidden" not in repr(UserOrigins.of("https://a.example/", {"Cookie": "hidden"}))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.example/x@y", ("http://a.example/x@y", {})),
        ("http://u:p@a.example:81/x?y=@", ("http://a.example:81/x?y=@", {"Authorization": "Basic dTpw"})),
        ("http://u@a.example/", ("http://a.example/", {"Authorization": "Basic dTo="})),
        ("http://%C3%BC:a%3Ab@a.example/", ("http://a.example/", {"Authorization": "Basic w7w6YTpi"})),
        ("http://@a.example/", ("http://a.example/", {})),
        ("http://[::1@/", ("http://[::1@/", {})),
    ],
)
def test_a_password_in_the_address_of_the_user_becomes_a_header(url: str, expected: tuple[str, dict[str, str]]) -> None:
    assert split_credentials(url) == expected


PUBLIC = (
    "Referer",
    "User-Agent",
    "Accept",
    "Accept-Language",
    "Origin",
    "DNT",
    "X-Requested-With",
    "Cache-Control",
    "Pragma",
    "SEC-Fetch-Mode",
)
OURS = ("Connection", "Content-Length", "Expect", "If-Range", "Keep-Alive", "Range", "TE", "Trailer", "Transfer-Encoding", "Upgrade")


@pytest.mark.parametrize("name", PUBLIC)
def test_what_every_browser_sends_goes_to_every_host(name: str) -> None:
    assert UserOrigins.of("https://a.example/", {name: "x"}).headers_for("http", "b.example") == {name: "x"}


@pytest.mark.parametrize("name", OURS)
def test_what_each_request_needs_cannot_be_given(name: str) -> None:
    for headers, others in (({name: "5"}, []), ({}, [HostHeaders("b.example", {name.lower(): "5"})])):
        with pytest.raises(BadRequestError, match="set for each request"):
            UserOrigins.of("https://a.example/", headers, others)


@pytest.mark.parametrize("host", ["cdn.example.com", "localhost", "b_c-d.example", "10.0.0.1", "::1", "[2001:db8::1]", "bücher.example"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    user = UserOrigins.of("https://a.example/", {}, [HostHeaders(host, {"Cookie": "a=b"})])
    assert user.headers_for("https", host.strip("[]").upper()) == {"Cookie": "a=b"}


@pytest.mark.parametrize("host", ["", "https://a.example", "a.example/v", "a.example:80", "10.0.0.1:80", "[::1]:80", "a b", "*"])
def test_what_is_more_than_a_host_is_refused(host: str) -> None:
    with pytest.raises(BadRequestError, match=r"^--header-for .*: write the name of a host alone, such as cdn\.example\.com\.$"):
        UserOrigins.of("https://a.example/", {}, [HostHeaders(host, {"Cookie": "a=b"})])


def test_what_is_printed_says_whom_it_is_for() -> None:
    user = UserOrigins.of("https://a.example/", {"Cookie": "hidden", "DNT": "1"})
    assert repr(user) == "UserOrigins('a.example', {'DNT': '1'}, (HostHeaders('a.example'),))"


def test_every_port_is_dialled_on_the_host_of_the_user_however_it_is_written() -> None:
    user = UserOrigins.of("https://[2001:DB8::1]:81/", {})
    assert user.allows_port("http", "2001:db8::1", 22)
    assert UserOrigins.of("http://A.example.:81/", {}).allows_port("https", "a.example", 1)
    for url in ("s3://a.example/v", "file://a.example/v"):
        assert not UserOrigins.of(url, {}).allows_port("https", "a.example", 1)
