"""`transcoder COMMAND …`: parse the command line, run the command, and return its exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from transcoder import __version__
from transcoder.cli.exit_codes import ExitCode, OutputError, exit_code, help_text
from transcoder.cli.termination import TerminatedError
from transcoder.core.answer.plain_text import one_line
from transcoder.errors import BadRequestError, TranscoderError
from transcoder.settings import Settings

COMMANDS = ("get", "subtitles", "info", "sign", "serve", "invoke")
"""Each is a module of this package, and is imported only if the first argument names it, or none."""
_VERSION = "--version"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name (by default those of the process), and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        parsed = _parser(*arguments[:1]).parse_args(arguments)
        return int(parsed.run(parsed, Settings.from_env(os.environ)))
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except TerminatedError as error:
        return ExitCode.of_signal(error.number)
    except OutputError as error:
        return _report(str(error), ExitCode.OUTPUT_FAILED)
    except BadRequestError as error:
        return _report(str(error), ExitCode.INVALID_COMMAND)
    except TranscoderError as error:
        return _report(f"{error} [{error.slug}]", exit_code(error))


def _report(message: str, code: ExitCode) -> ExitCode:
    print(f"transcoder: {one_line(message)}", file=sys.stderr)
    return code


def _parser(first: str = "") -> argparse.ArgumentParser:
    """Return the parser of a command line with this first argument."""
    parser = argparse.ArgumentParser(
        prog="transcoder",
        description="Turn an HLS playlist or a Reddit link into one MP4.\nRun `transcoder COMMAND --help` for the options of a command.",
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(_VERSION, action="version", version=f"transcoder {__version__}", help="show the version and exit")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name in (first,) if first in COMMANDS else () if first == _VERSION else COMMANDS:
        import_module(f"transcoder.cli.{name}").add_command(subparsers)
    return parser
