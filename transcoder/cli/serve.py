"""`transcoder serve`: emulate Lambda on this machine, around the real bootstrap."""

import argparse
import asyncio
import ipaddress
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TypeVar

from transcoder.cli.exit_codes import ExitCode
from transcoder.cli.printing import tell
from transcoder.cli.subparsers import Subparsers
from transcoder.emulator import Front, Options, StreamErrors, emulator, s3
from transcoder.errors import BadRequestError, OutputError
from transcoder.settings import PREFIX, Settings

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9000
BUCKET = "transcoder"
"""The name of the bucket of `--s3`, unless the settings name another."""

_EXAMPLE = """Open it in a browser, or save a video with:
    curl --fail -OJ '{}/download?url=https://example.com/video/main.m3u8'"""

N = TypeVar("N", int, float)


def add_command(subparsers: Subparsers) -> None:
    """Add the command `serve` with its options."""
    parser = subparsers.add_parser(
        "serve",
        description="Emulate Lambda with a streaming Function URL on this machine. Prints the URL, and runs until it is interrupted.",
    )
    _add_address(parser)
    parser.add_argument(
        "--s3", action="store_true", help="emulate S3 too, with a bucket for the function; the address and the bucket are printed to stderr"
    )
    parser.add_argument("--allow-private", action="store_true", help="let callers name addresses on loopback and private networks")
    _add_options_of_the_front(parser)
    _add_options_of_lambda(parser)
    _add_log_option(parser)
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="after --: the runtime to start instead of Transcoder's own")
    parser.set_defaults(run=run)


def _add_options_of_the_front(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what clients talk to."""
    parser.add_argument(
        "--front",
        type=Front,
        choices=list(Front),
        default=Front.FUNCTION_URL,
        help="what is in front of the function: a Function URL, or a REST API of API Gateway (default: %(default)s)",
    )
    parser.add_argument(
        "--stream-errors",
        type=StreamErrors,
        choices=list(StreamErrors),
        default=StreamErrors.CUT,
        help="how a response ends that fails after its first byte: without its last chunk, or as if it were whole (default: %(default)s)",
    )


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        type=_number(int, 0, 65535),
        default=DEFAULT_PORT,
        help="port of the Function URL; 0 takes any free port (default: %(default)s)",
    )
    parser.add_argument(
        "--host",
        type=_address,
        default=DEFAULT_HOST,
        metavar="ADDRESS",
        help="IPv4 address to listen on; with another than one of loopback, such as 0.0.0.0, callers may name the same hosts as on Lambda, "
        "and --allow-private is refused (default: %(default)s)",
    )


def _add_options_of_lambda(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how like Lambda, and like which configuration of it, the emulator is."""
    parser.add_argument("--throttle", action="store_true", help="send at Lambda's rate: 6 MiB at once, then 2 MiB/s")
    parser.add_argument(
        "--concurrency", type=_number(int, 1, 1000), default=4, metavar="N", help="number of execution environments (default: %(default)s)"
    )
    parser.add_argument(
        "--queue",
        type=_number(int, 0, 1000),
        default=0,
        metavar="N",
        help="let so many requests wait while all environments are busy; others get 429, as on Lambda (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        type=_number(float, 0.1, 86400),
        default=900.0,
        metavar="SECONDS",
        help="kill an invocation after this time (default: %(default)g)",
    )
    parser.add_argument("--snap-start", action="store_true", help="start the runtime as SnapStart does, by way of a snapshot")
    parser.add_argument(
        "--stop-on-disconnect", action="store_true", help="stop the invocation when its client disconnects, which Lambda does not do"
    )


def _add_log_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log",
        choices=("text", "json"),
        default="text",
        help="log each request as a line of text, or as the JSON from which CloudWatch makes metrics (default: %(default)s)",
    )


def _address(text: str) -> str:
    """Read the address to listen on."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IPv4 address, such as 127.0.0.1 or 0.0.0.0") from error


def _number(kind: Callable[[str], N], least: float, most: float) -> Callable[[str], N]:
    """Return what reads an option's number, and refuses one that is not from `least` to `most`."""

    def read(text: str) -> N:
        try:
            number = kind(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least:g} to {most:g}")
        return number

    return read


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until interrupted or terminated.

    Raises:
        OutputError: the port is taken, or the address is not one of this machine.
        BadRequestError: others than this machine could reach private networks.
        BadRequestError, TranscoderError: S3 cannot be emulated.

    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    allow_private = _allowed_private(arguments.host, is_allowed=arguments.allow_private or settings.allow_private)
    options = Options(
        host=arguments.host,
        port=arguments.port,
        environ={**os.environ, PREFIX + "LOG_TEXT": str(int(arguments.log == "text")), **allow_private},
        front=arguments.front,
        timeout_seconds=arguments.timeout,
        snap_start=arguments.snap_start,
        concurrency=arguments.concurrency,
        max_waiting=arguments.queue,
        throttle=arguments.throttle,
        stream_errors=arguments.stream_errors,
        stop_on_disconnect=arguments.stop_on_disconnect,
    )
    if arguments.command:
        options = replace(options, command=tuple(arguments.command))
    try:
        return asyncio.run(_serve(options, bucket=(settings.bucket or BUCKET) if arguments.s3 else ""))
    except OSError as error:
        raise OutputError(f"{arguments.host}, port {arguments.port}: {error.strerror}.") from error


def _allowed_private(host: str, *, is_allowed: bool) -> dict[str, str]:
    """Return the variable that allows private networks, if they are; not to callers on other machines."""
    if is_allowed and not ipaddress.ip_address(host).is_loopback:
        raise BadRequestError(
            f"With --host {host}, other machines could fetch from this machine's networks: leave out --allow-private and "
            f"{PREFIX}ALLOW_PRIVATE."
        )
    return {PREFIX + "ALLOW_PRIVATE": "1"} if is_allowed else {}


async def _serve(options: Options, *, bucket: str) -> ExitCode:
    """Serve until a signal comes, with an emulated S3 if `bucket` is to be there."""
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, number)
    async with AsyncExitStack() as stack:
        if bucket:
            options = replace(options, environ=await stack.enter_async_context(s3(bucket, options.environ)))
            tell(f"S3: {options.environ['AWS_ENDPOINT_URL_S3']}/{bucket}")
        running = await stack.enter_async_context(emulator(options))
        print(f"{running.url}/", flush=True)
        if sys.stderr is not None and sys.stderr.isatty():
            tell(_EXAMPLE.format(running.url))
        return ExitCode.of_signal(await signals.get())
