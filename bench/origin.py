"""An origin that costs little: files of a folder by sendfile, from one process with epoll, each response after a latency.

    python -m bench.origin FOLDER [--latency SECONDS]

It prints its port. A latency of 40 ms is one round trip: the client waits 40 ms for a response, and another 40 ms for the connection
that it has opened. The connection itself opens at once on loopback, so the first response on it is late by both, less the time for which
the connection had been open before the request. A proxy in front of the origin states the round trips that its own client has spent on
handshakes, in `X-Handshake-Round-Trips`.
"""

import argparse
import heapq
import os
import re
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

RECEIVE_BYTES = 64 * 1024
SEND_BYTES = 1024 * 1024
BACKLOG = 512
TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".mp4": "video/mp4", ".m4s": "video/iso.segment"}
_REQUEST = re.compile(rb"(GET|HEAD) ([^ ?]+)[^ ]* HTTP/1\.([01])\r\n")
_RANGE = re.compile(rb"\r\nrange: *bytes=(?:(\d+)-(\d*)|-(\d+)) *\r\n", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close *\r\n", re.IGNORECASE)
_HANDSHAKES = re.compile(rb"\r\nx-handshake-round-trips: *(\d+) *\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A file that is served."""

    path: str
    size: int
    type: str


@dataclass(slots=True)
class Response:
    """What is still to be sent: a head, then bytes of a file."""

    head: bytes
    descriptor: int = -1
    at: int = 0
    end: int = 0
    last: bool = False
    """The connection is closed after it."""

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@dataclass(slots=True)
class Connection:
    """A client, what it has sent, and what is being sent to it."""

    socket: socket.socket
    accepted: float
    """When it was opened, by the monotonic clock."""
    received: bytes = b""
    response: Response | None = None
    waiting: bool = False
    """Its response is not due yet."""
    watched: int = select.EPOLLIN


@dataclass(slots=True)
class Origin:
    """Serves the files of a folder."""

    files: dict[bytes, File]
    latency: float
    listener: socket.socket
    epoll: select.epoll = field(default_factory=select.epoll)
    connections: dict[int, Connection] = field(default_factory=dict)
    due: list[tuple[float, int, Connection]] = field(default_factory=list)
    """A heap of connections whose responses are late, by the time when each is sent."""
    count: int = 0

    def serve(self) -> None:
        """Serve until the process is ended."""
        self.epoll.register(self.listener, select.EPOLLIN)
        while True:
            for descriptor, _ in self.epoll.poll(self._seconds_to_next()):
                if descriptor == self.listener.fileno():
                    self._accept()
                elif (connection := self.connections.get(descriptor)) is not None:
                    self._advance(connection)
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                connection = heapq.heappop(self.due)[2]
                connection.waiting = False
                self._advance(connection)

    def _seconds_to_next(self) -> float:
        return max(0.0, self.due[0][0] - time.monotonic()) if self.due else -1

    def _accept(self) -> None:
        client, _ = self.listener.accept()
        client.setblocking(False)  # noqa: FBT003  # the name of the method says what it is
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.epoll.register(client, select.EPOLLIN)
        self.connections[client.fileno()] = Connection(client, time.monotonic())

    def _advance(self, connection: Connection) -> None:
        """Go on with a connection as far as that is possible now."""
        try:
            if connection.response is None and not self._receive(connection):
                self._close(connection)
            while connection.response is not None and not connection.waiting and _send(connection):
                last, connection.response = connection.response.last, None
                if last:
                    self._close(connection)
                    return
                self._begin_response(connection)
            self._watch(connection)
        except (ConnectionError, ValueError):
            self._close(connection)

    def _receive(self, connection: Connection) -> bool:
        try:
            received = connection.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return True
        connection.received += received
        self._begin_response(connection)
        return bool(received)

    def _begin_response(self, connection: Connection) -> None:
        """Prepare the response to the next request, if all of that has arrived; `ValueError` if it is no request."""
        request, end, rest = connection.received.partition(b"\r\n\r\n")
        if not end:
            return
        connection.received = rest
        request += b"\r\n"
        now = time.monotonic()
        opened = connection.accepted + self.latency
        if stated := _HANDSHAKES.search(request):
            opened = now + int(stated[1]) * self.latency
        connection.response = self._response(request)
        if self.latency:
            connection.waiting = True
            self.count += 1
            heapq.heappush(self.due, (max(now, opened) + self.latency, self.count, connection))

    def _response(self, request: bytes) -> Response:
        match = _REQUEST.match(request)
        if match is None:
            raise ValueError(request[:80])
        last = match[3] == b"0" or _CLOSE.search(request) is not None
        file = self.files.get(match[2])
        if file is None:
            return Response(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", last=last)
        fields = f'Content-Type: {file.type}\r\nAccept-Ranges: bytes\r\nETag: "{file.size}"\r\n'
        start, end, status = 0, file.size, "200 OK"
        if asked := _RANGE.search(request):
            if asked[3]:
                start = max(0, file.size - int(asked[3]))
            else:
                start, end = int(asked[1]), min(int(asked[2]) + 1 if asked[2] else file.size, file.size)
            if start >= end:
                return Response(f"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n{fields}\r\n".encode(), last=last)
            status = "206 Partial Content"
            fields += f"Content-Range: bytes {start}-{end - 1}/{file.size}\r\n"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {end - start}\r\n{fields}\r\n".encode()
        if match[1] == b"HEAD":
            return Response(head, last=last)
        return Response(head, os.open(file.path, os.O_RDONLY), start, end, last)

    def _watch(self, connection: Connection) -> None:
        """Wait for what the connection needs next: nothing while its response is not due, except for its end."""
        sending = connection.response is not None and not connection.waiting
        wanted = select.EPOLLOUT if sending else 0 if connection.response is not None else select.EPOLLIN
        if connection.socket.fileno() >= 0 and wanted != connection.watched:
            self.epoll.modify(connection.socket, wanted)
            connection.watched = wanted

    def _close(self, connection: Connection) -> None:
        self.connections.pop(connection.socket.fileno(), None)
        connection.socket.close()
        if connection.response is not None:
            connection.response.close()
            connection.response = None


def _send(connection: Connection) -> bool:
    """Send as much of the response as the socket takes; return whether that is all of it."""
    response = connection.response
    assert response is not None  # noqa: S101  # the caller has one
    try:
        if response.head:
            more = socket.MSG_MORE if response.at < response.end else 0
            response.head = response.head[connection.socket.send(response.head, more) :]
        while not response.head and response.at < response.end:
            sent = os.sendfile(connection.socket.fileno(), response.descriptor, response.at, min(response.end - response.at, SEND_BYTES))
            if not sent:
                raise ConnectionError("the file became shorter")
            response.at += sent
    except BlockingIOError:
        return False
    if response.head:
        return False
    response.close()
    return True


def open_origin(folder: Path, *, latency: float, port: int = 0) -> Origin:
    """Listen on loopback for requests for the files that `folder` has now."""
    files = {
        f"/{path.relative_to(folder)}".encode(): File(str(path), path.stat().st_size, TYPES.get(path.suffix, "application/octet-stream"))
        for path in folder.rglob("*")
        if path.is_file()
    }
    listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    return Origin(files, latency, listener)


def main() -> None:
    """Serve a folder, and print the port."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    options = parser.parse_args()
    origin = open_origin(options.folder, latency=options.latency)
    print(origin.listener.getsockname()[1], flush=True)
    sys.stdout.close()
    origin.serve()


if __name__ == "__main__":
    main()
