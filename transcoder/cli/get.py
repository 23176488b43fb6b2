"""`transcoder get`: run the pipeline on this machine, and write the output to a file or to standard output."""

import argparse
import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from transcoder.cli.arguments import add_parameter_options, parse_job
from transcoder.cli.file_sink import FileSink
from transcoder.cli.function_call import add_connections_option, call_by_url
from transcoder.cli.invoke import fetch_through_function
from transcoder.cli.local_plain import find_index, is_finished_first, write_finished, write_mapped
from transcoder.cli.origin_options import OriginOptions, add_origin_options, refuse_origin_options
from transcoder.cli.output import Output, output_to
from transcoder.cli.output_name import check_output_name
from transcoder.cli.progress import Shown, progress_sink
from transcoder.cli.report_options import Reports, add_report_options
from transcoder.cli.saved import MeasuringSink, Saved, Written
from transcoder.cli.several import add_several_options, in_folder, save_each
from transcoder.cli.subparsers import Subparsers
from transcoder.cli.termination import until_terminated
from transcoder.cli.verifying_sink import verifying
from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.plan import Plan
from transcoder.core.output.labels import Labels
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import FileFormat
from transcoder.core.source.metadata import metadata_of
from transcoder.core.source.source import ResolvedSource, Source
from transcoder.edge import ffmpeg
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.edge.fetch import Fetcher
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import BadRequestError, UnsupportedSourceError, single_error
from transcoder.pipeline import Sink, transcode
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import PREFIX, Settings


def add_command(subparsers: Subparsers) -> None:
    """Add the command `get` with its options."""
    parser = subparsers.add_parser(
        "get",
        description="Save a playlist or a Reddit video as one MP4.\nThe file appears only when it is whole.",
    )
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
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, *, network: Network = INTERNET) -> int:
    """Save each source from `network` as one file; return `ExitCode.SUCCESS` only if all outputs are whole.

    Raises:
        TranscoderError: the output of the only source cannot be made; no part of it is left.
        OutputError: the output cannot be written.
        TerminatedError: a signal ended it.

    """
    reports = Reports.of(arguments)
    if arguments.via is None:
        _refuse_options_of_functions(arguments)
        return save_each(arguments, reports, lambda own: _save_here(own, reports, settings, network))
    refuse_origin_options(arguments, "--via: the function fetches from origins")
    return save_each(arguments, reports, lambda own: _save_by_function(own, settings))


def _refuse_options_of_functions(arguments: argparse.Namespace) -> None:
    if arguments.deliver is not None:
        raise BadRequestError("--deliver: it is about a function (--via); without one, the output is a file anyway.")
    if arguments.connections is not None:
        raise BadRequestError(f"--connections: it is about a function (--via); for origins, set {PREFIX}CONNECTIONS.")


def _save_by_function(arguments: argparse.Namespace, settings: Settings) -> Saved:
    return fetch_through_function(
        arguments.url, arguments, settings, lambda path, query: call_by_url(arguments.via, query, path=path), folder=arguments.folder
    )[0]


def _save_here(arguments: argparse.Namespace, reports: Reports, settings: Settings, network: Network) -> Saved:
    job = parse_job(arguments)
    options = _OutputOptions(arguments.output, arguments.folder, arguments.force, reports)
    began = time.monotonic()
    path, written = asyncio.run(until_terminated(_save(job, OriginOptions.of(arguments, job.url, network), options, settings)))
    return Saved(arguments.url, path, written, time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class _OutputOptions:
    """The user's choice of where the output goes, and of what is shown meanwhile."""

    name: str | None
    """`-` is standard output; None: a name made from the source."""
    folder: str | None
    overwrite: bool
    reports: Reports

    def path(self, name: str) -> str:
        """Return the path of an output with that name."""
        return in_folder(name, self.folder)

    def output(self, path: str) -> Output:
        """Return the output at a path."""
        return output_to(path, overwrite=self.overwrite)


async def _save(job: Job, origins: OriginOptions, options: _OutputOptions, settings: Settings) -> tuple[str, Written]:
    with ExitStack() as stack, single_error():
        # A path that the user chose is opened before anything is fetched: it may be impossible to write to, or a reader may wait for it.
        path = None if options.name is None else options.path(options.name) if options.name else ""
        output = None if path is None else stack.enter_context(options.output(path))
        resolver = Resolver(settings)
        async with TaskGroup() as tasks, origins.fetcher(settings) as fetcher:
            ffmpeg_path = tasks.create_task(ffmpeg.find_ffmpeg(settings.ffmpeg))
            source = await resolver.find(job, fetcher=fetcher)
            resolved = await resolver.resolve(source, job, fetcher=fetcher)
            program = ffmpeg.Program(await ffmpeg_path, settings.ffmpeg_seconds)

            path = path or options.path(file_name(job.filename or source.name, resolved.extension(job)))
            output = output or stack.enter_context(options.output(path))
            if resolved.file:
                written = await _pass_through(resolved.file, job, fetcher, output, options.reports, Path(path).name)
            else:
                _check_possible(resolved, job, options.name if output.folder else None)
                options.reports.detail(_described(source, resolved))
                labels = Labels(metadata_of(source), resolved.audio_language)
                shown = Shown(options.reports.progress, Path(path).name).of(resolved.plan)
                making = _Making(job, resolved.plan, labels, fetcher, program, settings, options.reports, shown)
                written = await making.write(output)
            output.commit()
            return path, written


def _described(source: Source, resolved: ResolvedSource) -> str:
    """Return a line about what a source is."""
    plan, variant = resolved.plan, resolved.choice
    segments = sum(len(track.segments) for period in plan.periods for track in period.tracks)
    size = "x".join(map(str, plan.resolution)) + ", " if plan.resolution else ""
    rate = f"{variant.bandwidth / 1000:.0f} kbit/s, " if variant and variant.bandwidth else ""
    return f"{source.name}: {size}{rate}{plan.output_seconds:.1f} s in {segments} segments"


def _check_possible(resolved: ResolvedSource, job: Job, path: str | None) -> None:
    """Refuse audio that cannot be selected, as it is refused where there is only other audio, and a path that promises another format."""
    if path is not None:
        check_output_name(path, job.format)
    if job.audio is not None and resolved.multivariant is None:
        raise UnsupportedSourceError(
            f"--audio {job.audio}: the source does not say what its audio is, so none can be selected; leave out --audio."
        )


async def _pass_through(file: FileHead, job: Job, fetcher: Fetcher, output: Output, reports: Reports, name: str) -> Written:
    reports.detail("the source is a file, which is saved as it is")
    with progress_sink(output, Shown(reports.progress, name)) as sink:
        measuring = MeasuringSink(sink)
        file_sink = FileSink(measuring, any_file=job.format is FileFormat.FILE)
        await fetcher.pass_through(file.requested_url, {}, file_sink)
        await file_sink.finish()
        return measuring.written


@dataclass(frozen=True, slots=True)
class _Making:
    """An output that is made of a plan."""

    job: Job
    plan: Plan
    labels: Labels
    fetcher: Fetcher
    program: ffmpeg.Program
    settings: Settings
    reports: Reports
    shown: Shown

    async def write(self, output: Output) -> Written:
        """Write it in the layout that the job, the source and the output leave."""
        fetcher, settings, shown = self.fetcher, self.settings, self.shown
        if file := await find_index(self.plan, self.labels, self.job.layout, fetcher=fetcher, settings=settings):
            self.reports.detail("plain MP4, of which the media are fetched as they are")
            return await write_mapped(file, output, fetcher=fetcher, settings=settings, shown=shown)
        if is_finished_first(self.job, self.plan, output):
            self.reports.detail("plain MP4, made in a temporary file first")
            return await write_finished(self._transcode, output, settings, shown=shown)
        self.reports.detail("MP3" if self.job.format is FileFormat.MP3 else "fragmented MP4, written while it is made")
        with progress_sink(output, shown) as sink:
            measuring = MeasuringSink(sink)
            with verifying(measuring, self.job.format, sink.reached) as into:
                await self._transcode(into)
            return measuring.written

    async def _transcode(self, into: Sink) -> None:
        labels = self.labels
        await transcode(self.plan, fetcher=self.fetcher, program=self.program, settings=self.settings, into=into, labels=labels)
