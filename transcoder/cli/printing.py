"""Standard output, where a result that nobody can have got is a failure, and standard error, which nobody need read."""

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from transcoder.errors import OutputError, ReaderLeftError

_NAME = "standard output"


@contextmanager
def printing() -> Iterator[None]:
    """Print in the block.

    Raises:
        ReaderLeftError: the reader of the pipe has closed it.
        OutputError: standard output is closed, or cannot be written to.
    """
    if sys.stdout is None:  # as Python has it if it was started with `>&-`
        raise OutputError(f"{_NAME}: it is closed.")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name can have characters that the terminal's encoding lacks, or be bytes that are no characters at all.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as error:
        _give_up(sys.stdout)
        raise ReaderLeftError(f"{_NAME}: the reader closed the pipe.") from error
    except OSError as error:
        _give_up(sys.stdout)
        raise OutputError(f"{_NAME}: {error.strerror}.") from error


def write_line(text: str) -> None:
    """Print one line. Raises what `printing` does."""
    with printing():
        print(text)


def write_json(document: Mapping[str, object], *, indent: int | None = None) -> None:
    """Print a JSON text, of ASCII alone where standard output cannot have every character of it. Raises what `printing` does."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding if sys.stdout is not None else "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document, indent=indent)
    write_line(text)


def tell(text: object, *, end: str = "\n") -> None:
    """Write to standard error, if that is open and somebody reads it: what a command does and its exit code do not depend on that."""
    if sys.stderr is None:  # `print` would write to standard output, which may be an MP4
        return
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError:
        _give_up(sys.stderr)


def _give_up(stream: TextIO) -> None:
    """Have the interpreter's end not fail, too, at what is still buffered."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
