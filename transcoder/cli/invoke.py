"""`transcoder invoke`: call the function, deployed or emulated, and check that its response is whole."""

import argparse
import asyncio
import time
from collections.abc import Callable

from transcoder.api import Saved
from transcoder.cli.arguments import add_parameter_options, parameter_values
from transcoder.cli.exit_codes import ExitCode
from transcoder.cli.fetch_mp4 import receive_into
from transcoder.cli.function_call import (
    DEFAULT_CONNECTIONS,
    DOWNLOAD,
    EVENTS,
    LINK_SECONDS,
    Call,
    add_connections_option,
    call_by_name,
    call_by_url,
)
from transcoder.cli.printing import tell, write_line
from transcoder.cli.progress import FunctionSink, progress_display
from transcoder.cli.report_options import Reports, add_report_options
from transcoder.cli.saved import report_saved
from transcoder.cli.sign import signed_if_keys
from transcoder.cli.subparsers import Subparsers
from transcoder.cli.termination import until_terminated
from transcoder.core.answer.file_names import file_name, title_from_url
from transcoder.core.request.job import Job, checked_url
from transcoder.core.request.output_format import Deliver, FileFormat, Layout
from transcoder.core.request.signing import encode_query
from transcoder.edge.invoke import LambdaFunction
from transcoder.errors import BadRequestError, ContradictionError
from transcoder.local.output import output_to
from transcoder.local.output_name import check_output_name
from transcoder.local.saving import in_folder
from transcoder.local.source import consistent_job, web_address
from transcoder.pipeline.mp4_receiver import ReceivedMp4
from transcoder.settings import Settings


def add_command(subparsers: Subparsers) -> None:
    """Add the command `invoke` with its options."""
    parser = subparsers.add_parser(
        "invoke",
        description="Let the function on Lambda make an MP4, and check that it is whole.\nThe file appears only if it is.\n"
        "It takes one source; for several, use `transcoder get --via`.",
    )
    parser.add_argument("playlist", metavar="URL", help="the source: the http(s) address of a playlist, or a Reddit link")
    function = parser.add_mutually_exclusive_group(required=True)
    function.add_argument("--function", metavar="NAME", help="call the function with this name or ARN through the AWS SDK")
    function.add_argument("--url", metavar="URL", help="call the function at this address by HTTP")
    parser.add_argument("--endpoint-url", metavar="URL", help="with --function: call this endpoint, such as `transcoder serve`, not AWS")
    parser.add_argument("--sign-aws", action="store_true", help="with --url: sign the request, for a Function URL with auth type AWS_IAM")
    parser.add_argument("--region", metavar="NAME", help="the AWS region (default: that of the address, the environment or the profile)")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where to write the MP4; - is standard output (default: a name made from the address)"
    )
    add_parameter_options(parser)
    parser.add_argument("--force", action="store_true", help="overwrite FILE if it exists")
    add_connections_option(parser)
    add_report_options(parser)
    parser.set_defaults(run=run, check=check)


def check(arguments: argparse.Namespace) -> None:
    """Find what is wrong with the options by themselves.

    Raises:
        BadRequestError: one is invalid, or they contradict each other.

    """
    if arguments.url is not None and (arguments.endpoint_url is not None or (arguments.region is not None and not arguments.sign_aws)):
        message = "--url: --endpoint-url goes with --function, and --region with --function or --sign-aws."
        raise ContradictionError(message, "url", "endpoint_url" if arguments.endpoint_url is not None else "region")
    if arguments.function is not None and arguments.sign_aws:
        raise ContradictionError("--sign-aws: it goes with --url; what the SDK sends is always signed.", "sign_aws", "function")
    Reports.of(arguments)
    check_for_function(arguments)


def check_for_function(arguments: argparse.Namespace) -> None:
    """Find what is wrong with what the function is asked for, whatever the source is. Raises what `check` does."""
    job = consistent_job("", _values(arguments))
    if job.format is FileFormat.FILE:
        raise BadRequestError(
            "--format file: a file does not say whether it is whole, so there is nothing to check; use get without --via."
        )
    if arguments.progress and job.layout is Layout.FRAGMENTED:
        message = "--progress: a fragmented MP4 is streamed while it is made, so that nothing has to be reported."
        raise ContradictionError(message, "progress", "layout")
    if job.format is FileFormat.MP3:
        raise BadRequestError("--format mp3: an MP3 does not say whether it is whole, so there is nothing to check; use --format m4a.")
    if arguments.connections is not None and arguments.connections < 1:
        raise BadRequestError("--connections: at least one range is fetched at once.")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Call the function; return `ExitCode.SUCCESS` only if its response is a whole MP4.

    Raises:
        TranscoderError: the function failed, its response is not whole, or the format cannot be checked; no part of it is left. Or the
            output cannot be written.
        TerminatedError: a signal ended it.

    """
    reports = Reports.of(arguments)
    saved, received = fetch_through_function(
        arguments.playlist, arguments, settings, lambda path, query: _make_call(arguments, path, query)
    )
    if not reports.quiet:
        (tell if arguments.output == "-" or reports.as_json else write_line)(str(received))
    report_saved(saved, as_json=reports.as_json, quiet=reports.quiet)
    return ExitCode.SUCCESS


def fetch_through_function(
    source: str, arguments: argparse.Namespace, settings: Settings, make_call: Callable[[str, str], Call], *, folder: str | None = None
) -> tuple[Saved, ReceivedMp4]:
    """Let the function make an MP4 of `source`, with a call that `make_call` makes of a path and a query. Raises what `run` does."""
    began, reports = time.monotonic(), Reports.of(arguments)
    values = _values(arguments)
    job = consistent_job(checked_url(web_address(source)), values)
    connections = DEFAULT_CONNECTIONS if arguments.connections is None else arguments.connections
    if arguments.output is not None:
        check_output_name(arguments.output, job.format)
    path = in_folder(_output_name(arguments, job), folder)
    output = output_to(path, overwrite=arguments.force)
    query = encode_query(signed_if_keys({**values, "url": job.url}, settings, seconds=LINK_SECONDS))
    events = make_call(EVENTS, query) if arguments.progress and job.deliver is Deliver.S3 else None
    call = make_call(DOWNLOAD, query)
    with progress_display(reports.progress) as display:
        receiving = receive_into(
            output,
            call,
            lambda into: FunctionSink(into, display, path),
            connections=connections,
            with_reports=bool(arguments.progress),
            events=events,
        )
        received = asyncio.run(until_terminated(receiving))
    return Saved(source, path, received.whole.length, received.whole.sent, time.monotonic() - began), received


def _values(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the parameters of the request."""
    return ({"layout": Layout.PLAIN.value} if arguments.progress else {}) | parameter_values(arguments)


def _output_name(arguments: argparse.Namespace, job: Job) -> str:
    return str(arguments.output if arguments.output is not None else file_name(job.filename or title_from_url(job.url), job.format.value))


def _make_call(arguments: argparse.Namespace, path: str, query: str) -> Call:
    if arguments.function is None:
        return call_by_url("--url", arguments.url, query, path=path, sign=arguments.sign_aws, region=arguments.region)
    return call_by_name(LambdaFunction(arguments.function, arguments.endpoint_url, arguments.region), query, path=path)
