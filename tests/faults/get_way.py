"""`transcoder get` in a process of its own, forked from a server that has imported it already."""

import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from signal import SIGKILL

from faults.processes import group_members, remaining
from faults.verdict import Outcome

import transcoder.cli

SECONDS = 60.0
"""A download that takes longer hangs."""
OUTPUT = "output.mp4"
LOG = "log"
_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload(["transcoder.cli", "faults.run"])


def get(url: str, folder: Path, environ: Mapping[str, str], layout: str) -> Outcome:
    """Download `url` in a layout into a new file in `folder`, which is empty."""
    process = _PROCESSES.Process(target=_run, args=(url, str(folder), dict(environ), layout))
    process.start()
    assert process.pid is not None
    process.join(SECONDS)
    hung = process.exitcode is None
    running = set() if hung else remaining(lambda: group_members(process.pid or 0))
    if hung or running:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        process.join()
    code, output = process.exitcode, folder / OUTPUT
    process.close()
    files = {path.name for path in folder.iterdir()} - {LOG, *([OUTPUT] if code == 0 else [])}
    leftovers = [*(f"file {name}" for name in sorted(files)), *(f"process {pid}" for pid in sorted(running))]
    return Outcome(code == 0, output if output.exists() else None, f"exit {code}{_message(folder / LOG)}", hung, leftovers)


def _run(url: str, folder: str, environ: dict[str, str], layout: str) -> None:
    """Run the command as its own process would; the process leads a group, so that what it leaves running is found."""
    os.setsid()
    log = os.open(Path(folder, LOG), os.O_CREAT | os.O_WRONLY)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.close(log)
    os.environ.update(environ, TMPDIR=folder)
    tempfile.tempdir = folder
    sys.exit(transcoder.cli.main(["get", url, "-o", str(Path(folder, OUTPUT)), "--proxy", "", "--layout", layout]))


def _message(log: Path) -> str:
    """Return the last line that the command printed."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f", {last.removeprefix('transcoder: ')[-160:]}" if last else ""
