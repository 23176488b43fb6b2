"""Several sources of one command line: each has its own output, and one that fails does not stop the others."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from pathlib import Path

from transcoder.api import Saved
from transcoder.cli.exit_codes import ExitCode
from transcoder.cli.failure import REPORTED, failure_of
from transcoder.cli.printing import tell
from transcoder.cli.report_options import Reports
from transcoder.cli.saved import report_saved
from transcoder.errors import BadRequestError, ContradictionError, OutputError
from transcoder.local.text_file import read_text, text_of


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
    check_output(arguments, sources)
    if arguments.folder is not None:
        _make_folder(Path(arguments.folder))
    failed, written = list[int](), dict[str, str]()
    for source in sources:
        own = copy(arguments)
        own.url = source
        try:
            saved = save(own)
            _note_output(saved, written)
            report_saved(saved, as_json=reports.as_json, quiet=reports.quiet)
        except REPORTED as error:
            if len(sources) == 1:
                raise
            failed.append(failure_of(error, arguments.about_file).report(source=source, as_json=reports.as_json))
    if len(sources) > 1 and not reports.quiet:
        tell(f"{len(sources) - len(failed)} of {len(sources)} saved")
    return failed[0] if failed else ExitCode.SUCCESS


def _note_output(saved: Saved, written: dict[str, str]) -> None:
    """Add an output to those that this command has `written`, with their sources.

    Raises:
        OutputError: it has taken the place of another one, as `--force` allows.

    """
    before = written.setdefault(saved.path, saved.url)
    if before != saved.url:
        raise OutputError(f"{saved.path}: this has replaced what was saved of {before}, which had the same name.")


def check_output(arguments: argparse.Namespace, sources: Sequence[str]) -> None:
    """Refuse the name of an output for several sources.

    Raises:
        ContradictionError: there is one.

    """
    if len(sources) > 1 and arguments.output is not None:
        raise ContradictionError("-o: it names the output of one source; for several, use -P FOLDER.", "output")


def _listed(path: str) -> Iterator[str]:
    text = _standard_input() if path == "-" else read_text(path, f"-a {path}")
    for line in text.split("\n"):  # the other ends of lines that Python knows may be part of a file's name
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _standard_input() -> str:
    if sys.stdin is None:  # as Python has it if it was started with `<&-`
        raise BadRequestError("-a -: standard input is closed.")
    return text_of(sys.stdin.buffer.read(), "-a -")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"-P {folder}: {error.strerror}.") from error
