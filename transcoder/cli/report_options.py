"""Options of `get` and `invoke` that say what is shown of how they are getting on, and in which form."""

import argparse
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from transcoder.cli.printing import tell
from transcoder.core.answer.plain_text import one_line
from transcoder.errors import ContradictionError

_STANDARD_OUTPUT = 1
_LOG = logging.getLogger("transcoder")


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("-q", "--quiet", action="store_true", help="show errors alone: no progress, and no line at the end")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what was found, and what is made of it")
    parser.add_argument("--json", action="store_true", help="print a JSON object: url, path, bytes, duration, seconds; or slug and message")
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show the progress even where there is no terminal, as lines; a function makes a plain MP4 then, and says how far it is. "
        "Or show none (default: a bar on a terminal, unless -o - leads into a program)",
    )


@dataclass(frozen=True, slots=True)
class Reports:
    """The user's choice of what is shown."""

    quiet: bool
    verbose: bool
    as_json: bool
    progress: bool | None
    """None: on a terminal."""

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Self:
        """Return what the command line says.

        Raises:
            ContradictionError: options contradict each other.

        """
        if arguments.quiet and arguments.verbose:
            raise ContradictionError("--quiet: it cannot be combined with --verbose.", "quiet", "verbose")
        if arguments.quiet and arguments.progress:
            raise ContradictionError("--quiet: it cannot be combined with --progress.", "quiet", "progress")
        if arguments.json and arguments.output == "-":
            raise ContradictionError("--json: standard output cannot have both the MP4 (-o -) and JSON.", "json", "output")
        # A program that reads a pipe may write to the same terminal: `head` and `wc` at its end, a player all the time.
        is_piped = arguments.output == "-" and arguments.progress is None and _leads_to_program()
        return cls(arguments.quiet, arguments.verbose, arguments.json, False if arguments.quiet or is_piped else arguments.progress)

    @contextmanager
    def details(self) -> Iterator[None]:
        """Within the block, write a line to standard error about each thing that is found and decided, if the user wants details."""
        handler = _LineHandler()
        if self.verbose:
            _LOG.addHandler(handler)
            _LOG.setLevel(logging.INFO)
        try:
            yield
        finally:
            _LOG.removeHandler(handler)


def _leads_to_program() -> bool:
    """Return whether standard output is a pipe."""
    try:
        return stat.S_ISFIFO(os.fstat(_STANDARD_OUTPUT).st_mode)
    except OSError:  # it is closed, which opening the output reports
        return False


class _LineHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tell(one_line(record.getMessage()))
