"""AWS's Runtime Interface Emulator around our runtime, in both its modes.

It buffers a response and sends it to an HTTP client. With `AWS_LAMBDA_MAX_CONCURRENCY` it behaves like another program, that of Lambda
Managed Instances: it decodes error trailers, sends an Invocation-Id, and runs /var/task/bootstrap. It drops root privileges for the
runtime, so the runtime gets a /var of its own (a mount namespace), with a copy of the program and a Python that everybody may read.
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
from peers.aws import runtime_interface_emulator, skip_for_lack_of

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
class BufferedResponse:
    """A response that the emulator has buffered."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """The prelude and the body of a streamed response."""
        prelude, _, body = self.body.partition(b"\0" * 8)
        return prelude, body


Invoke = Callable[[bytes], BufferedResponse]


@contextmanager
def on_demand(command: Sequence[str], **environ: str) -> Iterator[Invoke]:
    """Run `command` as the runtime of an ordinary function."""
    with _running([runtime_interface_emulator()], list(command), {"AWS_LAMBDA_FUNCTION_TIMEOUT": "20", **environ}) as invoke:
        yield invoke


@contextmanager
def managed_instance(folder: Path) -> Iterator[Invoke]:
    """Run the small application as the runtime of a function on a managed instance; copy it to `folder`."""
    program = runtime_interface_emulator()
    can_mount = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/var"]
    if platform.system() != "Linux" or os.getuid() or subprocess.run(can_mount, check=False, capture_output=True).returncode:
        skip_for_lack_of("a mount namespace, which needs root privileges")
    for package in (transcoder, h11):
        package_folder = Path(str(package.__file__)).parent
        shutil.copytree(package_folder, folder / package_folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(str(small_application.__file__), folder)
    bootstrap = folder / "bootstrap"
    python = f"/var/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    environ = "PYTHONPATH=/var/task LD_LIBRARY_PATH=/var/python/lib"  # where a Python that is a shared library looked may not be readable
    bootstrap.write_text(f"#!/bin/sh\n{environ} exec {python} -B /var/task/small_application.py\n", encoding="utf-8")
    bootstrap.chmod(0o755)
    in_namespace = ["unshare", "-m", "sh", "-c", SCRIPT, "sh", str(folder), sys.base_prefix, program]
    with _running(in_namespace, [], {"AWS_LAMBDA_FUNCTION_TIMEOUT": "20", "AWS_LAMBDA_MAX_CONCURRENCY": "1"}) as invoke:
        yield lambda event: _invoke_when_ready(invoke, event)


@contextmanager
def _running(program: list[str], command: list[str], environ: dict[str, str]) -> Iterator[Invoke]:
    runtime_api_port, port = _free_port(), _free_port()
    options = ["--runtime-api-address", f"127.0.0.1:{runtime_api_port}", "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    with subprocess.Popen([*program, *options, *command], env={**os.environ, **environ}, stdin=subprocess.DEVNULL) as process:
        try:
            _wait_until_listening(port, process)
            yield lambda event: _invoke(port, event)
        finally:
            process.terminate()


def _invoke_when_ready(invoke: Invoke, event: bytes) -> BufferedResponse:
    """Invoke as soon as the runtime has asked for an invocation: in this mode the emulator queues nothing."""
    deadline = time.monotonic() + SECONDS
    while (response := invoke(event)).headers.get("error-type") == "Runtime.Unavailable" and time.monotonic() < deadline:
        time.sleep(0.01)
    return response


def _invoke(port: int, event: bytes) -> BufferedResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("POST", INVOKE, event, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return BufferedResponse(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_listening(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the Runtime Interface Emulator does not accept connections")
