"""A process that tries mutants in forks of itself."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from mutation.coverage_map import NO_OTHER_PLUGINS, PACKAGE, TESTS, CoverageMap
from mutation.mutants import Mutant
from mutation.trial import Tried, Verdict

UNFIT = "unfit"


class Worker:
    """Has collected tests, and tries one mutant after another with them."""

    def __init__(self, tree: Path, requests: IO[str], answers: IO[str]) -> None:
        """Use `running` instead."""
        self._tree = tree
        self._requests = requests
        self._answers = answers

    def tried(self, mutant: Mutant, reached: CoverageMap) -> Tried | None:
        """Run the tests that reach a mutant until one fails; None if this mutant cannot be tried in a fork.

        Raises:
            RuntimeError: the process has ended.
        """
        source, tests = (self._tree / mutant.path).read_bytes(), reached.tests_of(mutant)
        if not tests or not mutant.reach.in_function:
            return None
        request = {
            "path": mutant.path,
            "source": mutant.applied(source).decode(),
            "first": mutant.reach.first,
            "last": mutant.reach.last,
            "tests": tests,
            "seconds": {name: reached.seconds[name] for name in tests},
        }
        print(json.dumps(request), file=self._requests, flush=True)
        if not (answer := self._answers.readline()):
            raise RuntimeError("The process that tries mutants has ended.")
        verdict, killer = json.loads(answer)
        return None if verdict == UNFIT else Tried(mutant, Verdict(verdict), mutant.described(source), killer, in_fork=True)


@contextmanager
def running(tree: Path, files: Iterable[str]) -> Iterator[Worker]:
    """Start a process that collects the tests in these files of a copy of the tree.

    Raises:
        RuntimeError: it failed.
    """
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile("w+"))
        (tried_from, requests), (answers, answered_on) = os.pipe(), os.pipe()
        places = {"RECORDED_PACKAGE": str(tree / PACKAGE), "TRIED_FROM": str(tried_from), "ANSWERED_ON": str(answered_on)}
        # The copy comes before the place where the package is installed.
        path = os.pathsep.join((str(tree), str(TESTS)))
        environ = {**os.environ, **NO_OTHER_PLUGINS, **places, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": ""}
        command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "mutation.forks", "-p", "no:cacheprovider", *sorted(set(files))]
        fds = (tried_from, answered_on)
        process = subprocess.Popen(command, cwd=tree, env=environ, stdout=log, stderr=log, pass_fds=fds)
        for each in fds:
            os.close(each)
        try:
            with os.fdopen(requests, "w", encoding="utf-8") as into, os.fdopen(answers, encoding="utf-8") as out:
                yield Worker(tree, into, out)
        except BaseException:
            process.kill()
            log.seek(0)
            print(log.read()[-4000:], file=sys.stderr)  # noqa: T201 - why it ended
            raise
        finally:
            process.wait()
