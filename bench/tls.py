"""TLS in front of an origin: nginx with a certificate of a CA of its own. A new connection costs two round trips more than a request."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from peers.nginx import free_port, running

CA, CERTIFICATE, KEY = "ca.pem", "server.pem", "server.key"
# One round trip for the connection, and one for the handshake of TLS 1.3: the origin adds them to the first response.
CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/client; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    map $connection_requests $handshake_round_trips {{ 1 2; default 0; }}
    upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_protocols TLSv1.3;
        keepalive_requests 100000;
        location / {{
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Handshake-Round-Trips $handshake_round_trips;
            proxy_max_temp_file_size 0;
            proxy_pass http://origin;
        }}
    }}
}}
"""


@contextmanager
def tls(origin_port: int, folder: Path) -> Iterator[str]:
    """Run nginx in front of an origin on loopback, with its files in `folder`; yield its address without a slash."""
    write_certificates(folder)
    port = free_port()
    with running(CONFIGURATION.format(folder=folder, port=port, origin=origin_port), folder, port):
        yield f"https://127.0.0.1:{port}"


def trusting(environ: dict[str, str], folder: Path) -> dict[str, str]:
    """Return environment variables that make every program trust the CA in `folder`."""
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "BENCH_CA")
    return environ | dict.fromkeys(names, str(folder / CA))


def write_certificates(folder: Path) -> None:
    """Write a CA, and a certificate of that for 127.0.0.1 with its key."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = _name("bench CA")
    ca = _certificate(ca_name, ca_key.public_key(), ca_name, ca_key, extension=x509.BasicConstraints(ca=True, path_length=0))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = _certificate(_name("127.0.0.1"), key.public_key(), ca_name, ca_key, extension=address)
    pem = serialization.Encoding.PEM
    (folder / CA).write_bytes(ca.public_bytes(pem))
    (folder / CERTIFICATE).write_bytes(server.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / KEY).write_bytes(private)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number()).add_extension(
        extension, critical=isinstance(extension, x509.BasicConstraints)
    )
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=1))
    return builder.sign(issuer_key, hashes.SHA256())
