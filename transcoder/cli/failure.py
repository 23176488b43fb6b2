"""How a command tells its user that it failed."""

import json
import sys
from typing import NamedTuple

from transcoder.cli.exit_codes import ExitCode, OutputError, ReaderLeftError, exit_code
from transcoder.cli.subparsers import UsageError
from transcoder.core.answer.plain_text import one_line
from transcoder.errors import BadRequestError, TranscoderError

REPORTED = (OutputError, TranscoderError, UsageError)
"""The errors that are reported to the user; any other one is a bug."""
OUTPUT_FAILED = "output-failed"
"""The slug of an `OutputError`."""
READER_LEFT = "reader-left"
_PLAIN = {OUTPUT_FAILED, BadRequestError.slug}
"""Slugs that would tell a reader nothing."""


class Failure(NamedTuple):
    """What a user is told."""

    slug: str
    message: str
    code: ExitCode
    program: str = "transcoder"
    usage: str = ""
    """How that is used, if it was used in another way."""

    def report(self, *, source: str | None = None, as_json: bool = False) -> ExitCode:
        """Write the message to standard error, with `as_json` a JSON object to standard output too, and return the exit code.

        `source` is what it is about, if a command line names several.
        """
        slug = "" if self.slug in _PLAIN else f" [{self.slug}]"
        about = f"{source}: " if source else ""
        if self.slug != READER_LEFT:  # it is the reader's wish, and other programs say nothing either
            print(f"{self.usage}{self.program}: {one_line(about + self.message)}{slug}", file=sys.stderr, flush=True)
        if as_json:
            about_source = {"url": source} if source else {}
            print(json.dumps(about_source | {"slug": self.slug, "message": self.message}, ensure_ascii=False), flush=True)
        return self.code


def failure_of(error: OutputError | TranscoderError | UsageError) -> Failure:
    """Return the report of an error."""
    if isinstance(error, UsageError):
        return Failure(BadRequestError.slug, str(error), ExitCode.INVALID_COMMAND, error.program, error.usage)
    if isinstance(error, ReaderLeftError):
        return Failure(READER_LEFT, str(error), ExitCode.OUTPUT_FAILED)
    if isinstance(error, OutputError):
        return Failure(OUTPUT_FAILED, str(error), ExitCode.OUTPUT_FAILED)
    return Failure(error.slug, str(error), exit_code(error))
