"""Addresses that try to lead into a private network, and the ways on which a stranger can put them before the program."""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address

PUBLIC = "public.example"
"""The stranger's own server."""
PUBLIC_ADDRESS = "151.101.1.140"
NAMES: Mapping[str, list[list[str]]] = {
    PUBLIC: [[PUBLIC_ADDRESS]],
    "localhost": [["127.0.0.1", "::1"]],
    "loopback.example": [["127.0.0.1"]],
    "loopback6.example": [["::1"]],
    "intranet.example": [["10.0.0.5"]],
    "metadata.example": [["169.254.169.254"]],
    "oracle.example": [["192.0.0.192"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "isatap.example": [["2606:4700::5efe:7f00:1"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "6to4.example": [["2002:7f00:1::1"]],
    "zero.example": [["0.0.0.0"]],
    "both.example": [[PUBLIC_ADDRESS, "127.0.0.1"]],
    "both-reversed.example": [["127.0.0.1", PUBLIC_ADDRESS]],
    "both6.example": [[PUBLIC_ADDRESS, "::1"]],
    "rebinding.example": [["127.0.0.1"], [PUBLIC_ADDRESS], ["127.0.0.1"]],
    "rebinding-metadata.example": [["169.254.169.254"], [PUBLIC_ADDRESS], ["169.254.169.254"]],
    "nothing.example": [[]],
}
"""What the stranger's name server answers: the first answer, the second, and so on from the first again."""

_TARGETS = ("127.0.0.1", "169.254.169.254", "10.0.0.5", "192.168.1.1", "192.0.0.192", "0.0.0.0")  # nothing is bound
_INSIDE_IPV6 = ("::ffff:{}", "::{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}", "2606:4700::5efe:{}", "2606:4700::200:5efe:{}")
_HOSTS = (
    *("127.0.0.53", "127.255.255.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "169.254.170.2", "172.16.0.1", "198.18.0.1"),
    *("192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1", "192.0.2.1", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("255.255.255.255", "localhost.", "LOCALHOST", "127.1", "127.0.1", "10.5", "0", "0x7f.1", "0177.1", "127.0.0.1."),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[fd00:ec2::254]", "[fd20:ce::254]", "[ff02::1]"),
    *("[fec0::1]", "[2001:db8::1]", "[3fff::1]", "[2001::7f00:1]", "[2002:7f00:1::]", "[5f00::1]", "[100::1]", "[2620:4f:8000::1]"),
    *(
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "\u2460\u2461\u2466.0.0.1",
        "loc\u00adalhost",
        "%31%32%37.0.0.1",
        "127.0.0.1%00",
    ),
    *("127.0.0.1%2f.public.example", "127.0.0.1\\.public.example", "public.example\\@127.0.0.1", "[::ffff:7f00:1]", "[::127.1]"),
)
_AUTHORITIES = (
    *("public.example@127.0.0.1", "public.example:80@127.0.0.1", "name:secret@127.0.0.1", "name@public.example", "@127.0.0.1"),
    *("127.0.0.1:22", "public.example:22", "public.example:25", "public.example:6379", "public.example:11211", "public.example:0"),
    *("public.example:99999", "public.example:-1", "public.example:81", "127.0.0.1:80", "127.0.0.1:443"),
)
_ADDRESSES = (
    *("file:///etc/passwd", "file://localhost/etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/_x"),
    *("dict://127.0.0.1:11211/x", "concat:http://127.0.0.1/|http://127.0.0.1/", "subfile,,start,0,end,9,,:/etc/passwd", "pipe:0"),
    *("http:127.0.0.1/", "http:/127.0.0.1/", "http:///127.0.0.1/", "https:127.0.0.1/", "//127.0.0.1/", "///127.0.0.1/", "\\\\127.0.0.1\\x"),
    *("http://127.0.0.1#@public.example/", "http://127.0.0.1?@public.example/", "jar:http://127.0.0.1/!x", "tcp://127.0.0.1:22"),
    *("unix:/var/run/docker.sock", "crypto:http://127.0.0.1/", "rtmp://127.0.0.1/x", "http://[::1", "http://[::ffff:127.0.0.1/x"),
)


def tricks(port: int) -> list[str]:
    """Return the addresses; where they lead to loopback without a port of their own, they lead to `port`."""
    hosts = [*_HOSTS, *(name for name in NAMES if name != PUBLIC)]
    for target in _TARGETS:
        number = int(IPv4Address(target))
        hosts += [target, str(number), hex(number), f"0{number:o}", ".".join(hex(part) for part in IPv4Address(target).packed)]
        hosts += [f"[{form.format(target)}]" for form in _INSIDE_IPV6]
        hosts += [f"[{IPv6Address(0x2002 << 112 | number << 80)}]", f"[{IPv6Address(0x20010000 << 96 | number ^ 0xFFFFFFFF)}]"]
    found = [f"http://{host}:{port}/x" for host in hosts]
    found += [f"http://{authority}/x" for authority in _AUTHORITIES]
    return list(dict.fromkeys([*found, *_ADDRESSES]))


def _media(address: str, *tags: str) -> bytes:
    lines = ["#EXTM3U", "#EXT-X-VERSION:11", "#EXT-X-TARGETDURATION:4", *tags, "#EXTINF:2,", address, "#EXT-X-ENDLIST", ""]
    return "\n".join(lines).encode()


def _rendition(address: str) -> bytes:
    media = f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="{address}"'
    return f'#EXTM3U\n{media}\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\n/video.m3u8\n'.encode()


def _variant(address: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{address}\n".encode()


PLAYLISTS: Mapping[str, Callable[[str], bytes]] = {
    "segment": _media,
    "key": lambda address: _media("/segment.ts", f'#EXT-X-KEY:METHOD=AES-128,URI="{address}"'),
    "map": lambda address: _media("/segment.ts", f'#EXT-X-MAP:URI="{address}"'),
    "rendition": _rendition,
    "variant": _variant,
    "define": lambda address: _media("{$there}", f'#EXT-X-DEFINE:NAME="there",VALUE="{address}"'),
}
"""How a playlist of the stranger names an address."""
