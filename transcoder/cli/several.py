"""Several sources of one command line: each has its own output, and one that fails does not stop the others."""

import argparse
import sys
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path

from transcoder.api import Saved
from transcoder.cli.exit_codes import ExitCode
from transcoder.cli.failure import REPORTED, failure_of
from transcoder.cli.report_options import Reports
from transcoder.cli.saved import report_saved
from transcoder.errors import BadRequestError, OutputError


def add_sources_argument(parser: argparse.ArgumentParser) -> None:
    """Add the sources, `urls`."""
    parser.add_argument(
        "urls", metavar="URL", nargs="*", help="a Reddit link, or a playlist: an http(s) address, a file: address or a path; may be several"
    )


def add_several_options(parser: argparse.ArgumentParser) -> None:
    """Add where more sources are listed, and which folder their outputs go into."""
    parser.add_argument(
        "-a",
        "--batch-file",
        metavar="FILE",
        help="read more sources from FILE, one a line, but none that begins with #; - is standard input",
    )
    parser.add_argument("-P", "--folder", metavar="FOLDER", help="the folder to write into, which is made if it does not exist")


def save_each(arguments: argparse.Namespace, reports: Reports, save: Callable[[argparse.Namespace], Saved]) -> int:
    """Call `save` with `arguments` of each source, whose `url` it is; return the exit code of the first that failed.

    Raises:
        TranscoderError: the command line names no source, or too many for one output, or its only one cannot be saved.

    """
    sources = [*arguments.urls, *(_listed(arguments.batch_file) if arguments.batch_file is not None else ())]
    if not sources:
        raise BadRequestError("URL: name a source, or with -a a file that lists sources.")
    if len(sources) > 1 and arguments.output is not None:
        raise BadRequestError("-o: it names the output of one source; for several, use -P FOLDER.")
    if arguments.folder is not None:
        _make_folder(Path(arguments.folder))
    failed: list[int] = []
    for source in sources:
        own = copy(arguments)
        own.url = source
        try:
            report_saved(save(own), as_json=reports.as_json, quiet=reports.quiet)
        except REPORTED as error:
            if len(sources) == 1:
                raise
            failed.append(failure_of(error).report(source=source, as_json=reports.as_json))
    if len(sources) > 1 and not reports.quiet:
        print(f"{len(sources) - len(failed)} of {len(sources)} saved", file=sys.stderr)
    return failed[0] if failed else ExitCode.SUCCESS


def _listed(path: str) -> Iterator[str]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text in UTF-8"
        raise BadRequestError(f"-a {path}: {reason}.") from error
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}.") from error
