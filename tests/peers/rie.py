"""AWS's Runtime Interface Emulator around our runtime, in both its modes.

It buffers an answer and gives it to an HTTP client. With `AWS_LAMBDA_MAX_CONCURRENCY` it is another program, that of Lambda Managed
Instances: it decodes error trailers, sends an Invocation-Id, and wants /var/task/bootstrap. It drops the privileges of root for
the runtime, so that gets a /var of its own (a mount namespace), with a copy of the program and a Python that everybody may read.
"""

import http.client
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h11
from peers import small_application
from peers.aws import lack, runtime_interface_emulator

import transcoder

SECONDS = 20.0
INVOKE = "/2015-03-31/functions/function/invocations"
SCRIPT = """
set -e
mount -t tmpfs none /var
mkdir /var/task /var/tmp /var/python
cp -R "$1/." /var/task
chmod -R a+rX /var/task
mount --bind "$2" /var/python
shift 2
cd /var/task
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Buffered:
    """What the emulator gave its client."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """Prelude and body of a streamed answer."""
        prelude, _, body = self.body.partition(b"\0" * 8)
        return prelude, body


Invoke = Callable[[bytes], Buffered]


@contextmanager
def on_demand(command: Sequence[str], **environ: str) -> Iterator[Invoke]:
    """Run `command` as the runtime of an ordinary function."""
    with _running([runtime_interface_emulator()], list(command), {"AWS_LAMBDA_FUNCTION_TIMEOUT": "20", **environ}) as invoke:
        yield invoke


@contextmanager
def managed_instance(folder: Path) -> Iterator[Invoke]:
    """Run the small application as the runtime of a function on a managed instance; `folder` is for its copy."""
    program = runtime_interface_emulator()
    may_mount = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/var"]
    if platform.system() != "Linux" or os.getuid() or subprocess.run(may_mount, check=False, capture_output=True).returncode:
        lack("a mount namespace is needed, and the rights of root for it")
    for package in (transcoder, h11):
        folder_of = Path(str(package.__file__)).parent
        shutil.copytree(folder_of, folder / folder_of.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(str(small_application.__file__), folder)
    bootstrap = folder / "bootstrap"
    python = f"/var/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    bootstrap.write_text(f"#!/bin/sh\nPYTHONPATH=/var/task exec {python} -B /var/task/small_application.py\n", encoding="utf-8")
    bootstrap.chmod(0o755)
    inside = ["unshare", "-m", "sh", "-c", SCRIPT, "sh", str(folder), sys.base_prefix, program]
    with _running(inside, [], {"AWS_LAMBDA_FUNCTION_TIMEOUT": "20", "AWS_LAMBDA_MAX_CONCURRENCY": "1"}) as invoke:
        yield lambda event: _once_ready(invoke, event)


@contextmanager
def _running(program: list[str], command: list[str], environ: dict[str, str]) -> Iterator[Invoke]:
    api, door = _free_port(), _free_port()
    words = ["--runtime-api-address", f"127.0.0.1:{api}", "--runtime-interface-emulator-address", f"127.0.0.1:{door}"]
    with subprocess.Popen([*program, *words, *command], env={**os.environ, **environ}, stdin=subprocess.DEVNULL) as process:
        try:
            _wait_for(door, process)
            yield lambda event: _invoke(door, event)
        finally:
            process.terminate()


def _once_ready(invoke: Invoke, event: bytes) -> Buffered:
    """Invoke as soon as the runtime has asked for it: this emulator lets nobody wait."""
    end = time.monotonic() + SECONDS
    while (answer := invoke(event)).headers.get("error-type") == "Runtime.Unavailable" and time.monotonic() < end:
        time.sleep(0.01)
    return answer


def _invoke(door: int, event: bytes) -> Buffered:
    connection = http.client.HTTPConnection("127.0.0.1", door, timeout=SECONDS)
    try:
        connection.request("POST", INVOKE, event, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return Buffered(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(door: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", door), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the Runtime Interface Emulator does not listen")
