"""Makes one output of one source on this machine: finds the source, decides how it is made, and writes it."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.plan import Plan
from transcoder.core.output.labels import Labels
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import FileFormat
from transcoder.core.source.metadata import metadata_of
from transcoder.core.source.source import ResolvedSource, Source
from transcoder.edge import ffmpeg
from transcoder.edge.fetch import Fetcher
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import UnsupportedSourceError, single_error
from transcoder.local.callers_code import as_the_caller_raised_it
from transcoder.local.file_sink import FileSink
from transcoder.local.origins import Origins
from transcoder.local.output import Output, output_to
from transcoder.local.output_name import check_output_name
from transcoder.local.plain import find_index, is_finished_first, write_finished, write_mapped
from transcoder.local.progress import MeasuringSink, OnProgress, Watch, Written
from transcoder.local.verifying_sink import verifying
from transcoder.pipeline import Sink, transcode
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import Settings

_LOG = logging.getLogger("transcoder")


@dataclass(frozen=True, slots=True)
class Target:
    """Where the user wants an output."""

    name: str | None = None
    """A path; `-` is standard output; None: a name made from the source."""
    folder: str | None = None
    overwrite: bool = False
    given: Output | None = None
    """An output that exists already, and has neither name nor folder."""

    def open_now(self, stack: ExitStack) -> Output | None:
        """Open an output whose name is known before anything is fetched: it may be impossible to write to, or a reader may wait for it.

        Raises:
            BadRequestError: its name is empty.
            OutputError: it cannot be written to.

        """
        output = self.given or (None if self.name is None else output_to(in_folder(self.name, self.folder), overwrite=self.overwrite))
        return output and stack.enter_context(output)

    def open_as(self, path: str, stack: ExitStack) -> Output:
        """Open an output whose name was made from the source; raises what `open_now` does."""
        return stack.enter_context(output_to(path, overwrite=self.overwrite))

    def path(self, default_name: str) -> str:
        """Return the path of the output."""
        return in_folder(default_name if self.name is None else self.name, self.folder)


def in_folder(name: str, folder: str | None) -> str:
    """Return the path of an output; standard output is in no folder, and an empty name stays empty."""
    return name if folder is None or name in {"", "-"} else str(Path(folder) / name)


async def save_output(
    job: Job, target: Target, *, origins: Origins, settings: Settings, on_progress: OnProgress | None = None
) -> tuple[str, Written]:
    """Make the output of a job, and return its path and what was written once it is whole.

    Raises:
        TranscoderError: it cannot be made or written; no part of a file is left.
        Exception: what the caller's sink or `on_progress` has raised.

    """
    with as_the_caller_raised_it(), ExitStack() as stack, single_error():
        opened = target.open_now(stack)
        resolver = Resolver(settings)
        async with TaskGroup() as tasks, origins.fetcher(settings) as fetcher:
            ffmpeg_path = tasks.create_task(ffmpeg.find_ffmpeg(settings.ffmpeg))
            source = await resolver.find(job, fetcher=fetcher)
            resolved = await resolver.resolve(source, job, fetcher=fetcher)
            program = ffmpeg.Program(await ffmpeg_path, settings.ffmpeg_seconds)
            path = target.path(file_name(job.filename or source.name, resolved.extension(job)))
            output, watch = opened or target.open_as(path, stack), Watch(on_progress, None if target.given else path)
            if resolved.file:
                written = await _pass_through(resolved.file, job, fetcher, MeasuringSink(output, watch))
            else:
                _check_possible(resolved, job, target.name if output.folder else None)
                _LOG.info("%s", _described(source, resolved))
                labels = Labels(metadata_of(source, resolved, job), resolved.audio_language)
                written = await _Making(job, resolved.plan, labels, fetcher, program, settings, watch.of(resolved.plan)).write(output)
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


async def _pass_through(file: FileHead, job: Job, fetcher: Fetcher, sink: MeasuringSink) -> Written:
    _LOG.info("the source is a file, which is saved as it is")
    file_sink = FileSink(sink, any_file=job.format is FileFormat.FILE)
    await fetcher.pass_through(file.requested_url, {}, file_sink)
    await file_sink.finish()
    return sink.written


@dataclass(frozen=True, slots=True)
class _Making:
    """An output that is made of a plan."""

    job: Job
    plan: Plan
    labels: Labels
    fetcher: Fetcher
    program: ffmpeg.Program
    settings: Settings
    watch: Watch

    async def write(self, output: Output) -> Written:
        """Write it in the layout that the job, the source and the output leave."""
        fetcher, settings, watch = self.fetcher, self.settings, self.watch
        if file := await find_index(self.plan, self.labels, self.job.layout, fetcher=fetcher, settings=settings):
            _LOG.info("plain MP4, of which the media are fetched as they are")
            return await write_mapped(file, output, fetcher=fetcher, settings=settings, watch=watch)
        if is_finished_first(self.job, self.plan, output):
            _LOG.info("plain MP4, made in a temporary file first")
            return await write_finished(self._transcode, output, settings, watch=watch)
        _LOG.info("MP3" if self.job.format is FileFormat.MP3 else "fragmented MP4, written while it is made")
        sink = MeasuringSink(output, watch)
        with verifying(sink, self.job.format, sink.reached) as into:
            await self._transcode(into)
        return sink.written

    async def _transcode(self, into: Sink) -> None:
        labels = self.labels
        await transcode(self.plan, fetcher=self.fetcher, program=self.program, settings=self.settings, into=into, labels=labels)
