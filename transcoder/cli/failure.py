"""How a command tells its user that it failed."""

import sys
from typing import NamedTuple

from transcoder.cli.exit_codes import ExitCode, OutputError, exit_code
from transcoder.core.answer.plain_text import one_line
from transcoder.errors import BadRequestError, TranscoderError

REPORTED = (OutputError, TranscoderError)
"""The errors that are told to the user; any other one is a bug."""
OUTPUT_FAILED = "output-failed"
"""The slug of an `OutputError`."""
_PLAIN = {OUTPUT_FAILED, BadRequestError.slug}
"""Slugs that would tell a reader nothing."""


class Failure(NamedTuple):
    """What a user is told."""

    slug: str
    message: str
    code: ExitCode

    def report(self) -> ExitCode:
        """Write the message to standard error, and return the exit code."""
        slug = "" if self.slug in _PLAIN else f" [{self.slug}]"
        print(f"transcoder: {one_line(self.message)}{slug}", file=sys.stderr)
        return self.code


def failure_of(error: OutputError | TranscoderError) -> Failure:
    """Return what the user is told about an error."""
    if isinstance(error, OutputError):
        return Failure(OUTPUT_FAILED, str(error), ExitCode.OUTPUT_FAILED)
    return Failure(error.slug, str(error), exit_code(error))
