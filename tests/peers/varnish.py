"""Varnish, a cache between a client and the function: it stores what it may, serves byte ranges of it, and discards truncated bodies."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from peers.running_emulator import SECONDS

# Debian installs it in a folder that is only on root's PATH.
VARNISHD = shutil.which("varnishd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


@contextmanager
def varnish(backend: str, folder: Path) -> Iterator[httpx.Client]:
    """Run a cache with Varnish's default rules in front of `backend`, such as `http://127.0.0.1:8000`; yield a client of it."""
    assert VARNISHD is not None
    path, log_file = folder / "varnish.socket", folder / "varnish.log"
    # A Unix socket needs no free port; without a jail Varnish runs as the user who runs the tests.
    listen = ["-a", str(path), "-b", backend.removeprefix("http://"), "-n", str(folder / "varnish")]
    with (
        log_file.open("wb") as log,
        subprocess.Popen([VARNISHD, "-F", "-j", "none", *listen, "-s", "malloc,64m"], stdout=log, stderr=log) as process,
    ):
        try:
            deadline = time.monotonic() + SECONDS
            while not _listens(path):
                assert process.poll() is None, log_file.read_text()
                assert time.monotonic() < deadline, log_file.read_text()
                time.sleep(0.05)
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://cache.test", timeout=SECONDS) as client:
                yield client
        finally:
            process.terminate()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
