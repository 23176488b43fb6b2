"""`transcoder COMMAND …`: run the command that a command line names, and return its exit code."""

import argparse
import os
import sys
from collections.abc import Sequence

from transcoder.cli.command_line import parse, short_help
from transcoder.cli.exit_codes import ExitCode, TerminatedError
from transcoder.cli.failure import REPORTED, failure_of
from transcoder.cli.printing import tell
from transcoder.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name (by default those of the process), and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments:
        # A script that lost its arguments must not take this for a success.
        tell(short_help(), end="")
        return ExitCode.INVALID_COMMAND
    parsed = argparse.Namespace(json="--json" in arguments, about_file=str)  # what is known of a command line that cannot be understood
    try:
        parsed = parse(arguments, os.environ)
        return int(parsed.run(parsed, Settings.from_env(os.environ)))
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except TerminatedError as error:
        return ExitCode.of_signal(error.number)
    except REPORTED as error:
        return failure_of(error, parsed.about_file).report(as_json=parsed.json)
