"""`transcoder info`: report on a source without fetching a segment of it."""

import argparse
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.table import Table

from transcoder.api import InfoReport, info_sync
from transcoder.cli.arguments import add_parameter_options, add_source_argument, parameter_values
from transcoder.cli.choices import choices_of
from transcoder.cli.exit_codes import ExitCode
from transcoder.cli.origin_options import add_origin_options, origin_choices
from transcoder.cli.printing import printing, write_json
from transcoder.cli.subparsers import Subparsers
from transcoder.core.answer.plain_text import one_line
from transcoder.core.request.signing import encode_query
from transcoder.core.source.info_report import ItemInfo, RenditionInfo, SubtitleInfo, VariantInfo
from transcoder.edge.address_guard import Network
from transcoder.local.source import consistent_job, source_url
from transcoder.settings import Settings

_WIDTH = 120
"""The width of tables in characters where the output is not a terminal."""


def add_command(subparsers: Subparsers) -> None:
    """Add the command `info` with its options."""
    parser = subparsers.add_parser(
        "info",
        description="List a source's variants and tracks, and show what `transcoder get` would\n"
        "select with the same options. No segment is fetched.",
    )
    add_source_argument(parser)
    add_parameter_options(parser)
    parser.add_argument("--json", action="store_true", help="print the JSON document that /info sends, instead of tables")
    add_origin_options(parser)
    parser.set_defaults(run=run, check=check)


def check(arguments: argparse.Namespace) -> None:
    """Find what is wrong with the options by themselves. Raises BadRequestError."""
    origin_choices(arguments)
    consistent_job("", parameter_values(arguments))


def run(arguments: argparse.Namespace, settings: Settings, *, network: Network | None = None) -> int:
    """Print the report on a source from `network`, by default this machine's.

    Raises:
        TranscoderError: the source cannot be read.

    """
    job = consistent_job(source_url(arguments.url), parameter_values(arguments))
    report = info_sync(arguments.url, settings=settings, **choices_of(arguments, network))
    if job.url.startswith(("http://", "https://")):
        report = replace(report, download=f"/download?{encode_query({'url': job.url} | parameter_values(arguments))}")
    if arguments.json:
        write_json(report.document(), indent=1)
    else:
        with printing():
            _print_tables(report)
    return ExitCode.SUCCESS


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave the failure to `printing`; rich would end the program."""
        raise  # noqa: PLE0704  # rich calls this while it handles the exception


def _print_tables(report: InfoReport) -> None:
    console = _Console(highlight=False, soft_wrap=True, markup=False)
    if not console.is_terminal:
        console = _Console(highlight=False, soft_wrap=True, markup=False, width=_WIDTH)
    summary = Table.grid(padding=(0, 2))
    for name, text in _summary_rows(report):
        _add_row(summary, name, text)
    console.print(summary)
    if len(report.items) > 1:
        console.print(_item_table(report.items))
    if report.variants:
        console.print(_variant_table(report.variants))
    if report.audio or report.subtitles:
        console.print(_track_table(report))


def _summary_rows(report: InfoReport) -> list[tuple[str, str]]:
    lambda_seconds = report.estimated_seconds_on_lambda
    rows = [
        ("kind", report.kind),
        ("title", report.title or ""),
        *_post_rows(report),
        ("page", report.page),
        ("duration", "" if report.seconds is None else f"{report.seconds:.1f} s, by the playlist"),
        ("file name", report.file_name),
        ("audio", f"re-encoded, from {report.audio_reencoded}" if report.audio_reencoded else "none" if report.silent else ""),
        ("estimate", _megabytes(report.estimated_bytes)),
        ("over Lambda", "" if lambda_seconds is None else f"{lambda_seconds:.1f} s to send"),
        ("cost on AWS", "" if report.estimated_dollars_on_aws is None else f"${report.estimated_dollars_on_aws:.5f}, by list prices"),
    ]
    for limit in report.limits:
        verdict = {True: "within the limit", False: "exceeded", None: "size unknown"}[limit.kept]
        rows.append((limit.name.replace("_", " "), f"{limit.value} {limit.unit}: {verdict}"))
    rows.append(("download", report.download or ""))
    return [(name, text) for name, text in rows if text]


def _post_rows(report: InfoReport) -> list[tuple[str, str]]:
    """Return what is known about a Reddit post."""
    image = report.poster or report.thumbnail
    size = _resolution(image.width, image.height) if image else ""
    return [
        ("subreddit", report.subreddit or ""),
        ("author", report.author or ""),
        ("posted", report.posted or ""),
        ("adults only", {True: "yes", False: "no", None: ""}[report.over_18]),
        ("poster" if report.poster else "thumbnail", f"{image.url} {size}".rstrip() if image else ""),
        ("found by", report.step or ""),
    ]


def _item_table(items: tuple[ItemInfo, ...]) -> Table:
    table = _table("", "item", "resolution", "seconds")
    for line in items:
        seconds = "" if line.seconds is None else f"{line.seconds:.0f}"
        _add_row(table, _selection_mark(line), str(line.item), _resolution(line.width, line.height), seconds)
    return table


def _variant_table(variants: tuple[VariantInfo, ...]) -> Table:
    table = _table("", "resolution", "fps", "codecs", "kbit/s", "average", "estimate")
    for line in variants:
        bit_rates = ("" if rate is None else f"{rate / 1000:.0f}" for rate in (line.bandwidth, line.average_bandwidth))
        fps = "" if line.frame_rate is None else f"{line.frame_rate:g}"
        resolution, codecs, estimate = _resolution(line.width, line.height), ", ".join(line.codecs), _megabytes(line.estimated_bytes)
        _add_row(table, _selection_mark(line), resolution, fps, codecs, *bit_rates, estimate)
    return table


def _track_table(report: InfoReport) -> Table:
    table = _table("", "track", "group", "name", "language", "default")
    for kind, lines in (("audio", report.audio), ("subtitles", report.subtitles)):
        for line in lines:
            _add_row(table, _selection_mark(line), kind, line.group, line.name, line.language or "", "yes" if line.default else "")
    return table


def _table(*columns: str) -> Table:
    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)


def _add_row(table: Table, *cells: str) -> None:
    table.add_row(*(one_line(cell) for cell in cells))


def _selection_mark(line: ItemInfo | VariantInfo | RenditionInfo | SubtitleInfo) -> str:
    return "→" if line.chosen else ""


def _resolution(width: int | None, height: int | None) -> str:
    return f"{width}x{height}" if width and height else ""


def _megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.1f} MB"
