"""The HTTP/1.1 server behind a test origin."""

import socket
import ssl
import struct
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from peers.origin_content import compressed, etag_of, parse_range, read_chunks
from peers.origin_rules import Request, Rule
from peers.origin_state import Origin

TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".aac": "audio/aac",
    ".json": "application/json",
    ".html": "text/html",
}


class OriginServer(ThreadingHTTPServer):
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
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLEOFError):  # clients are expected to leave early
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
    server: OriginServer
    connection: socket.socket
    body = b""
    _is_used = False
    _head_pace: tuple[int, float] | None = None
    _headers_buffer: list[bytes]

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
            origin.used_connections += not self._is_used
            self._is_used = True
            origin.active_requests += 1
            origin.max_active_requests = max(origin.max_active_requests, origin.active_requests)
        try:
            self._answer(origin.rule_for(self.recorded))
        finally:
            with origin.lock:
                origin.active_requests -= 1

    def _answer(self, rule: Rule) -> None:
        self.server.origin.stopping.wait(rule.delay)
        while rule.continues is not None and not self.server.origin.stopping.wait(rule.continues):
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._head_pace = rule.trickle_head
        content = self.server.origin.content(self.recorded.path) if rule.body is None else rule.body
        if rule.redirect is not None:
            self._send(rule, rule.status or 302, b"", {"Location": rule.redirect})
        elif rule.status is not None:
            self._send(rule, rule.status, rule.body or b"As the rule says.\n", {"Content-Type": "text/plain"})
        elif content is None:
            self._send(rule, 404, b"Not found.\n", {"Content-Type": "text/plain"})
        else:
            self._send_file(rule, content)

    def flush_headers(self) -> None:
        head, self._headers_buffer = b"".join(self._headers_buffer), []
        step, seconds = self._head_pace or (len(head), 0.0)
        for at in range(0, len(head), step):
            self.connection.sendall(head[at : at + step])
            self.server.origin.stopping.wait(seconds)

    def _send_file(self, rule: Rule, content: bytes | Path) -> None:
        etag = etag_of(content) if rule.etag is None else rule.etag
        fields = {
            "Content-Type": TYPES.get(Path(self.recorded.path).suffix, "application/octet-stream"),
            "ETag": etag,
            "Accept-Ranges": "bytes",
        }
        if rule.gzip:
            content = compressed(content if isinstance(content, bytes) else content.read_bytes())
            fields["Content-Encoding"] = "gzip"
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        requested = self.recorded.headers.get("range")
        validators = {etag, rule.headers.get("Last-Modified")}
        if rule.ignore_range or requested is None or self.recorded.headers.get("if-range", etag) not in validators:
            self._send(rule, 200, content, fields)
            return
        found = parse_range(requested, size)
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
        # Names of fields are the same in any case (RFC 9110, 5.1): of two types, which one a browser takes depends on its version.
        replaced = {name.lower() for name in rule.headers}
        for name, value in (*((name, value) for name, value in fields.items() if name.lower() not in replaced), *rule.headers.items()):
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(rule, read_chunks(content, start, stop, rule))
        if rule.no_length or rule.content_length not in {None, stop - start}:
            self.close_connection = True

    def _send_body(self, rule: Rule, chunks: Iterator[bytes]) -> None:
        if rule.has_dense_chunks:
            self._send_dense_chunks(chunks)
            return
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

    def _send_dense_chunks(self, chunks: Iterator[bytes]) -> None:
        """Send many chunks at once: each is a piece for whoever reads them, but not a call of the system for each."""
        while some := list(islice(chunks, 500)):
            self.connection.sendall(b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in some))
            with self.server.origin.lock:
                self.recorded.sent += sum(map(len, some))
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
