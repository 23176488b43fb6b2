"""`transcoder invoke`: calls the function, deployed or emulated, and finds out whether what it sends is whole."""

import argparse
import asyncio
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from transcoder import __version__
from transcoder.cli.arguments import add_parameters, values_of
from transcoder.cli.commands import Commands
from transcoder.cli.exit_codes import Exit, table
from transcoder.cli.output import FileOutput, Output, StandardOutput
from transcoder.cli.progress import progress
from transcoder.cli.received_mp4 import Mp4Receiver, Report
from transcoder.cli.sign import signed_if_keys
from transcoder.core.answer.file_names import file_name, title_from_url
from transcoder.core.request.job import Job, checked_url
from transcoder.core.request.output_format import FileFormat
from transcoder.core.request.parameters import make_job
from transcoder.core.request.signing import encode_query
from transcoder.edge.invoke import FunctionUrl, LambdaFunction, Receiver
from transcoder.emulator.function_url_event import HttpRequest, make_event, new_trace_id
from transcoder.errors import BadRequestError, single_error
from transcoder.settings import Settings

_SIGNED_SECONDS = 3600
Call = Callable[[Receiver], Awaitable[None]]
"""Calls the function, has its answer received, and returns if the transport says that all went well."""


def add_to(commands: Commands) -> None:
    """Add the command `invoke` with its options."""
    parser = commands.add_parser(
        "invoke",
        help="have the function on Lambda make an MP4, and check that it is whole",
        epilog=table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("playlist", metavar="URL", help="what the function is to make an MP4 of: an http(s) address")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--function", metavar="NAME", help="call this function through the SDK; a name or an ARN")
    whom.add_argument("--url", metavar="URL", help="call the function that answers under this address, by HTTP")
    parser.add_argument("--endpoint-url", metavar="URL", help="with --function: whom to ask instead of AWS, such as `transcoder serve`")
    parser.add_argument("--sign-aws", action="store_true", help="with --url: sign the request, as a URL of the auth type AWS_IAM wants it")
    parser.add_argument("--region", metavar="NAME", help="the AWS region (default: that of the address, the environment or the profile)")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where the MP4 goes, - for standard output (default: a name made from the address)"
    )
    add_parameters(parser)
    parser.add_argument("--force", action="store_true", help="overwrite FILE")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace, settings: Settings) -> int:
    """Call the function; returns `Exit.WHOLE` only if the MP4 is whole.

    Raises:
        TranscoderError: it is not, or the function failed, or nothing could tell; nothing is left of it.
        OutputError: the output could not be written.

    """
    values = values_of(parsed)
    job = make_job(checked_url(parsed.playlist), values)
    if job.format is FileFormat.MP3:
        raise BadRequestError("--format mp3: nothing in an MP3 says that it is whole, so there is nothing to check; m4a does.")
    output: Output = StandardOutput() if parsed.output == "-" else FileOutput(Path(_name(parsed, job)), overwrite=parsed.force)
    query = encode_query(signed_if_keys({**values, "url": job.url}, settings, seconds=_SIGNED_SECONDS))
    return asyncio.run(_until_terminated(_call(parsed, query), output, said=sys.stderr if parsed.output == "-" else sys.stdout))


def _name(parsed: argparse.Namespace, job: Job) -> str:
    return str(parsed.output or file_name(job.filename or title_from_url(job.url), job.format.value))


def _call(parsed: argparse.Namespace, query: str) -> Call:
    if parsed.function is None:
        base = checked_url(parsed.url).partition("?")[0].rstrip("/")
        address = FunctionUrl(f"{base.removesuffix('/download')}/download?{query}", sign=parsed.sign_aws, region=parsed.region)
        return lambda receiver: address.invoke(into=receiver)
    function = LambdaFunction(parsed.function, parsed.endpoint_url, parsed.region)
    return lambda receiver: function.invoke(_event(query), into=receiver)


def _event(query: str) -> bytes:
    """Make the event that a Function URL would make of the request: the SDK passes on what it is given."""
    headers = (("host", "localhost"), ("user-agent", f"transcoder/{__version__}"))
    request = HttpRequest("GET", f"/download?{query}", headers, b"", "127.0.0.1")
    return make_event(request, request_id=str(uuid.uuid4()), trace_id=new_trace_id(), now=datetime.now(UTC))


class _Said(Protocol):
    def write(self, text: str, /) -> object: ...


async def _until_terminated(call: Call, output: Output, *, said: _Said) -> Exit:
    with single_error():
        async with asyncio.TaskGroup() as tasks:
            invoke = tasks.create_task(_invoke(call, output))
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, invoke.cancel)
    if invoke.cancelled():
        return Exit.TERMINATED
    said.write(f"{invoke.result()}\n")
    return Exit.WHOLE


async def _invoke(call: Call, output: Output) -> Report:
    with output:
        with progress(output) as sink:
            reception = Mp4Receiver(sink)
            await call(reception)
            report = reception.end()
        output.keep()
    return report
