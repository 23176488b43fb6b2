"""What a forked process runs. It is a module without pytest: each process imports the module of its function."""

import os
import sys
from pathlib import Path


def execute(arguments: tuple[str, ...], environ: dict[str, str], output: Path, errors: Path) -> None:
    """Run `transcoder` as the leader of a process group, with these environment variables alone, and exit as it does."""
    from transcoder.cli.main import main  # noqa: PLC0415 - the process of the tests does without it

    os.setsid()
    for path, descriptor in ((os.devnull, 0), (output, 1), (errors, 2)):
        opened = os.open(path, os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environ)
    sys.exit(main(arguments))
