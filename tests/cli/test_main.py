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


VERSION_MODULES = {
    *("transcoder", "transcoder.settings", "transcoder.errors", "transcoder.core", "transcoder.core.answer"),
    *("transcoder.core.answer.plain_text", "transcoder.cli", "transcoder.cli.main", "transcoder.cli.command_line"),
    *("transcoder.cli.commands", "transcoder.cli.configuration", "transcoder.cli.exit_codes", "transcoder.cli.failure"),
    "transcoder.cli.printing",
    "transcoder.cli.subparsers",
    "transcoder.edge",
    "transcoder.edge.garbage_collection",
    *("transcoder.local", "transcoder.local.text_file"),
}
"""What `--version` imports of this package: what is needed to know which command a line is for, and how it failed."""
SLOW = {"httpx", "httpcore", "rich", "m3u8", "ffmpeg", "cryptography", "boto3", "botocore", "shtab", "anyio", "asyncio", "ssl", "email"}
"""Each of them would take a tenth of the 0.3 s that `--version` may take, or more."""


def imported(*arguments: str) -> tuple[str, set[str]]:
    """Return what a command line prints first, and the commands that it has imported."""
    completed = subprocess.run([sys.executable, "-c", RUN, *arguments], check=True, capture_output=True, text=True, timeout=60)
    lines = completed.stdout.splitlines()
    return lines[0], {name for name in COMMANDS if f"transcoder.cli.{name}" in lines[-1].split()}


def test_the_version_needs_no_command() -> None:
    assert imported("--version") == (f"transcoder {__version__}", set())


def test_the_version_needs_nothing_that_takes_long_to_import() -> None:
    completed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "transcoder", "--version"], check=True, capture_output=True, text=True, timeout=60
    )
    modules = {line.rpartition("|")[2].strip() for line in completed.stderr.splitlines() if line.startswith("import time:")}
    own = {name for name in modules if name.partition(".")[0] == "transcoder"}
    assert own == VERSION_MODULES
    assert not {name.partition(".")[0] for name in modules} & SLOW


def test_help_imports_no_command() -> None:
    assert imported("--help")[1] == set()


@pytest.mark.parametrize("name", ["sign", "serve", "info"])
def test_a_command_needs_no_other(name: str) -> None:
    first, commands = imported(name, "--help")
    assert first.startswith(f"usage: transcoder {name} ")
    assert commands == {name}
