"""`transcoder get`: the pipeline into a file, without Lambda."""

import argparse
import asyncio
import signal
from dataclasses import dataclass, replace
from pathlib import Path

from transcoder.cli.arguments import add_headers, add_parameters, headers_of, job_of
from transcoder.cli.commands import Commands
from transcoder.cli.exit_codes import Exit, table
from transcoder.cli.output import FileOutput, Output, StandardOutput
from transcoder.cli.progress import progress
from transcoder.cli.verifying_sink import verified
from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.passthrough import FileHead
from transcoder.core.output.announcement import Announcement
from transcoder.core.request.job import Job
from transcoder.core.source.metadata import metadata_of
from transcoder.edge import ffmpeg
from transcoder.edge.fetch import Fetcher
from transcoder.errors import single_error
from transcoder.pipeline import Sink, transcode
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import Settings


def add_to(commands: Commands) -> None:
    """Add the command `get` with its options."""
    parser = commands.add_parser(
        "get",
        help="save a playlist as an MP4",
        epilog=table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("url", metavar="URL", help="a Reddit link, or a playlist: an http(s) address, a file: address or a path")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where the MP4 goes, - for standard output (default: a name made from the title or the address)",
    )
    add_parameters(parser)
    parser.add_argument("--force", action="store_true", help="overwrite FILE")
    add_headers(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace, settings: Settings) -> int:
    """Save one film; returns `Exit.WHOLE` only if the MP4 is whole.

    Raises:
        TranscoderError: the film could not be made; nothing is left of it.
        OutputError: the output could not be written.

    """
    job = job_of(parsed)
    into = _Into(parsed.output, overwrite=parsed.force)
    # Whoever types an address may mean a machine in their own network.
    return asyncio.run(_get(job, headers_of(parsed), into, replace(settings, allow_private=True)))


@dataclass(frozen=True, slots=True)
class _Into:
    """Where the user wants the film."""

    named: str | None
    overwrite: bool

    def output(self, name: str) -> Output:
        """Return the output; it is called `name` if the user named none."""
        return StandardOutput() if self.named == "-" else FileOutput(Path(self.named or name), overwrite=self.overwrite)

    def refuse_early(self) -> None:
        """Refuse a place that is taken before anything is fetched, where the user named it.

        Raises:
            OutputError: it is taken.

        """
        if self.named and self.named != "-":
            FileOutput(Path(self.named), overwrite=self.overwrite).refuse_taken()


class _File:
    """Passes a file on into a sink for films, whose progress it shows."""

    def __init__(self, into: Sink) -> None:
        self._into = into

    async def start(self, head: FileHead) -> None:
        await self._into.start(Announcement(0.0, {}, head.length))

    async def write(self, chunk: bytes) -> None:
        await self._into.write(chunk)


async def _get(job: Job, headers: dict[str, str], into: _Into, settings: Settings) -> Exit:
    with single_error():
        async with asyncio.TaskGroup() as tasks:
            save = tasks.create_task(_save(job, headers, into, settings))
            # SIGTERM ends the film as Ctrl-C does: ffmpeg gone, no file left.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, save.cancel)
    return Exit.TERMINATED if save.cancelled() else save.result()


async def _save(job: Job, headers: dict[str, str], into: _Into, settings: Settings) -> Exit:
    into.refuse_early()
    program, resolver = await ffmpeg.find_ffmpeg(settings.ffmpeg), Resolver(settings)
    async with Fetcher.open(settings, headers=headers, local_files=True) as fetcher:
        source = await resolver.find(job, fetcher=fetcher)
        resolved = await resolver.resolve(source, job, fetcher=fetcher)

        async def fill(sink: Sink) -> None:
            if resolved.file:
                await fetcher.pass_through(resolved.file.requested_url, {}, _File(sink))
                return
            with verified(sink, job.format) as film:
                plan, tags = resolved.plan, metadata_of(source)
                await transcode(plan, fetcher=fetcher, program=program, settings=settings, into=film, tags=tags)

        with into.output(file_name(job.filename or source.name, resolved.extension(job))) as output:
            with progress(output) as sink:
                await fill(sink)
            output.keep()
    return Exit.WHOLE
