"""The user's configuration file: options that every command line begins with."""

import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from transcoder.cli.subparsers import CommandParser, did_you_mean
from transcoder.errors import BadRequestError

NAME = "transcoder.toml"


def configuration_path(environ: Mapping[str, str]) -> Path | None:
    """Return where the file would be (XDG Base Directory); None if there is no home."""
    folder = environ.get("XDG_CONFIG_HOME", "")
    if Path(folder).is_absolute():
        return Path(folder) / NAME
    home = environ.get("HOME", "")
    return Path(home) / ".config" / NAME if home else None


def configured_words(path: Path, name: str, commands: Collection[str], parser_of: Callable[[str], CommandParser]) -> list[str]:
    """Return the words that a file puts before those of the command `name`; none if there is no file.

    A key is an option without its hyphens. At the top it is for every command that has it, in a table for that command alone.

    Raises:
        BadRequestError: the file is not TOML, or has an option that no command has, or a value that no option has.

    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRequestError(f"{path}: {error.strerror if isinstance(error, OSError) else error}.") from error
    own = parser_of(name).long_options()
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    if unknown := next((key for key in tables if key not in commands), None):
        raise BadRequestError(f"{path}: there is no command {unknown!r}{did_you_mean(unknown, commands)}")
    shared = {key: value for key, value in document.items() if key not in tables}
    for key in shared.keys() - own:
        _check_known(path, key, {option for command in commands for option in parser_of(command).long_options()})
    for key in tables.get(name, {}):
        _check_known(path, key, own)
    chosen = {key: value for key, value in shared.items() if key in own} | tables.get(name, {})
    return [word for key, value in chosen.items() for word in _words(path, key, value, own)]


def _check_known(path: Path, key: str, known: Iterable[str]) -> None:
    if key not in known:
        raise BadRequestError(f"{path}: there is no option {key!r}{did_you_mean(key, known)}")


def _words(path: Path, key: str, value: object, known: Collection[str]) -> Iterator[str]:
    """Return an option as words: a flag for true, its opposite if there is one for false, and one for each entry of a list."""
    match value:
        case True:
            yield f"--{key}"
        case False:
            yield from [f"--no-{key}"] if f"no-{key}" in known else []
        case str() | int() | float():
            yield f"--{key}={value}"
        case list():
            for each in value:
                yield from (f"--{key}", *map(str, each)) if isinstance(each, list) else _words(path, key, each, known)
        case _:
            raise BadRequestError(f"{path}: {key} is neither a text, a number, true, false nor a list.")
