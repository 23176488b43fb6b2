"""`transcoder subtitles`: save the subtitles of a source as one text."""

import argparse
import asyncio
import os
from contextlib import ExitStack

from transcoder.cli.arguments import add_source_argument
from transcoder.cli.exit_codes import ExitCode
from transcoder.cli.origin_options import add_origin_options, origin_choices
from transcoder.cli.subparsers import Subparsers
from transcoder.cli.termination import until_terminated
from transcoder.core.answer.file_names import subtitle_file_name
from transcoder.core.request.parameters import BY_NAME
from transcoder.core.request.subtitle_request import SHARED_PARAMETERS, SubtitleFormat, SubtitleRequest, make_subtitle_request
from transcoder.core.request.values import choices
from transcoder.local.origins import OriginChoices, Origins
from transcoder.local.output import output_to
from transcoder.local.source import source_url
from transcoder.pipeline.resolver import Resolver
from transcoder.pipeline.subtitles import fetch_subtitles, find_subtitles
from transcoder.settings import Settings


def add_command(subparsers: Subparsers) -> None:
    """Add the command `subtitles` with its options."""
    parser = subparsers.add_parser(
        "subtitles",
        description="Save the subtitles of a playlist or a Reddit video as one file.\nThe file appears only when it is whole.",
    )
    add_source_argument(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where to write the subtitles; - is standard output (default: a name made from the title or the address, and the language)",
    )
    parser.add_argument("--language", metavar="LANGUAGE", help="select the subtitles by language (de, en-US) or by name")
    parser.add_argument("--format", metavar=choices(SubtitleFormat), help="the format (default: vtt)")
    for name in SHARED_PARAMETERS:
        parser.add_argument(f"--{name}", metavar=BY_NAME[name].metavar, help=BY_NAME[name].help)
    parser.add_argument("--force", action="store_true", help="overwrite FILE if it exists")
    add_origin_options(parser)
    parser.set_defaults(run=run, check=check)


def check(arguments: argparse.Namespace) -> None:
    """Find what is wrong with the options by themselves. Raises BadRequestError."""
    origin_choices(arguments)
    make_subtitle_request("", _values(arguments))


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Save the subtitles of one source; return `ExitCode.SUCCESS` only if all of them are there.

    Raises:
        TranscoderError: they cannot be had or written; no part of them is left.
        TerminatedError: a signal ended it.

    """
    wanted = make_subtitle_request(source_url(arguments.url), _values(arguments))
    origins = Origins.of(OriginChoices(**origin_choices(arguments)), arguments.url, wanted.job.url, os.environ)
    asyncio.run(until_terminated(_save(wanted, origins, arguments, settings)))
    return ExitCode.SUCCESS


def _values(arguments: argparse.Namespace) -> dict[str, str]:
    values = {name: getattr(arguments, name) for name in ("language", "format", *SHARED_PARAMETERS)}
    return {name: text for name, text in values.items() if text is not None}


async def _save(wanted: SubtitleRequest, origins: Origins, arguments: argparse.Namespace, settings: Settings) -> None:
    with ExitStack() as stack:
        # A path that the user chose is opened before anything is fetched: it may be impossible to write to.
        output = stack.enter_context(output_to(arguments.output, overwrite=arguments.force)) if arguments.output is not None else None
        async with origins.fetcher(settings) as fetcher:
            found = await find_subtitles(wanted, resolver=Resolver(settings), fetcher=fetcher)
            text = await fetch_subtitles(found, fetcher=fetcher, settings=settings)
        name = subtitle_file_name(wanted.job.filename, found.source.name, found.rendition.language, wanted.format.value)
        output = output or stack.enter_context(output_to(name, overwrite=arguments.force))
        await output.write(text)
        output.commit()
