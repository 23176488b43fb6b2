"""Varnish, a cache between a client and the function: it keeps what it may, serves ranges of it, and forgets a body that broke off."""

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

# Debian puts it where only root's path looks.
PROGRAM = shutil.which("varnishd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


@contextmanager
def varnish(behind: str, folder: Path) -> Iterator[httpx.Client]:
    """Put a cache with Varnish's own rules before `behind`, such as `http://127.0.0.1:8000`, and give a client of it."""
    assert PROGRAM is not None
    path, said = folder / "varnish.socket", folder / "varnish.log"
    # A socket of its own needs no free port; without a jail it runs as whoever runs the tests.
    listen = ["-a", str(path), "-b", behind.removeprefix("http://"), "-n", str(folder / "varnish")]
    with (
        said.open("wb") as log,
        subprocess.Popen([PROGRAM, "-F", "-j", "none", *listen, "-s", "malloc,64m"], stdout=log, stderr=log) as process,
    ):
        try:
            patience = time.monotonic() + SECONDS
            while not _listens(path):
                assert process.poll() is None, said.read_text()
                assert time.monotonic() < patience, said.read_text()
                time.sleep(0.05)
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://cache.test", timeout=SECONDS) as client:
                yield client
        finally:
            process.terminate()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
