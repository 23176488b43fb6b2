"""Reddit on loopback, as its site and its media host answer: real TLS, real names; only whose word they are differs.

The names mean public addresses, so that the guard lets them pass; a connection to such an address leads to the server on loopback.
Certificates are those of an authority that is made for the test and that nobody else believes.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpcore
import make_media
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from peers.origin import Origin, Request, Rule, origin

from transcoder.edge.address_guard import Network

PUBLIC = "151.101.1.140"
NAMES = ("www.reddit.com", "oauth.reddit.com", "old.reddit.com", "reddit.com", "redd.it", "v.redd.it", "elsewhere.example")
JSON = Path(__file__).parents[2] / "fixtures" / "reddit"
FOLDERS = {
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
    """The loopback Reddit: what it serves and notes, and the network on which it is reached."""

    origin: Origin
    network: Network

    def asked(self) -> list[str]:
        """List host and path of all requests, in the order in which they came."""
        return [f"{request.headers['host']}{request.path}" for request in self.origin.requests]


@contextmanager
def reddit(*, names: Mapping[str, str] | None = None) -> Iterator[Reddit]:
    """Be Reddit until the block is left; `names` are more names and the addresses that they mean."""
    table = dict.fromkeys(NAMES, PUBLIC) | dict(names or {})
    files = _files()
    certificate, authority = _certificates(tuple(table))
    with origin(files, tls=certificate) as served:
        served.rules["*"] = Rule(when=_is_missing(files), status=403)
        served.rules["/r/aww/s/AbCdEf1234"] = Rule(redirect="https://www.reddit.com/r/aww/comments/p2025/a_film/?share_id=x&utm_name=y")
        served.rules["/u/filmer/s/ZyXwVu9876"] = Rule(status=301, redirect="/user/filmer/comments/p2024/a_film/?share_id=x")
        served.rules["/expired1/HLSPlaylist.m3u8"] = Rule(when=lambda request: bool(request.query), status=403)
        yield Reddit(served, Network(_Table(table), _ToLoopback(int(served.base.rpartition(":")[2])), lambda: authority))


def _files() -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in JSON.glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(document, list):
            name = document[0]["data"]["children"][0]["data"]["id"]
            files |= dict.fromkeys((f"/comments/{name}.json", f"/comments/{name}"), path.read_bytes())
    files["/comments/pcomment/_/cdeep.json"] = files["/comments/pcomment.json"]
    for folder, name in FOLDERS.items():
        files |= {f"/{folder}/{path.name}": path.read_bytes() for path in make_media.media(name).iterdir()}
    return files


def _is_missing(files: Mapping[str, bytes]) -> "_Missing":
    return _Missing(frozenset(files))


@dataclass(frozen=True, slots=True)
class _Missing:
    """On the media host, what is not there is forbidden."""

    there: frozenset[str]

    def __call__(self, request: Request) -> bool:
        return request.path not in self.there and request.headers["host"] == "v.redd.it"


@dataclass(frozen=True, slots=True)
class _Table:
    """The table of names."""

    names: Mapping[str, str]

    async def __call__(self, host: str, _port: int) -> list[str]:
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [self.names[host]]


class _ToLoopback(httpcore.AnyIOBackend):
    """Every address is this machine's, and every port that of the server."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        assert (host, port) == (PUBLIC, 443), "the guard let another address pass"
        async with asyncio.timeout(timeout):
            return await super().connect_tcp("127.0.0.1", self._port, local_address=local_address, socket_options=socket_options)


@cache
def _certificates(names: tuple[str, ...]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make an authority and a certificate for all names; return what serves with it and what believes it."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of this test")])
    authority = _certificate(issuer, authority_key, issuer, authority_key, x509.BasicConstraints(ca=True, path_length=0))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Reddit on loopback")])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    leaf = _certificate(subject, key, issuer, authority_key, alternatives)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder, "certificate.pem")
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + private)
        server.load_cert_chain(file)
    client = ssl.create_default_context(cadata=authority.public_bytes(serialization.Encoding.PEM).decode())
    return server, client


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    names = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    dated = (
        names.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    identified = dated.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return identified.sign(issuer_key, hashes.SHA256())
