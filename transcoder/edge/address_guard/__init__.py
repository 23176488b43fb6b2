"""The connections to origins: where they may go, how they are kept, and what is said on them."""

from transcoder.edge.address_guard.exchange import LongHeadError, Trace
from transcoder.edge.address_guard.guard import (
    HOST_CLASS,
    INTERNET,
    KEEP_ALIVE_SECONDS,
    Network,
    check_classes,
    checked_addresses,
    has_public_peer,
    tls,
)
from transcoder.edge.address_guard.socket_stream import RECEIVE_BUFFER
from transcoder.edge.address_guard.transport import MORE_FOLLOW, SPARES, GuardedTransport

__all__ = [
    "HOST_CLASS",
    "INTERNET",
    "KEEP_ALIVE_SECONDS",
    "MORE_FOLLOW",
    "RECEIVE_BUFFER",
    "SPARES",
    "GuardedTransport",
    "LongHeadError",
    "Network",
    "Trace",
    "check_classes",
    "checked_addresses",
    "has_public_peer",
    "tls",
]
