"""S3 on loopback: moto behind a proxy that records each request, and fails or waits on command."""

import http.client
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from peers.aws_services import CREDENTIALS

BUCKET = "service"
_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
server.start()
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
sys.stdin.read()
server.stop()
"""
_OPERATIONS = {"HEAD": "HeadObject", "GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


@dataclass(frozen=True)
class Fault:
    """What happens to a request instead of what it asks for, or before it."""

    status: int | None = None
    """The response, with an error of AWS's form; None: that of S3."""
    code: str = "InternalError"
    delay: float = 0.0
    is_empty: bool = False
    """The response has nothing but its status."""
    is_done: bool = False
    """S3 carries the request out all the same: only its response is lost."""


Decide = Callable[[str, int], Fault | None]
"""Returns what is to happen to an operation, given how many of its name came before it."""


@dataclass
class Storage:
    """A bucket and what has been asked of it."""

    address: str
    client: Any = field(repr=False)
    """Asks moto itself."""
    decide: Decide = lambda _operation, _earlier: None
    operations: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    active: Counter[str] = field(default_factory=Counter)
    """How many of each operation are being answered."""
    most_active: Counter[str] = field(default_factory=Counter)
    """The most of each operation that were answered at the same time."""

    @property
    def environ(self) -> dict[str, str]:
        """What the function finds in its environment."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": self.address, "TRANSCODER_BUCKET": BUCKET}

    @property
    def keys(self) -> list[str]:
        """The objects that exist."""
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    @property
    def uploads(self) -> list[str]:
        """The uploads that have neither been completed nor aborted."""
        return [each["UploadId"] for each in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]

    @property
    def counts(self) -> Counter[str]:
        """How often each operation was asked for."""
        return Counter(self.operations)

    @contextmanager
    def counted(self, operation: str) -> Iterator[None]:
        """Count an operation while it is answered."""
        self.active[operation] += 1
        self.most_active[operation] = max(self.most_active[operation], self.active[operation])
        try:
            yield
        finally:
            self.active[operation] -= 1

    def clear(self) -> None:
        """Empty the bucket, and forget what was asked."""
        for key in self.keys:
            self.client.delete_object(Bucket=BUCKET, Key=key)
        for each in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            self.client.abort_multipart_upload(Bucket=BUCKET, Key=each["Key"], UploadId=each["UploadId"])
        self.decide = lambda _operation, _earlier: None
        self.operations.clear()
        self.most_active.clear()


def refuse(refused: str) -> Decide:
    """Return what lets an operation be denied."""
    return lambda operation, _earlier: Fault(403, "AccessDenied") if operation == refused else None


@contextmanager
def storage() -> Iterator[Storage]:
    """Serve a bucket for the length of a block."""
    names = {name.lower(): value for name, value in CREDENTIALS.items() if "KEY" in name}
    with _moto() as moto, closing(boto3.client("s3", endpoint_url=moto, region_name="us-east-1", **names)) as client:
        client.create_bucket(Bucket=BUCKET)
        with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
            server.daemon_threads = True
            found = Storage(f"http://127.0.0.1:{server.server_address[1]}", client)
            server.storage, server.moto = found, urlsplit(moto).netloc  # type: ignore[attr-defined]  # the handler knows the server only
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield found
            finally:
                server.shutdown()
                thread.join()


@contextmanager
def _moto() -> Iterator[str]:
    """Run moto in a process of its own: what it keeps, in memory and in temporary files, is not that of the program."""
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        yield process.stdout.readline().strip()
        process.stdin.close()


def operation_of(method: str, target: str) -> str:
    """Return S3's name of a request."""
    query = parse_qs(urlsplit(target).query, keep_blank_values=True)
    if method == "POST":
        return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
    if "uploadId" in query:
        return "UploadPart" if method == "PUT" else "AbortMultipartUpload"
    return _OPERATIONS[method]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True  # the client has given up

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""

    def _answer(self) -> None:
        found: Storage = self.server.storage  # type: ignore[attr-defined]
        operation = operation_of(self.command, self.path)
        earlier = found.counts[operation]
        found.operations.append(operation)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with found.counted(operation):
            self._respond(found, operation, found.decide(operation, earlier), body)

    def _respond(self, found: Storage, operation: str, fault: Fault | None, body: bytes) -> None:
        if fault:
            time.sleep(fault.delay)
        if fault is None or fault.status is None or fault.is_done:
            with found.lock if operation == "CompleteMultipartUpload" else nullcontext():  # moto looks first, and then writes
                status, headers, content = self._forwarded(body)
        if fault and fault.status is not None:
            error = b"" if fault.is_empty else f"<Error><Code>{fault.code}</Code><Message>No.</Message></Error>".encode()
            status, headers, content = fault.status, {"Content-Type": "application/xml"}, b"" if self.command == "HEAD" else error
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.command != "HEAD" or "content-length" not in {name.lower() for name in headers}:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        with closing(http.client.HTTPConnection(self.server.moto, timeout=60)) as moto:  # type: ignore[attr-defined]
            moto.request(self.command, self.path, body, dict(self.headers))
            response = moto.getresponse()
            content = response.read()
            dropped = {"connection", "server", "date", "transfer-encoding"} | ({"content-length"} if self.command != "HEAD" else set())
            return response.status, {name: text for name, text in response.getheaders() if name.lower() not in dropped}, content

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the names of BaseHTTPRequestHandler
