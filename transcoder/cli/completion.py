"""`transcoder completion SHELL`: print the script with which a shell completes the words of a command line."""

import argparse
import re

import shtab

from transcoder import __version__
from transcoder.cli import get
from transcoder.cli.command_line import command_parser
from transcoder.cli.commands import COMMANDS
from transcoder.cli.exit_codes import ExitCode
from transcoder.cli.printing import write_line
from transcoder.cli.subparsers import CommandParser, Subparsers
from transcoder.settings import Settings

SHELLS = ("bash", "zsh")
"""Those in which completion is tested. What shtab writes for tcsh completes no options of commands."""
_COMPLETED_BY = {"FILE": shtab.FILE, "FOLDER": shtab.DIRECTORY}
"""What the shell offers for a placeholder."""


def add_command(subparsers: Subparsers) -> None:
    """Add the command `completion` with its argument."""
    parser = subparsers.add_parser(
        "completion", description="Print a script for a shell, with which that completes commands, options, choices and the names of files."
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell that the script is for")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Print the script."""
    write_line(shtab.complete(_whole_parser(), shell=arguments.shell))
    return ExitCode.SUCCESS


def _whole_parser() -> CommandParser:
    """Return a parser of all commands, with the options of `get` in front of them, since `transcoder URL` is `get`."""
    whole = CommandParser("transcoder")
    whole.add_argument("--version", action="version", version=__version__, help="show the version and exit")
    get.add_options(whole)
    commands = whole.add_subparsers()
    parsers = [whole]
    for name, command in COMMANDS.items():
        own = command_parser(name)
        parsers.append(commands.add_parser(name, help=command.summary, parents=[own], add_help=False))
    for parser in parsers:
        for action in parser.actions():
            _say_values(action)
    return whole


def _say_values(action: argparse.Action) -> None:
    """Tell shtab what the value of an option or an argument may be."""
    if isinstance(action.metavar, tuple):
        action.metavar = " ".join(action.metavar)
    if action.metavar is None:
        return
    if action.metavar.startswith("{"):
        action.choices = action.metavar.strip("{}").split(",")
    elif completed_by := _COMPLETED_BY.get(action.metavar):
        action.complete = completed_by  # type: ignore[attr-defined]  # it is how shtab is told
    elif action.metavar == "URL" and not action.option_strings:
        action.complete = shtab.FILE  # type: ignore[attr-defined]  # a source may be a path
    else:
        action.metavar = re.sub(r"[^\w ]", "", action.metavar)  # to zsh, a colon begins something else, and a quote ends the text
