"""`transcoder get`: run the pipeline on this machine, and write the output to a file or to standard output."""

import argparse
import asyncio

from transcoder.api import Saved, save
from transcoder.cli.arguments import add_parameter_options, parameter_values
from transcoder.cli.choices import choices_of
from transcoder.cli.function_call import Call, add_connections_option, call_by_url
from transcoder.cli.invoke import check_for_function, fetch_through_function
from transcoder.cli.origin_options import add_origin_options, origin_choices, refuse_origin_options
from transcoder.cli.progress import progress_display
from transcoder.cli.report_options import Reports, add_report_options
from transcoder.cli.several import add_several_options, add_sources_argument, check_output, save_each
from transcoder.cli.subparsers import Subparsers
from transcoder.cli.termination import until_terminated
from transcoder.core.request.output_format import FileFormat
from transcoder.edge.address_guard import Network
from transcoder.errors import ContradictionError
from transcoder.local.output_name import check_output_name
from transcoder.local.source import consistent_job
from transcoder.settings import PREFIX, Settings


def add_command(subparsers: Subparsers) -> None:
    """Add the command `get` with its options."""
    parser = subparsers.add_parser(
        "get",
        description="Save a playlist or a Reddit video as one MP4.\nThe file appears only when it is whole.",
    )
    add_sources_argument(parser)
    add_options(parser)
    parser.set_defaults(run=run, check=check)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `get`."""
    add_several_options(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where to write the MP4; - is standard output (default: a name made from the title or the address)",
    )
    add_parameter_options(parser)
    parser.add_argument("--force", action="store_true", help="overwrite FILE if it exists")
    add_origin_options(parser)
    parser.add_argument("--via", metavar="URL", help="let the function at this address make the MP4, and fetch it by ranges if it is plain")
    add_connections_option(parser)
    add_report_options(parser)


def check(arguments: argparse.Namespace) -> None:
    """Find what is wrong with the options by themselves.

    Raises:
        BadRequestError: one is invalid, or they contradict each other.

    """
    Reports.of(arguments)
    check_output(arguments, arguments.urls)
    if arguments.via is None:
        _refuse_options_of_functions(arguments)
        origin_choices(arguments)
        job = consistent_job("", parameter_values(arguments))
        if arguments.output is not None and job.format in {FileFormat.M4A, FileFormat.MP3}:  # a source that is a file has a name of its own
            check_output_name(arguments.output, job.format)
    else:
        refuse_origin_options(arguments, "--via: the function fetches from origins", "via")
        check_for_function(arguments)


def run(arguments: argparse.Namespace, settings: Settings, *, network: Network | None = None) -> int:
    """Save each source from `network`, by default this machine's, as one file; return `ExitCode.SUCCESS` only if all outputs are whole.

    Raises:
        TranscoderError: the output of the only source cannot be made or written; no part of it is left.
        TerminatedError: a signal ended it.

    """
    reports = Reports.of(arguments)
    if arguments.via is None:
        return save_each(arguments, reports, lambda own: _save_here(own, reports, settings, network))
    return save_each(arguments, reports, lambda own: _save_by_function(own, settings))


def _refuse_options_of_functions(arguments: argparse.Namespace) -> None:
    if arguments.deliver is not None:
        raise ContradictionError("--deliver: it is about a function (--via); without one, the output is a file anyway.", "deliver")
    if arguments.connections is not None:
        message = f"--connections: it is about a function (--via); for origins, set {PREFIX}CONNECTIONS."
        raise ContradictionError(message, "connections")


def _save_by_function(arguments: argparse.Namespace, settings: Settings) -> Saved:
    def call(path: str, query: str) -> Call:
        return call_by_url("--via", arguments.via, query, path=path)

    return fetch_through_function(arguments.url, arguments, settings, call, folder=arguments.folder)[0]


def _save_here(arguments: argparse.Namespace, reports: Reports, settings: Settings, network: Network | None) -> Saved:
    with reports.details(), progress_display(reports.progress) as display:
        saving = save(
            arguments.url,
            arguments.output,
            folder=arguments.folder,
            overwrite=arguments.force,
            on_progress=display,
            settings=settings,
            **choices_of(arguments, network),
        )
        return asyncio.run(until_terminated(saving))
