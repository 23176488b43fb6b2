"""`transcoder get` as a process of its own."""

import subprocess
import sys
from pathlib import Path

SECONDS = 60.0
"""Longer than any run in a test takes."""


def get(url: str, into: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "transcoder", "get", url, "-o", str(into), *words]
    return subprocess.run(command, check=False, capture_output=True, timeout=SECONDS)
