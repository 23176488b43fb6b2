"""`transcoder get` in its own process."""

import subprocess
from pathlib import Path

from peers import command_line

SECONDS = command_line.SECONDS


def get(url: str, into: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    return command_line.run("get", url, "-o", str(into), *options)
