"""How many segments are fetched at once: more where the wait for a response takes longer than the response."""

FIRST_CONNECTIONS = 6
"""So many at first, as browsers open to one host."""


class Parallelism:
    """How many segments may be fetched at once.

    Where a round trip takes longer than the bytes of a segment, more requests in flight bring more bytes a second. Where the bytes take
    longer, the origin's rate or this program is the limit, and more requests would only delay the segment that is awaited.
    """

    def __init__(self, most: int) -> None:
        """Allow six at first, and never more than `most`."""
        self._most = most
        self.allowed = min(FIRST_CONNECTIONS, most)

    def learn(self, *, head_seconds: float, body_seconds: float) -> None:
        """Allow one more after a segment whose first byte took longer than all others of its bytes."""
        if head_seconds > body_seconds and self.allowed < self._most:
            self.allowed += 1
