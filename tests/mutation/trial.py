"""Tries a mutant: in a copy of the tree, with the tests that reach it."""

import enum
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mutation.coverage_map import NO_OTHER_PLUGINS, CoverageMap
from mutation.mutants import Mutant

_LEFT_OUT = {
    ".git",
    ".venv",
    ".peers",
    "build",
    "dist",
    "node_modules",
    "cdk.out",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
}
MAX_MEMORY_BYTES = 6 * 1024**3
"""A mutant that collects without end is stopped by this much address space."""
TIMES_SLOWER = 8
"""A trial is not taken for an endless loop before it took so many times as long as its tests when they were recorded."""
_NO_TESTS = 5
_SOON = 40
"""So many of the fastest tests are tried before the others are even collected, which takes longer than most of them."""
_TIMES_OF_CHANGE = itertools.count(1)
"""Each mutated module has another one, in seconds: Python takes compiled code for current if size and time are those of the source."""


class Verdict(enum.Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"
    UNREACHED = "unreached"


@dataclass(frozen=True, slots=True)
class Tried:
    """A mutant, what became of it, and its change as lines of a diff."""

    mutant: Mutant
    verdict: Verdict
    change: str
    killer: str = ""
    """The test that failed."""
    in_fork: bool = False
    """Whether it was tried in a fork."""


@contextmanager
def copied(root: Path, parent: Path) -> Iterator[Path]:
    """Copy the tree `root` into a new folder in `parent`. Generated media are links to the same files, which are never written to."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix="tree-") as folder:
        tree, media = Path(folder, root.name), root / "fixtures" / "media"
        shutil.copytree(root, tree, ignore=lambda path, _: _LEFT_OUT | ({"media"} if Path(path) == media.parent else set()))
        if media.is_dir():
            shutil.copytree(media, tree / "fixtures" / "media", copy_function=os.link)
        yield tree


def tried(tree: Path, mutant: Mutant, reached: CoverageMap, *, patience: float) -> Tried:
    """Run the tests that reach a mutant in a copy of the tree, until one fails. The copy is as before afterwards.

    `patience` is how many seconds pytest may take beside the tests.

    Raises RuntimeError if pytest could not find a test.
    """
    module = tree / mutant.path
    source, times, tests = module.read_bytes(), module.stat(), reached.tests_of(mutant)
    change = mutant.described(source)
    if not tests:
        return Tried(mutant, Verdict.UNREACHED, change)
    module.write_bytes(mutant.applied(source))
    os.utime(module, (second := next(_TIMES_OF_CHANGE), second))
    try:
        for some in filter(None, (tests[:_SOON], tests[_SOON:])):
            verdict, killer = _outcome(tree, some, patience + TIMES_SLOWER * sum(reached.seconds[name] for name in some))
            if verdict is not Verdict.SURVIVED:
                break
    finally:
        module.write_bytes(source)
        os.utime(module, ns=(times.st_atime_ns, times.st_mtime_ns))
    return Tried(mutant, verdict, change, killer)


def check_unchanged(tree: Path, reached: CoverageMap, *, patience: float) -> None:
    """Run the fastest test without a mutant. Raises RuntimeError if it does not pass: then no test would say anything."""
    fastest = min(reached.seconds, key=lambda name: (reached.seconds[name], name))
    verdict, failed = _outcome(tree, [fastest], patience)
    if verdict is not Verdict.SURVIVED:
        raise RuntimeError(f"A test fails in the copy of the tree, without a change: {fastest} {failed}")


def _outcome(tree: Path, tests: Sequence[str], seconds: float) -> tuple[Verdict, str]:
    listed = tree / "mutation-tests.txt"
    listed.write_text("\n".join(tests), encoding="utf-8")
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", f"@{listed.name}"]
    command = ["sh", "-c", f'ulimit -v {MAX_MEMORY_BYTES // 1024}; exec "$@"', "sh", *pytest]
    # The copy comes before the place where the package is installed, and compiled code is kept, whatever this process does with its own.
    environ = {**os.environ, **NO_OTHER_PLUGINS, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen(command, cwd=tree, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0)
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return Verdict.TIMEOUT, ""
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    if process.returncode == _NO_TESTS:
        raise RuntimeError(f"No test was run:\n{output[-2000:]}")
    failed = next((line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
    return (Verdict.KILLED if process.returncode else Verdict.SURVIVED), failed
