"""`transcoder info`: what a source offers, told without fetching a segment of it."""

import argparse
import asyncio
import json
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.table import Table

from transcoder.cli.arguments import add_headers, add_parameters, headers_of, job_of, values_of
from transcoder.cli.commands import Commands
from transcoder.cli.exit_codes import Exit, table
from transcoder.core.answer.file_names import file_name
from transcoder.core.request.job import Job
from transcoder.core.request.signing import encode_query
from transcoder.core.source.info_report import InfoReport, ItemInfo, RenditionInfo, VariantInfo, make_report
from transcoder.edge.fetch import Fetcher
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import Settings

_WIDTH = 120


def add_to(commands: Commands) -> None:
    """Add the command `info` with its options."""
    parser = commands.add_parser(
        "info",
        help="say what a source offers, and what would be taken of it",
        epilog=table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("url", metavar="URL", help="a Reddit link, or a playlist: an http(s) address, a file: address or a path")
    add_parameters(parser)
    parser.add_argument("--json", action="store_true", help="print the document that /info answers with")
    add_headers(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace, settings: Settings) -> int:
    """Print the report.

    Raises:
        TranscoderError: there is nothing to report.

    """
    job = job_of(parsed)
    report = asyncio.run(_report(job, headers_of(parsed), replace(settings, allow_private=True)))
    if job.url.startswith(("http://", "https://")):
        report = replace(report, download=f"/download?{encode_query({'url': job.url} | values_of(parsed))}")
    if parsed.json:
        print(json.dumps(report.document(), ensure_ascii=False, indent=1))
    else:
        _show(report)
    return Exit.WHOLE


async def _report(job: Job, headers: dict[str, str], settings: Settings) -> InfoReport:
    resolver = Resolver(settings)
    async with Fetcher.open(settings, headers=headers, local_files=True) as fetcher:
        source = await resolver.find(job, fetcher=fetcher)
        resolved = await resolver.resolve(source, job, fetcher=fetcher)
    name = file_name(job.filename or source.name, resolved.extension(job))
    return make_report(source, resolved, file_name=name, response_limit=settings.response_limit)


def _show(report: InfoReport) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, soft_wrap=True, width=_WIDTH)
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(report):
        facts.add_row(name, text)
    console.print(facts, markup=False)
    if len(report.items) > 1:
        console.print(_items(report.items))
    if report.variants:
        console.print(_variants(report.variants))
    if report.audio or report.subtitles:
        console.print(_tracks(report))


def _facts(report: InfoReport) -> list[tuple[str, str]]:
    found = [
        ("kind", report.kind),
        ("title", report.title or ""),
        ("subreddit", report.subreddit or ""),
        ("page", report.page),
        ("duration", f"{report.seconds:.1f} s"),
        ("file name", report.file_name),
        ("estimate", _size(report.estimated_bytes)),
        ("over Lambda", "" if report.estimated_seconds_on_lambda is None else f"{report.estimated_seconds_on_lambda:.1f} s for sending"),
    ]
    for limit in report.limits:
        kept = {True: "kept", False: "not kept", None: "cannot be told"}[limit.kept]
        found.append((limit.name.replace("_", " "), f"{limit.value} {limit.unit}: {kept}"))
    found.append(("download", report.download or ""))
    return [(name, text) for name, text in found if text]


def _items(items: tuple[ItemInfo, ...]) -> Table:
    shown = _table("", "item", "picture", "seconds")
    for line in items:
        shown.add_row(_mark(line), str(line.item), _picture(line.width, line.height), "" if line.seconds is None else f"{line.seconds:.0f}")
    return shown


def _variants(variants: tuple[VariantInfo, ...]) -> Table:
    shown = _table("", "picture", "fps", "codecs", "kbit/s", "average", "estimate")
    for line in variants:
        rates = ("" if rate is None else f"{rate / 1000:.0f}" for rate in (line.bandwidth, line.average_bandwidth))
        fps = "" if line.frame_rate is None else f"{line.frame_rate:g}"
        shown.add_row(_mark(line), _picture(line.width, line.height), fps, ", ".join(line.codecs), *rates, _size(line.estimated_bytes))
    return shown


def _tracks(report: InfoReport) -> Table:
    shown = _table("", "track", "group", "name", "language", "default")
    for kind, lines in (("sound", report.audio), ("subtitles", report.subtitles)):
        for line in lines:
            shown.add_row(_mark(line), kind, line.group, line.name, line.language or "", "yes" if line.default else "")
    return shown


def _table(*columns: str) -> Table:
    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)


def _mark(line: ItemInfo | VariantInfo | RenditionInfo) -> str:
    return "→" if line.chosen else ""


def _picture(width: int | None, height: int | None) -> str:
    return f"{width}x{height}" if width and height else ""


def _size(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.1f} MB"
