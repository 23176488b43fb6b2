"""`transcoder COMMAND …`: reads the words, runs the command, ends with its exit code."""

import argparse
import os
import sys
from collections.abc import Sequence

import transcoder.cli.get
import transcoder.cli.info
import transcoder.cli.invoke
import transcoder.cli.serve
import transcoder.cli.sign
from transcoder import __version__
from transcoder.cli.exit_codes import Exit, OutputError, exit_code, table
from transcoder.errors import BadRequestError, TranscoderError
from transcoder.settings import Settings


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that `words` say (those of the process by default) and return its exit code."""
    parsed = _parser().parse_args(words)
    run = parsed.run
    try:
        return int(run(parsed, Settings.from_env(os.environ)))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except OutputError as error:
        return _say(str(error), Exit.OUTPUT)
    except BadRequestError as error:
        return _say(str(error), Exit.USAGE)
    except TranscoderError as error:
        return _say(f"{error} [{error.slug}]", exit_code(error))


def _say(sentence: str, code: Exit) -> Exit:
    print(f"transcoder: {sentence}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="transcoder",
        description="Turns an HLS playlist into one MP4.",
        epilog=table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"transcoder {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (transcoder.cli.get, transcoder.cli.info, transcoder.cli.sign, transcoder.cli.serve, transcoder.cli.invoke):
        command.add_to(commands)
    return parser
