"""The command line in a process of its own, forked from one that has begun it: a short run would import for most of its time."""

import multiprocessing
import multiprocessing.forkserver
import os
import subprocess
import tempfile
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from peers.forked_command_line import execute

SECONDS = 60.0
"""A time limit that no run in a test reaches."""

_TESTS = Path(__file__).resolve().parents[1]
_CONTEXT = multiprocessing.get_context("forkserver")


def start(*modules: str) -> None:
    """Start the process that is forked, with these modules too, unless it runs.

    It lives as long as this one: no test that happens to start it leaks it.
    """
    _CONTEXT.set_forkserver_preload(["peers.begun_command_line", *modules])
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("PYTHONPATH", str(_TESTS), prepend=os.pathsep)  # Python gives that process no other path
        multiprocessing.forkserver.ensure_running()


def start_process(*arguments: str, environ: Mapping[str, str], output: Path, errors: Path) -> BaseProcess:
    """Start `transcoder`, which appends what it prints to two files or one. It leads a process group, so that its children are found."""
    process = _CONTEXT.Process(target=execute, args=(arguments, dict(environ), output, errors))
    process.start()
    return process


def run(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run `transcoder` with these arguments, and these environment variables alone or by default those of this process."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        process = start_process(*arguments, environ=os.environ if environ is None else environ, output=output, errors=errors)
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["transcoder", *arguments], SECONDS)
        completed = subprocess.CompletedProcess(["transcoder", *arguments], process.exitcode, output.read_bytes(), errors.read_bytes())
        process.close()
    return completed


def run_text(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `transcoder` as `run` does; what it printed is text in UTF-8."""
    completed = run(*arguments, environ=environ)
    return subprocess.CompletedProcess(completed.args, completed.returncode, completed.stdout.decode(), completed.stderr.decode())
