"""`transcoder COMMAND …`: parse the command line, run the command, and return its exit code."""

import argparse
import os
import sys
from collections.abc import Sequence

import transcoder.cli.get
import transcoder.cli.info
import transcoder.cli.invoke
import transcoder.cli.serve
import transcoder.cli.sign
import transcoder.cli.subtitles
from transcoder import __version__
from transcoder.cli.exit_codes import ExitCode, OutputError, exit_code, help_text
from transcoder.cli.termination import TerminatedError
from transcoder.core.answer.plain_text import one_line
from transcoder.errors import BadRequestError, TranscoderError
from transcoder.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name (by default those of the process), and return its exit code."""
    parsed = _parser().parse_args(arguments)
    run = parsed.run
    try:
        return int(run(parsed, Settings.from_env(os.environ)))
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="transcoder",
        description="Turn an HLS playlist or a Reddit link into one MP4.\nRun `transcoder COMMAND --help` for the options of a command.",
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"transcoder {__version__}", help="show the version and exit")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    commands = (
        *(transcoder.cli.get, transcoder.cli.subtitles, transcoder.cli.info),
        *(transcoder.cli.sign, transcoder.cli.serve, transcoder.cli.invoke),
    )
    for command in commands:
        command.add_command(subparsers)
    return parser
