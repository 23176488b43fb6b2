"""The emulated function, as `transcoder serve` has it, but with responses of any length: Lambda's own limit is below a gigabyte.

    python -m bench.serve [RUNTIME ...]

It prints its address, and serves until it is ended.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace

from transcoder.emulator import Options, emulator

RESPONSE_LIMIT = 8 * 1024**3


async def serve(options: Options) -> None:
    """Serve until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with emulator(options) as running:
        print(running.url, flush=True)
        await ended.wait()


def main() -> None:
    """Serve, with the runtime on the command line if there is one."""
    environ = {**os.environ, "TRANSCODER_RESPONSE_LIMIT": str(RESPONSE_LIMIT)}
    options = Options(environ=environ, response_limit=RESPONSE_LIMIT)
    asyncio.run(serve(replace(options, command=tuple(sys.argv[1:])) if sys.argv[1:] else options))


if __name__ == "__main__":
    main()
