"""`transcoder get` in a process of its own, and what it leaves behind."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

from faults.processes import group_members, remaining
from faults.verdict import Outcome
from peers import command_line

SECONDS = 60.0
"""A download that takes longer hangs."""
OUTPUT = "output.mp4"
LOG = "log"


def get(url: str, folder: Path, environ: Mapping[str, str], layout: str) -> Outcome:
    """Download `url` in a layout into a new file in `folder`, which is empty."""
    output, log = folder / OUTPUT, folder / LOG
    arguments = ("get", url, "-o", str(output), "--proxy", "", "--layout", layout)
    environ = {**os.environ, **environ, "TMPDIR": str(folder)}
    process = command_line.start_process(*arguments, environ=environ, output=log, errors=log)
    assert process.pid is not None
    process.join(SECONDS)
    hung = process.exitcode is None
    running = set() if hung else remaining(lambda: group_members(process.pid or 0))
    if hung or running:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        process.join()
    code = process.exitcode
    process.close()
    files = {path.name for path in folder.iterdir()} - {LOG, *([OUTPUT] if code == 0 else [])}
    leftovers = [*(f"file {name}" for name in sorted(files)), *(f"process {pid}" for pid in sorted(running))]
    return Outcome(code == 0, output if output.exists() else None, f"exit {code}{_message(log)}", hung, leftovers)


def _message(log: Path) -> str:
    """Return the last line that the command printed."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f", {last.removeprefix('transcoder: ')[-160:]}" if last else ""
