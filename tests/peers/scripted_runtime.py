"""A runtime whose calls a test makes: the process itself only waits, and the test calls the Runtime API in its place."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import httpx
from peers.running_emulator import emulated, http

from transcoder.emulator import Options, Running

SECONDS = 10.0
API = "/2018-06-01/runtime"
PROGRAM = """
import os, sys, time
with open(sys.argv[1] + ".new", "w") as file:
    file.write(os.environ["AWS_LAMBDA_RUNTIME_API"])
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["errorType"])


@dataclass
class ScriptedRuntime:
    file: Path
    sockets: list[socket.socket] = field(default_factory=list)

    @property
    def command(self) -> tuple[str, ...]:
        return (sys.executable, "-c", PROGRAM, str(self.file))

    @property
    def address(self) -> tuple[str, int]:
        """The address of the Runtime API; known once an invocation has made the emulator start the process."""
        deadline = time.monotonic() + SECONDS
        while not self.file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        host, port = self.file.read_text(encoding="ascii").split(":")
        return host, int(port)

    def call(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
        connection = HTTPConnection(*self.address, timeout=SECONDS)
        try:
            connection.request(method, API + path, body, headers or {})
            response = connection.getresponse()
            return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()

    def next(self) -> tuple[str, Reply]:
        reply = self.call("GET", "/invocation/next")
        assert reply.status == 200
        return reply.headers["lambda-runtime-aws-request-id"], reply

    def send(self, raw: bytes) -> socket.socket:
        """Send raw bytes, and return the open connection."""
        connection = socket.create_connection(self.address, SECONDS)
        self.sockets.append(connection)
        connection.sendall(raw)
        return connection

    def stream(self, request_id: str, *chunks: bytes, end: bytes = b"0\r\n\r\n", prelude: dict[str, object] | None = None) -> socket.socket:
        """Send a streamed response with this prelude and these chunks, followed by the raw bytes `end`."""
        head = json.dumps({"statusCode": 200} if prelude is None else prelude).encode() + b"\0" * 8
        lines = (
            f"POST {API}/invocation/{request_id}/response HTTP/1.1",
            "Host: a",
            "Content-Type: application/vnd.awslambda.http-integration-response",
            "Lambda-Runtime-Function-Response-Mode: streaming",
            "Transfer-Encoding: chunked",
            "",
            "",
        )
        return self.send("\r\n".join(lines).encode() + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (head, *chunks)) + end)


def read_reply(connection: socket.socket) -> Reply:
    response = HTTPResponse(connection)
    response.begin()
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


@contextmanager
def scripted_runtime(folder: Path) -> Iterator[ScriptedRuntime]:
    runtime = ScriptedRuntime(folder / f"runtime-api-{os.getpid()}")
    try:
        yield runtime
    finally:
        for connection in runtime.sockets:
            connection.close()


@dataclass
class Emulation:
    """An emulator, and the scripted runtime that it starts."""

    running: Running
    runtime: ScriptedRuntime
    threads: ThreadPoolExecutor

    def get(self, path: str = "/") -> Future[httpx.Response]:
        """Send a GET request without waiting for the response."""
        return self.threads.submit(http.get, self.running.url + path, timeout=10)


@contextmanager
def emulate(folder: Path, options: Options | None = None) -> Iterator[Emulation]:
    base = options or Options()
    with (
        scripted_runtime(folder) as runtime,
        ThreadPoolExecutor(4) as threads,
        emulated(replace(base, command=runtime.command, environ=dict(os.environ))) as running,
    ):
        yield Emulation(running, runtime, threads)
