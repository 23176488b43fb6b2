"""nginx, a cache between clients and the function that fetches a file in slices and puts them together."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peers.running_emulator import SECONDS

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/client; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=videos:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            slice 128k;
            proxy_cache videos;
            proxy_cache_key $uri$is_args$args$slice_range;
            proxy_set_header Range $slice_range;
            proxy_http_version 1.1;
            proxy_ignore_headers Cache-Control;
            proxy_cache_valid 200 206 1h;
            proxy_pass {backend};
        }}
    }}
}}
"""


@contextmanager
def nginx(backend: str, folder: Path) -> Iterator[str]:
    """Run nginx with the slice module in front of `backend`, such as `http://127.0.0.1:8000`; yield its address."""
    port = free_port()
    with running(CONFIGURATION.format(folder=folder, port=port, backend=backend.rstrip("/")), folder, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(configuration: str, folder: Path, port: int) -> Iterator[None]:
    """Run nginx, which listens on `port` from the beginning of the block."""
    assert NGINX is not None
    (folder / "nginx.conf").write_text(configuration)
    command = [NGINX, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-g", "user root;" if os.getuid() == 0 else ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + SECONDS
            while not _listens(port):
                assert process.poll() is None, (folder / "error.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def free_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
