"""An HTTP/1.1 origin on loopback that misbehaves by rules and counts what it sends.

    with origin({"/a.ts": data}) as o:                      # or a folder: origin(Path("media"))
        o.rules["/a.ts"] = Rule(cut_after=1000, times=1)    # the first response is cut, the next one is correct
        o.rules["/b.ts"] = [Rule(times=2), Rule(status=404)]    # two correct responses, then always 404
        o.rules["*"] = Rule(ignore_range=True)              # for every path without a rule
        ... fetch o.url("/a.ts") ...
        assert o.sent < 1_000_000                           # body bytes that the kernel accepted
        assert [request.path for request in o.requests] == ["/a.ts"]

Paths are matched without their query. Without a rule the origin supports GET and HEAD, one byte range, strong ETag, If-Range, and
keep-alive. Leaving the block closes every connection, ends every stall, and joins every thread.
"""

import gzip
import hashlib
import os
import re
import socket
import ssl
import struct
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from peers.origin_rules import GOOD, Request, Rule, garbage, html

CHUNK_BYTES = 16 * 1024

TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".aac": "audio/aac",
    ".json": "application/json",
    ".html": "text/html",
}


Files = Mapping[str, bytes] | Path

__all__ = ["GOOD", "Files", "Origin", "Request", "Rule", "garbage", "html", "origin"]


class Origin:
    """The origin's state: its files, its rules, and the requests so far. Made by `origin`."""

    def __init__(self, files: Files, *, base: str) -> None:
        """Serve `files` under `base`, such as `http://127.0.0.1:8000`."""
        self.files = files
        self.base = base
        self.rules: dict[str, Rule | Sequence[Rule]] = {}
        self.requests: list[Request] = []
        self.connections = 0
        """How many connections have been accepted."""
        self.open_connections = 0
        """How many are open now."""
        self.active_requests = 0
        """How many requests are being answered now."""
        self.max_active_requests = 0
        """The most requests that were answered at the same time."""
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self._used: Counter[tuple[str, int]] = Counter()

    def url(self, path: str) -> str:
        """Return the URL of `path`, which begins with a slash and may have a query."""
        return self.base + path

    @property
    def sent(self) -> int:
        """Body bytes that the kernel has accepted, over all paths."""
        with self.lock:
            return sum(request.sent for request in self.requests)

    def sent_of(self, path: str) -> int:
        """Body bytes that the kernel has accepted for one path."""
        return sum(request.sent for request in self.requests_of(path))

    def requests_of(self, path: str) -> list[Request]:
        """Return the requests for one path, in the order of their arrival."""
        with self.lock:
            return [request for request in self.requests if request.path == path]

    def rule_for(self, request: Request) -> Rule:
        """Return the first rule that applies to this request, and count its use."""
        name = request.path if request.path in self.rules else "*"
        rules = self.rules.get(name, ())
        with self.lock:
            for number, rule in enumerate([rules] if isinstance(rules, Rule) else rules):
                if rule.times is not None and self._used[name, number] >= rule.times:
                    continue
                if rule.when is None or rule.when(request):
                    self._used[name, number] += 1
                    return rule
        return GOOD

    def content(self, path: str) -> bytes | Path | None:
        """Return the bytes or the file that `path` names; None if there is neither."""
        if isinstance(self.files, Path):
            file = (self.files / path.lstrip("/")).resolve()
            return file if file.is_file() and file.is_relative_to(self.files.resolve()) else None
        return self.files.get(path)


@contextmanager
def origin(
    files: Files, *, host: str = "127.0.0.1", send_buffer: int | None = 64 * 1024, tls: ssl.SSLContext | None = None
) -> Iterator[Origin]:
    """Serve `files` (path to bytes, or a folder) on a free port for the length of a block, over TLS if `tls` is given.

    `send_buffer` is SO_SNDBUF of each connection in bytes: small, so that `sent` is close to what the client has read; with None, the
    kernel decides.
    """
    with _Server((host, 0), send_buffer, tls) as server:
        server.origin = Origin(files, base=f"http{'s' if tls else ''}://{host}:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.origin
        finally:
            server.origin.stopping.set()
            server.shutdown()
            thread.join()
            server.close_connections()


class _Server(ThreadingHTTPServer):
    """Uses one thread per connection, and joins all of them at the end."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128
    origin: Origin

    def __init__(self, address: tuple[str, int], send_buffer: int | None, tls: ssl.SSLContext | None) -> None:
        self.open: set[socket.socket] = set()
        self._tls = tls
        super().__init__(address, _Handler)
        if send_buffer is not None:  # accepted connections inherit it
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)

    def server_bind(self) -> None:
        # HTTPServer's own method would look up the host name in the DNS.
        super(ThreadingHTTPServer, self).server_bind()
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        # The connection's own thread does the handshake.
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) if self._tls else connection, address

    def close_connections(self) -> None:
        """Close all connections, which wakes the threads that read or write them."""
        with self.origin.lock:
            for connection in self.open:
                _shut(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # clients are expected to leave early
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _shut(connection: socket.socket) -> None:
    """Shut down both directions of a connection that may already be gone."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _CutError(ConnectionError):
    """The rule ends the connection here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    connection: socket.socket
    body = b""

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.server.origin.lock:
            self.server.open.add(self.connection)
            self.server.origin.connections += 1
            self.server.origin.open_connections += 1
        if self.server.origin.stopping.is_set():
            _shut(self.connection)

    def finish(self) -> None:
        with self.server.origin.lock:
            self.server.open.discard(self.connection)
            self.server.origin.open_connections -= 1
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Log nothing: `requests` is the log."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.recorded = Request(
            self.command, unquote(parts.path), parts.query, {name.lower(): value for name, value in self.headers.items()}
        )
        self.recorded.body = self.body
        origin = self.server.origin
        with origin.lock:
            origin.requests.append(self.recorded)
            origin.active_requests += 1
            origin.max_active_requests = max(origin.max_active_requests, origin.active_requests)
        try:
            self._answer(origin.rule_for(self.recorded))
        finally:
            with origin.lock:
                origin.active_requests -= 1

    def _answer(self, rule: Rule) -> None:
        self.server.origin.stopping.wait(rule.delay)
        content = self.server.origin.content(self.recorded.path) if rule.body is None else rule.body
        if rule.redirect is not None:
            self._send(rule, rule.status or 302, b"", {"Location": rule.redirect})
        elif rule.status is not None:
            self._send(rule, rule.status, rule.body or b"As the rule says.\n", {"Content-Type": "text/plain"})
        elif content is None:
            self._send(rule, 404, b"Not found.\n", {"Content-Type": "text/plain"})
        else:
            self._send_file(rule, content)

    def _send_file(self, rule: Rule, content: bytes | Path) -> None:
        etag = _etag(content) if rule.etag is None else rule.etag
        fields = {
            "Content-Type": TYPES.get(Path(self.recorded.path).suffix, "application/octet-stream"),
            "ETag": etag,
            "Accept-Ranges": "bytes",
        }
        if rule.gzip:
            content = gzip.compress(content if isinstance(content, bytes) else content.read_bytes(), compresslevel=1)
            fields["Content-Encoding"] = "gzip"
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        requested = self.recorded.headers.get("range")
        validators = {etag, rule.headers.get("Last-Modified")}
        if rule.ignore_range or requested is None or self.recorded.headers.get("if-range", etag) not in validators:
            self._send(rule, 200, content, fields)
            return
        found = _range(requested, size)
        if found is None:
            self._send(rule, 416, b"", fields | {"Content-Range": f"bytes */{size}"})
            return
        fields["Content-Range"] = rule.content_range or f"bytes {found[0]}-{found[1] - 1}/{size}"
        self._send(rule, 206, content, fields, found)

    def _send(self, rule: Rule, status: int, content: bytes | Path, fields: dict[str, str], part: tuple[int, int] | None = None) -> None:
        start, stop = part or (0, len(content) if isinstance(content, bytes) else content.stat().st_size)
        if rule.chunked:
            fields["Transfer-Encoding"] = "chunked"
        elif rule.no_length:
            fields["Connection"] = "close"
        else:
            fields["Content-Length"] = str(stop - start if rule.content_length is None else rule.content_length)
        self.recorded.status = status
        self.send_response(status)
        for name, value in (fields | dict(rule.headers)).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(rule, _chunks(content, start, stop, rule))
        if rule.no_length or rule.content_length not in {None, stop - start}:
            self.close_connection = True

    def _send_body(self, rule: Rule, chunks: Iterator[bytes]) -> None:
        for chunk in chunks:
            if rule.chunked:
                self.connection.sendall(f"{len(chunk):x}\r\n".encode())
            self._push(chunk, rule)
            if rule.chunked:
                self.connection.sendall(b"\r\n")
            if rule.trickle is not None:
                self.server.origin.stopping.wait(rule.trickle[1])
        self._stop_if_due(rule)
        if rule.chunked:
            self.connection.sendall(b"0\r\n\r\n")

    def _push(self, chunk: bytes, rule: Rule) -> None:
        """Send `chunk` and count the bytes that the kernel accepts, up to where the rule stops."""
        view = memoryview(chunk)
        while view:
            self._stop_if_due(rule)
            limits = [limit - self.recorded.sent for limit in (rule.cut_after, rule.stall_after) if limit is not None]
            count = self.connection.send(view[: min([len(view), *limits])])
            with self.server.origin.lock:
                self.recorded.sent += count
            view = view[count:]

    def _stop_if_due(self, rule: Rule) -> None:
        """Cut or stall once as many bytes were sent as the rule allows."""
        if rule.cut_after is not None and self.recorded.sent >= rule.cut_after:
            if rule.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise _CutError
        if rule.stall_after is not None and self.recorded.sent >= rule.stall_after:
            self._wait_for_client_to_leave()
            raise _CutError

    def _wait_for_client_to_leave(self) -> None:
        self.connection.settimeout(0.05)
        while not self.server.origin.stopping.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue


def _etag(content: bytes | Path) -> str:
    if isinstance(content, Path):
        stat = content.stat()
        return f'"{stat.st_size:x}-{stat.st_mtime_ns:x}"'
    # Hashing everything would cost more than sending it; both ends and the length distinguish the test files.
    return f'"{len(content):x}-{zlib.crc32(content[:65536]):x}-{hashlib.sha256(content[-65536:]).hexdigest()[:16]}"'


def _range(text: str, size: int) -> tuple[int, int] | None:
    """Parse a single byte range (RFC 9110, 14.1.2) as start and stop; None if it cannot be satisfied."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", text.strip())
    if match is None or match[0].endswith("=-"):
        return None
    if not match[1]:
        start, stop = max(0, size - int(match[2])), size
    else:
        start, stop = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
    return (start, stop) if start < stop else None


def _chunks(content: bytes | Path, start: int, stop: int, rule: Rule) -> Iterator[bytes]:
    """Yield the bytes from `start` to `stop` in chunks of the rule's size."""
    step = rule.trickle[0] if rule.trickle else CHUNK_BYTES
    if isinstance(content, bytes):
        for at in range(start, stop, step):
            yield content[at : min(at + step, stop)]
        return
    with content.open("rb") as file:
        file.seek(start, os.SEEK_SET)
        while start < stop and (chunk := file.read(min(step, stop - start))):
            start += len(chunk)
            yield chunk
