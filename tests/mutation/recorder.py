"""A plugin of pytest that writes which lines of the package each test function runs, and how long it takes.

It is given the package's folder in RECORDED_PACKAGE, and the file to write in RECORDED_INTO. Only what runs in this process is seen.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

_NO_TEST = ""


def coverage_of(package: Path) -> coverage.Coverage:
    """Return what notes which lines of the modules in a folder run in this process, once it is started."""
    return coverage.Coverage(data_file=None, include=[f"{package}/*"], config_file=False, messages=False)


def function_of(nodeid: str) -> str:
    """Return the test function of a test, which may be one of several with parameters."""
    return nodeid.partition("[")[0]


class Recorder:
    """Records a run of pytest."""

    def __init__(self, package: Path, into: Path) -> None:
        """Record the modules in the folder `package`; write the JSON file `into` at the end."""
        self._root, self._into = package.parent, into
        self._coverage = coverage_of(package)
        self._seconds = defaultdict[str, float](float)
        self._failed = set[str]()
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run a test in a context of its own."""
        name, start = function_of(item.nodeid), time.perf_counter()
        self._coverage.switch_context(name)
        try:
            return (yield)
        finally:
            self._coverage.switch_context(_NO_TEST)
            self._seconds[name] += time.perf_counter() - start

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure: a test that fails could not notice anything."""
        if report.failed:
            self._failed.add(function_of(report.nodeid))

    def pytest_sessionfinish(self) -> None:
        """Write what was recorded of each test function: its seconds, the lines it ran of each module, and whether it failed."""
        self._coverage.stop()
        data, lines = self._coverage.get_data(), defaultdict[str, dict[str, list[int]]](dict)
        for file in sorted(data.measured_files()):
            module = Path(file).relative_to(self._root).as_posix()
            for line, names in data.contexts_by_lineno(file).items():
                for name in set(names) - {_NO_TEST}:
                    lines[name].setdefault(module, []).append(line)
        tests = {
            name: {"seconds": round(seconds, 3), "lines": lines[name], "failed": name in self._failed}
            for name, seconds in sorted(self._seconds.items())
        }
        self._into.write_text(json.dumps(tests), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record, before the first module of the package is imported."""
    config.pluginmanager.register(Recorder(Path(os.environ["RECORDED_PACKAGE"]), Path(os.environ["RECORDED_INTO"])), "recorder")
