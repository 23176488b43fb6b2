"""`transcoder get` in its own process."""

import subprocess
import sys
from pathlib import Path

SECONDS = 60.0
"""A time limit that no run in a test reaches."""


def get(url: str, into: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "transcoder", "get", url, "-o", str(into), *options]
    return subprocess.run(command, check=False, capture_output=True, timeout=SECONDS)
