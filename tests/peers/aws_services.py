"""AWS's services on loopback, as moto emulates them over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
"""What the SDK finds in the environment on Lambda."""


@contextmanager
def aws_services() -> Iterator[str]:
    """Serve S3, Secrets Manager and others for the length of a block, all at this address."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()
