"""An HTTP/1.1 origin on loopback that misbehaves by rules and counts what it sends.

    with origin({"/a.ts": data}) as o:                      # or a folder: origin(Path("media"))
        o.rules["/a.ts"] = Rule(cut_after=1000, times=1)    # the first response is cut, the next one is correct
        o.rules["/b.ts"] = [Rule(times=2), Rule(status=404)]    # two correct responses, then always 404
        o.rules["*"] = Rule(ignore_range=True)              # for every path without a rule
        o.decide = lambda request, earlier: ...             # instead of rules: a function of the request and the count of earlier ones
        ... fetch o.url("/a.ts") ...
        assert o.sent < 1_000_000                           # body bytes that the kernel accepted
        assert [request.path for request in o.requests] == ["/a.ts"]

Paths are matched without their query. Without a rule the origin supports GET and HEAD, one byte range, strong ETag, If-Range, and
keep-alive. Leaving the block closes every connection, ends every stall, and joins every thread.
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from peers.origin_rules import GOOD, Request, Rule, garbage, html
from peers.origin_server import OriginServer
from peers.origin_state import Files, Origin

__all__ = ["GOOD", "Files", "Origin", "Request", "Rule", "garbage", "html", "origin"]


@contextmanager
def origin(
    files: Files, *, host: str = "127.0.0.1", send_buffer: int | None = 64 * 1024, tls: ssl.SSLContext | None = None
) -> Iterator[Origin]:
    """Serve `files` (path to bytes, or a folder) on a free port for the length of a block, over TLS if `tls` is given.

    `send_buffer` is SO_SNDBUF of each connection in bytes: small, so that `sent` is close to what the client has read; with None, the
    kernel decides.
    """
    with OriginServer((host, 0), send_buffer, tls) as server:
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
