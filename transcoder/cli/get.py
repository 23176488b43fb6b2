"""`transcoder get`: run the pipeline on this machine, and write the output to a file or to standard output."""

import argparse
import asyncio
from contextlib import ExitStack
from dataclasses import dataclass

from transcoder.cli.arguments import add_parameter_options, add_source_argument, parse_job
from transcoder.cli.exit_codes import ExitCode
from transcoder.cli.file_sink import FileSink
from transcoder.cli.function_call import add_connections_option, add_progress_option, call_by_url
from transcoder.cli.invoke import fetch_through_function
from transcoder.cli.local_plain import find_index, is_finished_first, write_finished, write_mapped
from transcoder.cli.origin_options import OriginOptions, add_origin_options
from transcoder.cli.output import Output, output_to
from transcoder.cli.output_name import check_output_name
from transcoder.cli.progress import progress_sink
from transcoder.cli.subparsers import Subparsers
from transcoder.cli.termination import until_terminated
from transcoder.cli.verifying_sink import verifying
from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.plan import Plan
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import FileFormat
from transcoder.core.source.metadata import metadata_of
from transcoder.core.source.source import ResolvedSource
from transcoder.edge import ffmpeg
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.edge.fetch import Fetcher
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import BadRequestError, UnsupportedSourceError, single_error
from transcoder.pipeline import Sink, transcode
from transcoder.pipeline.plain_index import Labels
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import PREFIX, Settings


def add_command(subparsers: Subparsers) -> None:
    """Add the command `get` with its options."""
    parser = subparsers.add_parser(
        "get",
        description="Save a playlist or a Reddit video as one MP4.\nThe file appears only when it is whole.",
    )
    add_source_argument(parser)
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
    add_progress_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, *, network: Network = INTERNET) -> int:
    """Save one source from `network` as one file; return `ExitCode.SUCCESS` only if the output is whole.

    Raises:
        TranscoderError: the output cannot be made; no part of it is left.
        OutputError: the output cannot be written.
        TerminatedError: a signal ended it.

    """
    if arguments.via is not None:
        if arguments.header or arguments.header_for or arguments.referer or arguments.user_agent or arguments.proxy is not None:
            raise BadRequestError(
                "--via: the function fetches from origins, without --header, --header-for, --referer, --user-agent and --proxy."
            )
        fetch_through_function(arguments.url, arguments, settings, lambda path, query: call_by_url(arguments.via, query, path=path))
        return ExitCode.SUCCESS
    if arguments.deliver is not None:
        raise BadRequestError("--deliver: it is about a function (--via); without one, the output is a file anyway.")
    if arguments.connections is not None:
        raise BadRequestError(f"--connections: it is about a function (--via); for origins, set {PREFIX}CONNECTIONS.")
    if arguments.progress:
        raise BadRequestError("--progress: it is about a function (--via); without one, a terminal shows the progress anyway.")
    job = parse_job(arguments)
    output = _OutputOptions(arguments.output, overwrite=arguments.force)
    asyncio.run(until_terminated(_save(job, OriginOptions.of(arguments, job.url, network), output, settings)))
    return ExitCode.SUCCESS


@dataclass(frozen=True, slots=True)
class _OutputOptions:
    """The user's choice of where the output goes."""

    path: str | None
    """`-` is standard output; None: a name made from the source."""
    overwrite: bool


async def _save(job: Job, origins: OriginOptions, options: _OutputOptions, settings: Settings) -> None:
    with ExitStack() as stack, single_error():
        # A path that the user chose is opened before anything is fetched: it may be impossible to write to, or a reader may wait for it.
        output = stack.enter_context(output_to(options.path, overwrite=options.overwrite)) if options.path is not None else None
        resolver = Resolver(settings)
        async with TaskGroup() as tasks, origins.fetcher(settings) as fetcher:
            ffmpeg_path = tasks.create_task(ffmpeg.find_ffmpeg(settings.ffmpeg))
            source = await resolver.find(job, fetcher=fetcher)
            resolved = await resolver.resolve(source, job, fetcher=fetcher)
            program = ffmpeg.Program(await ffmpeg_path, settings.ffmpeg_seconds)

            name = file_name(job.filename or source.name, resolved.extension(job))
            output = output or stack.enter_context(output_to(name, overwrite=options.overwrite))
            if resolved.file:
                await _pass_through(resolved.file, job, fetcher, output)
            else:
                _check_possible(resolved, job, options.path if output.folder else None)
                labels = Labels(metadata_of(source), resolved.audio_language)
                await _Making(job, resolved.plan, labels, fetcher, program, settings).write(output)
            output.commit()


def _check_possible(resolved: ResolvedSource, job: Job, path: str | None) -> None:
    """Refuse audio that cannot be selected, as it is refused where there is only other audio, and a path that promises another format."""
    if path is not None:
        check_output_name(path, job.format)
    if job.audio is not None and resolved.multivariant is None:
        raise UnsupportedSourceError(
            f"--audio {job.audio}: the source does not say what its audio is, so none can be selected; leave out --audio."
        )


async def _pass_through(file: FileHead, job: Job, fetcher: Fetcher, output: Output) -> None:
    with progress_sink(output) as sink:
        file_sink = FileSink(sink, any_file=job.format is FileFormat.FILE)
        await fetcher.pass_through(file.requested_url, {}, file_sink)
        await file_sink.finish()


@dataclass(frozen=True, slots=True)
class _Making:
    """An output that is made of a plan."""

    job: Job
    plan: Plan
    labels: Labels
    fetcher: Fetcher
    program: ffmpeg.Program
    settings: Settings

    async def write(self, output: Output) -> None:
        """Write it in the layout that the job, the source and the output leave."""
        fetcher, settings = self.fetcher, self.settings
        if file := await find_index(self.plan, self.labels, self.job.layout, fetcher=fetcher, settings=settings):
            await write_mapped(file, output, fetcher=fetcher, settings=settings)
        elif is_finished_first(self.job, self.plan, output):
            await write_finished(self._transcode, output, settings)
        else:
            with progress_sink(output) as sink, verifying(sink, self.job.format) as into:
                await self._transcode(into)

    async def _transcode(self, into: Sink) -> None:
        tags = self.labels.tags
        await transcode(self.plan, fetcher=self.fetcher, program=self.program, settings=self.settings, into=into, tags=tags)
