"""Which names a proxy may be asked for: by their spelling alone, since it resolves them."""

import pytest

from transcoder.core.request.addresses import AddressClass
from transcoder.edge.fetch.proxied_transport import classify_name


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param("video.example", AddressClass.PUBLIC, id="a name"),
        pytest.param("Video.Example.", AddressClass.PUBLIC, id="a name with its last dot"),
        pytest.param("xn--fiqs8s.example", AddressClass.PUBLIC, id="an international name"),
        pytest.param("my_cdn.example", AddressClass.PUBLIC, id="an underscore"),
        pytest.param("mylocal", AddressClass.PRIVATE, id="no dot"),
        pytest.param("notlocalhost.example", AddressClass.PUBLIC, id="localhost inside"),
        pytest.param("1.1.1.1", AddressClass.PUBLIC, id="a public address"),
        pytest.param("2606:4700::1111", AddressClass.PUBLIC, id="a public IPv6 address"),
        pytest.param("localhost", AddressClass.PRIVATE, id="localhost"),
        pytest.param("LocalHost.", AddressClass.PRIVATE, id="localhost, written differently"),
        pytest.param("a.localhost", AddressClass.PRIVATE, id="below localhost"),
        pytest.param("localhost.localdomain", AddressClass.PRIVATE, id="localdomain"),
        pytest.param("host.localdomain", AddressClass.PRIVATE, id="another host of localdomain"),
        pytest.param("printer.local", AddressClass.PRIVATE, id="mDNS"),
        pytest.param("wiki.corp.internal", AddressClass.PRIVATE, id="internal"),
        pytest.param("nas.home.arpa", AddressClass.PRIVATE, id="home"),
        pytest.param("127.0.0.1", AddressClass.PRIVATE, id="loopback"),
        pytest.param("127.0.0.1.", AddressClass.PRIVATE, id="loopback with a dot"),
        pytest.param("127.1", AddressClass.PRIVATE, id="short loopback"),
        pytest.param("2130706433", AddressClass.PRIVATE, id="loopback as a number"),
        pytest.param("0x7f000001", AddressClass.PRIVATE, id="loopback in hexadecimal"),
        pytest.param("0177.0.0.1", AddressClass.PRIVATE, id="loopback in octal"),
        pytest.param("10.0.0.1", AddressClass.PRIVATE, id="a private network"),
        pytest.param("::1", AddressClass.PRIVATE, id="IPv6 loopback"),
        pytest.param("::ffff:10.0.0.1", AddressClass.PRIVATE, id="IPv4 in IPv6"),
        pytest.param("169.254.169.254", AddressClass.FORBIDDEN, id="metadata"),
        pytest.param("0xa9fea9fe", AddressClass.FORBIDDEN, id="metadata in hexadecimal"),
        pytest.param("metadata.google.internal", AddressClass.FORBIDDEN, id="Google's metadata"),
        pytest.param("instance-data.ec2.internal", AddressClass.FORBIDDEN, id="AWS's metadata"),
        pytest.param("fe80::1%eth0", AddressClass.FORBIDDEN, id="link-local"),
        pytest.param("0.0.0.0", AddressClass.FORBIDDEN, id="unspecified"),
        pytest.param("%31%32%37.0.0.1", AddressClass.FORBIDDEN, id="percent signs"),
        pytest.param("", AddressClass.FORBIDDEN, id="nothing"),
    ],
)
def test_the_class_of_a_name(host: str, expected: AddressClass) -> None:
    assert classify_name(host) is expected
