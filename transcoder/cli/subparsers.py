"""The parsers of commands: their help has examples and the exit codes, and their errors say what was probably meant."""

import argparse
import difflib
import re
import textwrap
from collections.abc import Collection, Iterable, Sequence
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

    def long_options(self) -> dict[str, argparse.Action]:
        """Return the options that a configuration file may have, by their names without hyphens."""
        without = {"--help", NO_CONFIG}
        return {name[2:]: action for name, action in self._option_string_actions.items() if name.startswith("--") and name not in without}

    def given(self, words: Sequence[str]) -> set[str]:
        """Return the names of the options, as a parsed command line has them, that words have before any `--`."""
        found = set[str]()
        for word in words[: words.index("--")] if "--" in words else words:
            option = word.partition("=")[0]
            if action := self._option_string_actions.get(option):
                found.add(action.dest)
                continue
            # `-qofile` is `-q -o file`.
            for letter in option[1:] if re.match("-[^-]", option) else "":
                action = self._option_string_actions.get(f"-{letter}")
                found |= {action.dest} if action else set()
                if action is None or action.nargs != 0:
                    break
        return found

    def is_replaced(self, name: str, given: Collection[str]) -> bool:
        """Return whether an option counts no more where others are given: itself, unless each counts, or one that excludes it."""
        if name in given:
            return not any(is_repeatable(action) for action in self._actions if action.dest == name)
        groups = ({action.dest for action in group._group_actions} for group in self._mutually_exclusive_groups)  # noqa: SLF001
        return any(name in group and not group.isdisjoint(given) for group in groups)

    def option_in(self, message: str) -> str | None:
        """Return the name, as a parsed command line has it, of the option that a message begins with, as those of this program do."""
        match = re.match(r"(?:argument )?([\w-]+)", message)
        word = match[1] if match else ""
        names = (word, f"--{word.replace('_', '-')}")
        action = next((self._option_string_actions[name] for name in names if name in self._option_string_actions), None)
        return action.dest if action else None

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError` with that message."""
        raise UsageError(message, program=self.prog, usage=self.format_usage())

    def _about_unknown(self, words: Sequence[str]) -> str:
        """Return a sentence about the first word that is no option of the command, or about one that is too many."""
        option = next((word.partition("=")[0] for word in words if word.startswith("-")), None)
        if option is None:
            return f"one word too many: {words[0]!r}."
        return f"there is no option {option}{did_you_mean(option, self._option_string_actions)}"


def _no_check(_arguments: argparse.Namespace) -> None:
    """Find nothing wrong."""


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
        self.parser.set_defaults(json=False, check=_no_check)  # of commands that have none
        self.parser.add_argument(NO_CONFIG, action="store_true", help="do not read the configuration file")
        if command.takes_many:
            self.parser.intermix()
        return self.parser


def is_repeatable(action: argparse.Action) -> bool:
    """Return whether an option may be given several times, each of which counts."""
    return isinstance(action.default, list)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown word: which known one was probably meant, or nothing but a full stop."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else "."
