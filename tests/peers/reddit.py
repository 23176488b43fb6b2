"""Reddit on loopback: its site and its media host, with real TLS and the real host names. It refuses JSON, as Reddit does since 2026.

The names resolve to a public address, so that the address guard allows them; connections to that address go to the server on loopback.
The certificates are issued by an authority that is made for the test, and that only the test trusts.
"""

import json
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs

import make_media
from cryptography import x509
from peers.certificates import CA, CERTIFICATE, KEY, write_certificates
from peers.origin import Origin, Request, Rule, origin
from peers.reddit_pages import FIXTURES, FORBIDDEN_FEED, embed, feed, posts

from transcoder.edge.address_guard import Network
from transcoder.edge.address_guard.socket_stream import SocketStream, dial

PUBLIC_ADDRESS = "151.101.1.140"
HOSTS = (
    *("www.reddit.com", "oauth.reddit.com", "embed.reddit.com", "old.reddit.com", "reddit.com", "redd.it"),
    *("v.redd.it", "packaged-media.redd.it", "preview.redd.it", "i.redd.it", "elsewhere.example"),
)
BLOCK_PAGE = Rule(status=403, body=(FIXTURES / "blocked.html").read_bytes(), headers={"Content-Type": "text/html"})
SETS_BY_PATH = {
    "era2017one": "reddit-2017",
    "era2018one": "reddit-2018",
    "era2020one": "reddit-2020",
    "era2024one": "reddit-2024",
    "era2025one": "reddit-2025",
    "expired1": "reddit-2024",
    "era2017mp4": "reddit-files",
    "era2017dash": "reddit-dash",
    "link/ptext/asset/assetone": "reddit-2025",
    "link/ptext/asset/assettwo": "reddit-2024",
    "link/pgallery/asset/assettwo": "reddit-2024",
    "link/pcomment/asset/duwg8xxrajsh1": "reddit-2025",
}


@dataclass(frozen=True, slots=True)
class Reddit:
    """A Reddit on loopback: the server, and the network that leads to it."""

    origin: Origin
    network: Network
    blocked: set[str]
    """Which of `feed`, `embed`, `oauth` and `json` are answered with the page for networks that Reddit blocks."""
    authority: ssl.SSLContext
    """A context that trusts the server's certificate."""

    @property
    def port(self) -> int:
        """The server's port on loopback."""
        return int(self.origin.base.rpartition(":")[2])

    def rules(self, path: str) -> Sequence[Rule]:
        """Return the rules for a path, to put others before them."""
        return _as_list(self.origin.rules[path])

    def requested(self) -> list[str]:
        """Return host and path of all requests so far, in order."""
        return [f"{request.headers['host']}{request.path}" for request in self.origin.requests]


@contextmanager
def reddit(*, names: Mapping[str, str] | None = None, blocked: Iterable[str] = ("json",)) -> Iterator[Reddit]:
    """Serve Reddit for the duration of the block; `names` maps more host names to their addresses."""
    table = dict.fromkeys(HOSTS, PUBLIC_ADDRESS) | dict(names or {})
    files = _files()
    certificate, authority = certificates(tuple(table))
    gifs = {f"/{path.stem}.gif": path.read_bytes() for path in make_media.media("reddit-gifs").glob("*.mp4")}
    refused = set(blocked)
    with origin(files, tls=certificate) as server:
        server.rules |= _pages()
        for path, body in gifs.items():
            server.rules[path] = [Rule(when=_lacks_signature, status=403), Rule(body=body, headers={"Content-Type": "video/mp4"})]
        server.rules["*"] = Rule(when=_is_missing_media(files), status=403)
        for path in [*files, *server.rules, "*"]:
            rules = server.rules.get(path, ())
            server.rules[path] = [replace(BLOCK_PAGE, when=lambda request: _step_of(request) in refused), *_as_list(rules)]
        server.rules["/r/aww/s/AbCdEf1234"] = Rule(redirect="https://www.reddit.com/r/aww/comments/p2025/a_film/?share_id=x&utm_name=y")
        server.rules["/u/filmer/s/ZyXwVu9876"] = Rule(status=301, redirect="/user/filmer/comments/p2024/a_film/?share_id=x")
        server.rules["/expired1/HLSPlaylist.m3u8"] = Rule(when=lambda request: bool(request.query), status=403)
        port = int(server.base.rpartition(":")[2])
        yield Reddit(server, loopback_network(table, port, authority), refused, authority)


def loopback_network(names: Mapping[str, str], port: int, authority: ssl.SSLContext) -> Network:
    """Return the network that leads to the server on a port of loopback, whatever is connected to."""
    return Network(_StaticResolver(names), partial(_dial_loopback, port), lambda: authority)


def _as_list(rules: Rule | Sequence[Rule]) -> Sequence[Rule]:
    return [rules] if isinstance(rules, Rule) else rules


def _step_of(request: Request) -> str:
    """Return the step of the search that makes such a request."""
    host, path = request.headers["host"], request.path
    if host in {"embed.reddit.com", "oauth.reddit.com"}:
        return host.partition(".")[0]
    return "feed" if path.endswith("/.rss") else "json" if path.endswith(".json") else ""


def _pages() -> dict[str, Rule | Sequence[Rule]]:
    """Return the feeds, the embed pages and the JSON for applications."""
    atom, page = {"Content-Type": "application/atom+xml; charset=UTF-8"}, {"Content-Type": "text/html; charset=utf-8"}
    pages: dict[str, Rule | Sequence[Rule]] = {}
    for post in posts():
        pages[f"/comments/{post.id}/.rss"] = Rule(body=feed(post), headers=atom)
        pages[f"/r/{post.subreddit}/comments/{post.id}/"] = Rule(body=embed(post), headers=page)
        for comment in post.comments:
            pages[f"/comments/{post.id}/_/{comment}/.rss"] = Rule(body=feed(post), headers=atom)
    for name in ("premoved", "pdeleted"):
        pages[f"/comments/{name}/.rss"] = Rule(status=403, body=FORBIDDEN_FEED.encode(), headers=atom)
    pages["/login"] = Rule(body=(FIXTURES / "login.html").read_bytes(), headers=page)
    return pages


def _files() -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in FIXTURES.glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(document, list):
            name = document[0]["data"]["children"][0]["data"]["id"]
            files |= dict.fromkeys((f"/comments/{name}.json", f"/comments/{name}"), path.read_bytes())
    files["/comments/pcomment/_/cdeep.json"] = files["/comments/pcomment.json"]
    for folder, name in SETS_BY_PATH.items():
        files |= {f"/{folder}/{path.name}": path.read_bytes() for path in make_media.media(name).iterdir()}
    return files


def _is_missing_media(files: Mapping[str, bytes]) -> Callable[[Request], bool]:
    """Return a test for requests that the media host answers with 403, because it has no such file."""
    return lambda request: request.path not in files and request.headers["host"] == "v.redd.it"


def _lacks_signature(request: Request) -> bool:
    """Tell whether a request for the MP4 of a GIF is one that the preview host does not answer."""
    parameters = parse_qs(request.query)
    return request.headers["host"] != "preview.redd.it" or parameters.get("format") != ["mp4"] or not parameters.get("s")


@dataclass(frozen=True, slots=True)
class _StaticResolver:
    """Resolves host names from a table."""

    names: Mapping[str, str]

    async def __call__(self, host: str, _port: int) -> list[str]:
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [self.names[host]]


async def _dial_loopback(loopback_port: int, address: str, port: int) -> SocketStream:
    """Connect to the server on loopback in place of the public address."""
    assert (address, port) == (PUBLIC_ADDRESS, 443), "the address guard allowed another address"
    return await dial("127.0.0.1", loopback_port)


@cache
def certificates(names: tuple[str, ...]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make an authority and a certificate for all names; return a context for the server and one for clients that trust it."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        write_certificates(Path(folder), [x509.DNSName(name) for name in names])
        server.load_cert_chain(Path(folder, CERTIFICATE), Path(folder, KEY))
        return server, ssl.create_default_context(cafile=Path(folder, CA))
