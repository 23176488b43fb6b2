"""How a command tells its user that it failed."""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from transcoder.cli.exit_codes import ExitCode, exit_code
from transcoder.cli.printing import tell, write_json
from transcoder.cli.subparsers import UsageError
from transcoder.core.answer.plain_text import one_line
from transcoder.errors import BadRequestError, OutputError, OutputExistsError, ReaderLeftError, TranscoderError

REPORTED = (TranscoderError, UsageError)
"""The errors that are reported to the user; any other one is a bug."""
_PLAIN = {OutputError.slug, BadRequestError.slug}
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
        if self.slug != ReaderLeftError.slug:  # it is the reader's wish, and other programs say nothing either
            tell(f"{self.usage}{self.program}: {one_line(about + self.message)}{slug}")
        if as_json:
            about_source = {"url": source} if source else {}
            with suppress(OutputError):  # the exit code tells of the failure all the same
                write_json(about_source | {"slug": self.slug, "message": self.message})
        return self.code


def failure_of(error: TranscoderError | UsageError, about_file: Callable[[str], str] = str) -> Failure:
    """Return the report of an error; `about_file` adds to a message that it is about the configuration file, if it is."""
    if isinstance(error, UsageError):
        return Failure(BadRequestError.slug, str(error), ExitCode.INVALID_COMMAND, error.program, error.usage)
    remedy = "; use --force to overwrite it." if isinstance(error, OutputExistsError) else ""
    message = str(error).removesuffix(".") + remedy if remedy else str(error)
    return Failure(error.slug, about_file(message), exit_code(error))
