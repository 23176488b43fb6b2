"""Which commands the command line imports."""

import subprocess
import sys

import pytest

from transcoder import __version__
from transcoder.cli.commands import COMMANDS

RUN = """
import sys
from transcoder.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules)
"""


def imported(*arguments: str) -> tuple[str, set[str]]:
    """Return what a command line prints first, and the commands that it has imported."""
    completed = subprocess.run([sys.executable, "-c", RUN, *arguments], check=True, capture_output=True, text=True, timeout=60)
    lines = completed.stdout.splitlines()
    return lines[0], {name for name in COMMANDS if f"transcoder.cli.{name}" in lines[-1].split()}


def test_the_version_needs_no_command() -> None:
    assert imported("--version") == (f"transcoder {__version__}", set())


def test_help_imports_no_command() -> None:
    assert imported("--help")[1] == set()


@pytest.mark.parametrize("name", ["sign", "serve", "info"])
def test_a_command_needs_no_other(name: str) -> None:
    first, commands = imported(name, "--help")
    assert first.startswith(f"usage: transcoder {name} ")
    assert commands == {name}
