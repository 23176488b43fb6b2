"""An emulated S3 on loopback with one bucket, in its own process."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec

from transcoder.emulator.options import REGION
from transcoder.errors import BadRequestError, TranscoderError
from transcoder.settings import PREFIX

PACKAGES = ("moto", "flask", "flask_cors")
START_SECONDS = 60.0
"""How long it may take to start; the first time, its packages are compiled meanwhile."""
_COMMAND = (sys.executable, "-P", "-m", "transcoder.emulator.s3_server")
_DROPPED = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
"""Variables that would lead the AWS SDK elsewhere."""


@asynccontextmanager
async def s3(bucket: str, environ: Mapping[str, str]) -> AsyncIterator[dict[str, str]]:
    """Emulate S3 for the duration of the block, and yield `environ` for a runtime that uses it: its address, keys and bucket.

    Afterwards the process and its objects are gone; they are also if this process is killed.

    Raises:
        BadRequestError: a package that it needs is not installed.
        TranscoderError: it does not start.
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise BadRequestError(
            f"The emulated S3 needs the package {missing[0]}: pip install 'hls-transcoder[s3]', in a clone pip install '.[s3]'."
        )
    environ = _for_emulated_s3(environ)
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, bucket, env=environ, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, process_group=0
    )
    try:
        yield {**environ, "AWS_ENDPOINT_URL_S3": await _address(process), PREFIX + "BUCKET": bucket, PREFIX + "FILES_URL": ""}
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Wait until the process prints its address."""
    assert process.stdout is not None  # noqa: S101  # it was started with a pipe
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise TranscoderError(f"The emulated S3 has not started within {START_SECONDS:g} s.") from error
    if not line:
        raise TranscoderError("The emulated S3 does not start; its messages are above.")
    return line.decode().strip()


def _for_emulated_s3(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what belongs to a real AWS account, and without a proxy to loopback."""
    kept = {name: value for name, value in environ.items() if name not in _DROPPED}
    # The SDK reads the lower case if there is one.
    no_proxy = ",".join(filter(None, (environ.get("no_proxy", environ.get("NO_PROXY", "")), "127.0.0.1")))
    region = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), REGION)
    keys = {"AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "emulated", "AWS_CONFIG_FILE": os.devnull}
    return {**kept, **region, **keys, "no_proxy": no_proxy, "NO_PROXY": no_proxy}
