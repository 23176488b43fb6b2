"""The function's runtime, which trusts the CA that BENCH_CA names. The function's own runtime trusts only public CAs."""

import os
import ssl
import sys
from functools import cache, partial

from transcoder import app
from transcoder.bootstrap import main
from transcoder.edge.address_guard import Network


@cache
def tls() -> ssl.SSLContext:
    """Return the context that all connections share."""
    return ssl.create_default_context(cafile=os.environ["BENCH_CA"])


if __name__ == "__main__":
    sys.exit(main(partial(app.application, network=Network(tls=tls))))
