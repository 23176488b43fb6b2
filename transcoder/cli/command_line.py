"""Which command the words of a command line are for, and what they say to it."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from importlib import import_module

from transcoder import __version__
from transcoder.cli.commands import COMMANDS
from transcoder.cli.configuration import NO_CONFIGURATION, Configuration, configuration_path, read_configuration
from transcoder.cli.exit_codes import help_text
from transcoder.cli.subparsers import NO_CONFIG, CommandParser, OneCommand, UsageError, did_you_mean
from transcoder.edge.garbage_collection import importing
from transcoder.errors import BadRequestError, ContradictionError

_OF_THE_PROGRAM = ("-h", "--help", "--version")
_USAGE = "transcoder URL [-o FILE] [OPTIONS]\n       transcoder COMMAND …"
_DESCRIPTION = """\
Turn an HLS playlist or a Reddit link into one MP4.
`transcoder URL` means `transcoder get URL`. Run `transcoder COMMAND --help` for the options of a command."""


def parse(words: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    """Return what a command line says, after what the user's configuration file says; its `run` is the command.

    Its `about_file` returns the message of a failure with the path of that file, if the option that it is about stands there.

    Raises:
        BadRequestError: the configuration file is invalid, or options contradict each other.
        UsageError: it names no command, or the command cannot understand it.
        SystemExit: it asked for help or the version, which was printed.

    """
    name, words = _split(words)
    before = words[: words.index("--")] if "--" in words else words
    path = None if {NO_CONFIG, "-h", "--help"} & set(before) else configuration_path(environ)
    parser = command_parser(name)
    configuration = NO_CONFIGURATION
    if path:
        configuration = read_configuration(path, name, COMMANDS, command_parser, given=parser.given(words))
    return _parse_with(configuration, parser, words)


def _parse_with(configuration: Configuration, parser: CommandParser, words: Sequence[str]) -> argparse.Namespace:
    """Return what the words say after those of the configuration, but for what they leave no room for."""
    try:
        parsed = parser.parse([*configuration.words, *words])
        parsed.check(parsed)
    except ContradictionError as error:
        if not (left := configuration.without(error.names)):
            raise BadRequestError(configuration.blame(str(error), parser)) from error
        return _parse_with(left, parser, words)
    except (UsageError, BadRequestError) as error:
        message = configuration.blame(str(error), parser)
        if message == str(error):
            raise
        raise BadRequestError(message) from error
    parsed.about_file = lambda message: configuration.blame(message, parser)
    return parsed


def command_parser(name: str) -> CommandParser:
    """Return the parser of a command, whose module is imported for that."""
    adding = OneCommand()
    with importing():
        module = import_module(f"transcoder.cli.{name}")
    module.add_command(adding)
    if adding.parser is None:
        raise LookupError(name)
    return adding.parser


def short_help() -> str:
    """Return what someone reads who names neither a command nor a source."""
    examples = "\n".join(f"  {example}" for example in COMMANDS["get"].examples)
    return f"usage: {_USAGE}\n\n{_DESCRIPTION}\n\nexamples:\n{examples}\n\n{_command_list()}\n"


def _split(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the name of the command, `get` if a source or an option stands in its place, and its words."""
    first = words[0]
    if first in COMMANDS:
        return first, words[1:]
    if first in _OF_THE_PROGRAM:
        _program_parser().parse(words)
    if not (first.startswith("-") or re.search(r"[/:.\\]", first) or os.path.exists(first)):  # noqa: PTH110 - not as a Path, which raises an error for a name that is too long
        _program_parser().error(f"there is no command {first!r}{did_you_mean(first, COMMANDS)}")
    return "get", words


def _program_parser() -> CommandParser:
    parser = CommandParser(
        prog="transcoder",
        usage=_USAGE,
        description=_DESCRIPTION,
        epilog=f"{_command_list()}\n\n{help_text()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"transcoder {__version__}", help="show the version and exit")
    return parser


def _command_list() -> str:
    return "\n".join(("commands:", *(f"  {name:<11}{command.summary}" for name, command in COMMANDS.items())))
