"""A plugin of pytest that tries mutants in forks of one process, which has imported everything and collected all tests.

It reads a line of JSON for each mutant from the descriptor TRIED_FROM, and answers with a line on ANSWERED_ON. A fork begins in
milliseconds, where a new interpreter takes seconds.
"""

import json
import os
import resource
import signal
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from select import select
from types import FunctionType
from typing import Any, NoReturn

import pytest
from mutation.code_of import Functions, changed_functions, functions_of
from mutation.recorder import coverage_of, function_of
from mutation.trial import MAX_MEMORY_BYTES, TIMES_SLOWER

_PATIENCE_SECONDS = 10.0
"""How long a test may take beside what it took when it was recorded, so many times as `TIMES_SLOWER` says."""
_PREPARED = "_command_line"
"""The fixture that starts a process for tests of the command, which a fork does not have."""


class Forks:
    """Tries mutants until no more come."""

    def __init__(self, package: Path, requests: int, answers: int) -> None:
        """Note which lines of the package run while it is imported: what they have computed is the same in each fork."""
        self._package = package
        self._requests = requests
        self._answers = answers
        self._coverage = coverage_of(package)
        self._coverage.start()
        self._failed = ""
        self._sound: dict[str, bool] = {}
        """Test functions that pass, or do not, in a fork without a mutant."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> bool | None:
        """Leave out what only tests of other processes need."""
        if fixturedef.argname != _PREPARED:
            return None
        fixturedef.cached_result = (None, fixturedef.cache_key(request), None)  # type: ignore[arg-type]
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed:
            self._failed = report.nodeid

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try mutants in place of a run of all tests."""
        self._import_all()
        self._coverage.stop()
        data = self._coverage.get_data()
        ran = {file: frozenset(data.lines(file) or ()) for file in data.measured_files()}
        functions, items = functions_of(self._package), defaultdict[str, list[pytest.Item]](list)
        for item in session.items:
            items[function_of(item.nodeid)].append(item)
        with os.fdopen(self._requests, encoding="utf-8") as requests:
            for line in requests:
                answer = self._answer(json.loads(line), functions, ran, items)
                os.write(self._answers, (json.dumps(answer) + "\n").encode())
        return True

    def _import_all(self) -> None:
        """Import each module of the package: a fork that imports one has it without the change."""
        for file in sorted(self._package.rglob("*.py")):
            name = ".".join(file.relative_to(self._package.parent).with_suffix("").parts)
            if file.name not in {"__main__.py", "__init__.py"}:
                import_module(name)

    def _answer(
        self,
        request: Mapping[str, Any],
        functions: Functions,
        ran: Mapping[str, frozenset[int]],
        items: Mapping[str, Sequence[pytest.Item]],
    ) -> tuple[str, str]:
        """Return what became of a mutant, and the test that noticed it; `unfit` if it cannot be tried in a fork."""
        file = str(self._package.parent / request["path"])
        names = [name for name in request["tests"] if items[name] and self._sound.get(name, True)]
        if ran.get(file, frozenset()).intersection(range(request["first"], request["last"] + 1)) or names != request["tests"]:
            return "unfit", ""
        changes = changed_functions(file, Path(file).read_bytes(), request["source"].encode(), functions)
        if not changes:
            return "unfit", ""
        chosen = [(item, request["seconds"][name]) for name in names for item in items[name]]
        verdict, killer = self._in_fork(chosen, changes)
        name = function_of(killer)
        if verdict == "killed" and name not in self._sound:
            self._sound[name] = self._in_fork([(item, request["seconds"][name]) for item in items[name]], [])[0] == "survived"
        return (verdict, killer) if verdict != "killed" or self._sound[name] else ("unfit", "")

    def _in_fork(self, chosen: Sequence[tuple[pytest.Item, float]], changes: Sequence[tuple[FunctionType, Any]]) -> tuple[str, str]:
        """Run tests in a fork with other code in some functions, until one fails."""
        reading, writing = os.pipe()
        if not (pid := os.fork()):
            self._run(writing, [item for item, _ in chosen], changes)
        os.close(writing)
        try:
            return _outcome(reading, [(item.nodeid, seconds) for item, seconds in chosen])
        finally:
            os.close(reading)
            for each in (os.killpg, os.kill):  # it may not lead its group yet
                with suppress(ProcessLookupError):
                    each(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _run(self, writing: int, items: Sequence[pytest.Item], changes: Sequence[tuple[FunctionType, Any]]) -> NoReturn:
        """In the fork: write a byte for each test that passes, or "F" for one that fails, and end there."""
        try:
            os.setpgid(0, 0)
            limit = MAX_MEMORY_BYTES + int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            for function, code in changes:
                function.__code__ = code
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                os.write(writing, b"F" if self._failed else b".")
                if self._failed:
                    break
        finally:
            os._exit(0)


def _outcome(reading: int, tests: Sequence[tuple[str, float]]) -> tuple[str, str]:
    """Return what became of a mutant: a fork that dies has noticed it, too."""
    for name, seconds in tests:
        if not select([reading], [], [], _PATIENCE_SECONDS + TIMES_SLOWER * seconds)[0]:
            return "timeout", name
        if os.read(reading, 1) != b".":
            return "killed", name
    return "survived", ""


def pytest_configure(config: pytest.Config) -> None:
    """Begin before the first module of the package is imported."""
    package, requests, answers = (os.environ[name] for name in ("RECORDED_PACKAGE", "TRIED_FROM", "ANSWERED_ON"))
    config.pluginmanager.register(Forks(Path(package), int(requests), int(answers)), "forks")
