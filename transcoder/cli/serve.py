"""`transcoder serve`: Lambda on loopback around the real bootstrap."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from dataclasses import replace

from transcoder.cli.commands import Commands
from transcoder.cli.exit_codes import Exit, OutputError
from transcoder.emulator import Options, StreamErrors, emulator
from transcoder.settings import PREFIX, Settings

DEFAULT_PORT = 9000


def add_to(commands: Commands) -> None:
    """Add the command `serve` with its options."""
    parser = commands.add_parser("serve", help="run a streaming Function URL on loopback, as Lambda would", allow_abbrev=False)
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="where the Function URL listens; 0 takes any free port (default: %(default)s)"
    )
    parser.add_argument("--allow-private", action="store_true", help="a URL that a caller names may lie on loopback or a private network")
    parser.add_argument(
        "--stream-errors",
        type=StreamErrors,
        choices=list(StreamErrors),
        default=StreamErrors.CUT,
        help="what a client sees of a failure after the first byte: the chunked body cut, or ended cleanly (default: %(default)s)",
    )
    parser.add_argument("--throttle", action="store_true", help="send as Lambda does: 6 MiB at once, then 2 MiB/s")
    parser.add_argument("--concurrency", type=int, default=1, metavar="N", help="how many execution environments (default: %(default)s)")
    parser.add_argument(
        "--timeout", type=float, default=900.0, metavar="SECONDS", help="when an invocation is killed (default: %(default)s)"
    )
    parser.add_argument(
        "--stop-on-disconnect", action="store_true", help="break off an answer whose client has left; Lambda itself does not"
    )
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="after --: another runtime to run instead of the transcoder's")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace, settings: Settings) -> int:
    """Serve until interrupted or terminated.

    Raises:
        OutputError: the port is taken.

    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    allowed = {PREFIX + "ALLOW_PRIVATE": "1"} if parsed.allow_private or settings.allow_private else {}
    options = Options(
        port=parsed.port,
        environ={**os.environ, **allowed},
        timeout_seconds=parsed.timeout,
        concurrency=parsed.concurrency,
        throttle=parsed.throttle,
        stream_errors=parsed.stream_errors,
        stop_on_disconnect=parsed.stop_on_disconnect,
    )
    if parsed.command:
        options = replace(options, command=tuple(parsed.command))
    try:
        return asyncio.run(_serve(options))
    except OSError as error:
        raise OutputError(f"Port {parsed.port}: {error.strerror}.") from error


async def _serve(options: Options) -> Exit:
    ended: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.put_nowait, number)
    async with emulator(options) as running:
        print(f"{running.url}/", flush=True)
        return Exit.INTERRUPTED if await ended.get() is signal.SIGINT else Exit.TERMINATED
