"""The requested bytes of a body that is sent from its beginning, although a range was asked for."""

from transcoder.edge.fetch.delivered_bytes import EDGE_BYTES


class BodySlice:
    """Takes a body piece by piece, and returns what lies in the requested range."""

    def __init__(self, start: int, stop: int | None) -> None:
        """Return the bytes from `start` to before `stop`; None: to the end."""
        self._start = start
        self._stop = stop
        self.received = 0
        """How many bytes of the body have been taken."""
        self.following = b""
        """The first bytes behind the range, as far as they were in one piece; at most `EDGE_BYTES`."""

    def take(self, piece: bytes) -> bytes:
        """Take the next bytes of the body and return those that lie in the range."""
        at, self.received = self.received, self.received + len(piece)
        if self._stop is not None and at <= self._stop < self.received:
            self.following = piece[self._stop - at :][:EDGE_BYTES]
        return piece[max(0, self._start - at) : None if self._stop is None else max(0, self._stop - at)]
