"""The parsers of commands: their help has examples and the exit codes, and their errors say what was probably meant."""

import argparse
import difflib
import textwrap
from collections.abc import Iterable, Sequence
from typing import NoReturn, Protocol

from transcoder.cli.commands import COMMANDS
from transcoder.cli.exit_codes import help_text

NO_CONFIG = "--no-config"
_WIDTH = 100
"""Longest line of a description, in characters."""


class UsageError(Exception):
    """The command line cannot be understood; `str(error)` is the message for the user."""

    def __init__(self, message: str, *, program: str, usage: str) -> None:
        """Keep which command it is about, and how that is used."""
        super().__init__(message)
        self.program = program
        self.usage = usage


class Subparsers(Protocol):
    """What a command adds its parser to."""

    def add_parser(self, name: str, *, description: str) -> argparse.ArgumentParser:
        """Add a command, and return its parser."""


class CommandParser(argparse.ArgumentParser):
    """Parses the words of one command, and raises `UsageError` instead of ending the process."""

    _may_be_intermixed = False

    def intermix(self) -> None:
        """Allow options between several sources."""
        self._may_be_intermixed = True

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Return what the words say.

        Raises:
            UsageError: one is unknown, missing or invalid.

        """
        parse = self.parse_known_intermixed_args if self._may_be_intermixed else self.parse_known_args
        parsed, unknown = parse(words)
        if unknown:
            self.error(self._about_unknown(unknown))
        return parsed

    def actions(self) -> Sequence[argparse.Action]:
        """Return its options and arguments."""
        return self._actions

    def long_options(self) -> set[str]:
        """Return the options that a configuration file may have, without their hyphens."""
        return {option[2:] for option in self._option_string_actions if option.startswith("--")} - {"help", NO_CONFIG[2:]}

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError` with that message."""
        raise UsageError(message, program=self.prog, usage=self.format_usage())

    def _about_unknown(self, words: Sequence[str]) -> str:
        """Return a sentence about the first word that is no option of the command, or about one that is too many."""
        option = next((word.partition("=")[0] for word in words if word.startswith("-")), None)
        if option is None:
            return f"one word too many: {words[0]!r}."
        return f"there is no option {option}{did_you_mean(option, self._option_string_actions)}"


class OneCommand:
    """Takes the parser of one command."""

    def __init__(self) -> None:
        """Wait for the command."""
        self.parser: CommandParser | None = None

    def add_parser(self, name: str, *, description: str) -> argparse.ArgumentParser:
        """Make the parser of the command."""
        command = COMMANDS[name]
        program = f"transcoder {name}"
        self.parser = CommandParser(
            prog=program,
            usage=f"{program} {command.usage}" if command.usage else None,
            description="\n".join(textwrap.fill(line, _WIDTH) for line in description.splitlines()),
            epilog="\n".join(("examples:", *(f"  {example}" for example in command.examples), "", help_text())),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.parser.set_defaults(json=False)  # of commands that have no such option
        self.parser.add_argument(NO_CONFIG, action="store_true", help="do not read the configuration file")
        if command.takes_many:
            self.parser.intermix()
        return self.parser


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown word: which known one was probably meant, or nothing but a full stop."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else "."
