"""TLS in front of an origin: nginx with a certificate of a CA of its own. A new connection costs two round trips more than a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peers.certificates import CA, write_certificates
from peers.nginx import free_port, running

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
