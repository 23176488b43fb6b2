"""The user's configuration file: options that every command line begins with."""

import argparse
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from transcoder.cli.subparsers import CommandParser, did_you_mean, is_repeatable
from transcoder.errors import BadRequestError
from transcoder.local.text_file import text_of

NAME = "transcoder.toml"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file says to one command, but for what the command line says itself."""

    path: Path = Path()
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Words by the name that the parser has for an option."""
    given: Collection[str] = ()
    """The same names, of what the command line says."""

    @property
    def words(self) -> list[str]:
        """What the file puts before the words of the command line."""
        return [word for words in self.options.values() for word in words]

    def without(self, names: Sequence[str]) -> Self | None:
        """Return what is left of the file once a contradiction between options is resolved, of which each in `names` excludes the first.

        The command line wins; an option that is of no use, which is the only one, is left out. None: the file has no part in it,
        or it contradicts itself.
        """
        subject, *others = names
        if subject not in self.options:
            leaving = {name for name in others if name in self.options}
        else:
            leaving = {subject} if not others or any(name in self.given for name in others) else set()
        if not leaving:
            return None
        return replace(self, options={name: words for name, words in self.options.items() if name not in leaving})

    def blame(self, message: str, parser: CommandParser) -> str:
        """Return the message of a failure, with the path of the file before it if the option that it is about stands there."""
        name = parser.option_in(message)
        if name not in self.options:
            return message
        return f"{self.path}: {message}" if name not in self.given else f"{self.path} or the command line: {message}"


NO_CONFIGURATION = Configuration()


def configuration_path(environ: Mapping[str, str]) -> Path | None:
    """Return where the file would be (XDG Base Directory); None if there is no home."""
    folder = environ.get("XDG_CONFIG_HOME", "")
    if Path(folder).is_absolute():
        return Path(folder) / NAME
    home = environ.get("HOME", "")
    return Path(home) / ".config" / NAME if home else None


def read_configuration(
    path: Path, name: str, commands: Collection[str], parser_of: Callable[[str], CommandParser], *, given: Collection[str]
) -> Configuration:
    """Return what a file says to the command `name`, whose command line says what is `given`; nothing if there is no file.

    A key is an option without its hyphens. At the top it is for every command that has it, in a table for that command alone.

    Raises:
        BadRequestError: the file is not TOML, or has an option that no command has, or a value that the option cannot have.

    """
    document = _document(path)
    if document is None:
        return NO_CONFIGURATION
    parser = parser_of(name)
    own = parser.long_options()
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    if unknown := next((key for key in tables if key not in commands), None):
        raise BadRequestError(f"{path}: there is no command {unknown!r}{did_you_mean(unknown, commands)}")
    shared = {key: value for key, value in document.items() if key not in tables}
    if misplaced := next((key for key in shared if key in commands), None):
        raise BadRequestError(f"{path}: {misplaced} is a command; its options belong under the heading [{misplaced}].")
    for key in shared.keys() - own.keys():
        _check_known(path, key, {option for command in commands for option in parser_of(command).long_options()})
    for key in tables.get(name, {}):
        _check_known(path, key, own)
    # What is in the table comes later, and wins; what the command line says wins over both, unless it adds to them.
    options = _options(path, shared, own) | _options(path, tables.get(name, {}), own)
    return Configuration(path, {option: words for option, words in options.items() if not parser.is_replaced(option, given)}, given)


def _document(path: Path) -> Mapping[str, object] | None:
    """Return what is in the file; None if there is none."""
    try:
        return tomllib.loads(text_of(path.read_bytes(), str(path)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # no TOML, or a number with thousands of digits
        raise BadRequestError(f"{path}: {error.strerror if isinstance(error, OSError) else error}.") from error
    except RecursionError as error:
        raise BadRequestError(f"{path}: its lists are nested too deeply.") from error


def _options(path: Path, values: Mapping[str, object], known: Mapping[str, argparse.Action]) -> dict[str, Sequence[str]]:
    """Return the options of one level of the file as words, by the names that the parser has for them."""
    options: dict[str, Sequence[str]] = {}
    for key, value in values.items():
        if action := known.get(key):
            if action.dest in options:
                raise BadRequestError(f"{path}: {key} and its opposite are both there.")
            options[action.dest] = list(_words(path, key, value, action))
    return options


def _check_known(path: Path, key: str, known: Iterable[str]) -> None:
    if key not in known:
        raise BadRequestError(f"{path}: there is no option {key!r}{did_you_mean(key, known)}")


def _words(path: Path, key: str, value: object, action: argparse.Action) -> Iterator[str]:
    """Return an option as words: a flag for true, its opposite if there is one for false, and one for each entry of a list."""
    one_of_many = value if isinstance(value, list) and is_repeatable(action) else [value]
    for each in one_of_many:
        if action.nargs == 0:
            yield from _flag(path, key, each, action)
        elif isinstance(action.nargs, int):
            yield from (f"--{key}", *_texts(path, key, each, action.nargs))
        else:
            yield f"--{key}={_text(path, key, each)}"


def _flag(path: Path, key: str, value: object, action: argparse.Action) -> Iterator[str]:
    if not isinstance(value, bool):
        raise BadRequestError(f"{path}: {key} must be true or false, not {value!r}.")
    opposite = f"--no-{key}"
    if value or opposite in action.option_strings:
        yield f"--{key}" if value else opposite


def _texts(path: Path, key: str, value: object, count: int) -> list[str]:
    if not isinstance(value, list) or len(value) != count:
        raise BadRequestError(f"{path}: each entry of {key} must be a list of {count} texts, and {value!r} is none.")
    return [_text(path, key, each) for each in value]


def _text(path: Path, key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        expected = "one value, not a list" if isinstance(value, list) else f"a text or a number, not {_toml(value)}"
        raise BadRequestError(f"{path}: {key} must be {expected}.")
    try:
        return str(value)
    except ValueError as error:  # Python writes no number with thousands of digits
        raise BadRequestError(f"{path}: {key} is too large.") from error


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
