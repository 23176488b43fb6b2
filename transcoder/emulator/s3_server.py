"""The program that emulates S3: `python -m transcoder.emulator.s3_server BUCKET` prints its address, and runs until its input ends.

It is moto's server. Objects are in its memory, or in files without a name if they are long, and are gone with it.
"""

import logging
import os
import sys
from contextlib import closing

import boto3
from moto.server import ThreadedMotoServer


def main() -> None:
    """Serve on a free port of loopback; the end of the input is also that of the process that started this one, however that comes."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # otherwise each request is a line
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    with closing(boto3.client("s3", endpoint_url=address)) as client:
        client.create_bucket(Bucket=sys.argv[1])
    print(address, flush=True)  # noqa: T201  # this is what it is asked for
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdin.read()


if __name__ == "__main__":
    main()
