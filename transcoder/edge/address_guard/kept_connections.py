"""Connections that no request uses at the moment."""

import time
from ipaddress import ip_address

from transcoder.core.request.addresses import AddressClass, classify
from transcoder.edge.address_guard.guard import KEEP_ALIVE_SECONDS
from transcoder.edge.address_guard.socket_stream import SocketStream

Origin = tuple[str, str, int]
"""Scheme, host and port."""


class Connection:
    """A connection to an origin."""

    def __init__(self, origin: Origin, stream: SocketStream) -> None:
        """Own `stream`, which is connected to `origin`."""
        self.origin = origin
        self.stream = stream
        self.expires = 0.0
        """When it is not used any more, by the monotonic clock."""

    @property
    def is_usable(self) -> bool:
        """Whether a request may be sent: what can be read before that is the end of the connection, or belongs to no response."""
        return time.monotonic() < self.expires and not self.stream.is_readable()

    @property
    def is_public(self) -> bool:
        """Whether it goes to a public address, so that any request may be sent over it."""
        return classify(ip_address(self.stream.peer_address)) is AddressClass.PUBLIC


class KeptConnections:
    """Connections that are kept for the next request."""

    def __init__(self) -> None:
        """Keep none yet."""
        self._connections: list[Connection] = []
        """The last one is used next."""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._connections)

    def count(self, origin: Origin) -> int:
        """Return how many of them go to an origin."""
        return sum(each.origin == origin for each in self._connections)

    def add(self, connection: Connection, *, is_new: bool) -> None:
        """Keep a connection. One that is new comes after all others: a server that serves one after another waits for the oldest."""
        connection.expires = time.monotonic() + KEEP_ALIVE_SECONDS
        if is_new:
            self._connections.insert(0, connection)
        else:
            self._connections.append(connection)

    def take(self, origin: Origin) -> Connection | None:
        """Return a connection to an origin, which is not kept any more; None if none is usable."""
        while kept := next((each for each in reversed(self._connections) if each.origin == origin), None):
            self._connections.remove(kept)
            if kept.is_usable:
                return kept
            kept.stream.close()
        return None

    def close_one(self) -> None:
        """Close the one that would be used last."""
        self._connections.pop(0).stream.close()

    def close(self) -> None:
        """Close all."""
        while self._connections:
            self.close_one()
