"""What a forked process runs. It is a module without pytest: each process imports the module of its function."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import reduction
from pathlib import Path
from typing import Any, TextIO


@dataclass(frozen=True)
class Descriptor:
    """An open file of the process that starts another, which gets it, too."""

    number: int

    def __reduce__(self) -> tuple[Callable[[Any], "Descriptor"], tuple[Any]]:
        """Send the file itself: its number means nothing in another process."""
        return _received, (reduction.DupFd(self.number),)


def _received(sent: Any) -> Descriptor:
    return Descriptor(sent.detach())


Target = Path | Descriptor | None
"""Where a process prints: a file, to which it appends, or an open one; None: what it prints into is closed."""


def nothing() -> None:
    """What nearly all commands need before they run."""


def execute(arguments: tuple[str, ...], environ: dict[str, str], output: Target, errors: Target, first: Callable[[], object]) -> None:
    """Call `first`, run `transcoder` as the leader of a process group, with these environment variables alone, and exit as it does."""
    from transcoder.cli.main import main  # noqa: PLC0415 - the process of the tests does without it

    os.setsid()
    for target, descriptor in ((Path(os.devnull), 0), (output, 1), (errors, 2)):
        _direct(descriptor, target)
    os.environ.clear()
    os.environ.update(environ)
    sys.stdout, sys.stderr = _opened(1, sys.stdout, is_closed=output is None), _opened(2, sys.stderr, is_closed=errors is None)
    first()
    sys.exit(main(arguments))


def _direct(descriptor: int, target: Target) -> None:
    """Let a descriptor be that of a target."""
    if target is None:
        os.close(descriptor)
        return
    flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
    opened = target.number if isinstance(target, Descriptor) else os.open(target, flags)
    os.dup2(opened, descriptor)
    os.close(opened)


def _opened(descriptor: int, before: TextIO, *, is_closed: bool) -> Any:
    """Return what Python prints into, opened as when it begins: it looks only then whether that is a terminal, or can be sought in."""
    encoding = os.environ.get("PYTHONIOENCODING", before.encoding)
    buffering = 1 if descriptor == 2 else -1
    return None if is_closed else open(descriptor, "w", buffering, encoding, before.errors, closefd=False)
