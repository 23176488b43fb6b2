"""Which test functions run which line of the package: recorded once, and again for the test files that have changed."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mutation.mutants import Mutant

Recorded = Mapping[str, Mapping[str, object]]
"""What `mutation.recorder` writes."""
IN_PROCESS = "tests/in_process.txt"
"""Lists the tests that run the program in their own process, and with `--deselect=` those that wait; pytest reads it as arguments."""
PACKAGE = "transcoder"
NO_OTHER_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""What others install for pytest takes two seconds at each start, and changes no result."""
_SOME_FAILED = 1
TESTS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class CoverageMap:
    """The test functions that reach a line."""

    seconds: Mapping[str, float]
    """How long each takes."""
    _of_line: Mapping[tuple[str, int], frozenset[str]]
    _of_module: Mapping[str, frozenset[str]]
    _rules: frozenset[str] = frozenset()
    """Those in the folder of all tests itself: they read sources and the values of modules, and run hardly a line."""
    failed: tuple[str, ...] = ()
    """Test functions that failed when they were recorded; they are left out."""

    @classmethod
    def of(cls, recorded: Recorded) -> "CoverageMap":
        """Return the map of what was recorded."""
        of_line, of_module = defaultdict[tuple[str, int], set[str]](set), defaultdict[str, set[str]](set)
        failed = tuple(name for name, found in recorded.items() if found["failed"])
        recorded = {name: found for name, found in recorded.items() if name not in failed}
        for name, found in recorded.items():
            lines = found["lines"]
            assert isinstance(lines, dict)
            for module, numbers in lines.items():
                of_module[module].add(name)
                for line in numbers:
                    of_line[module, line].add(name)
        seconds = {name: float(str(found["seconds"])) for name, found in recorded.items()}
        frozen = {place: frozenset(names) for place, names in of_line.items()}
        rules = frozenset(name for name in recorded if Path(_file_of(name)).parent == Path("tests"))
        return cls(seconds, frozen, {module: frozenset(names) for module, names in of_module.items()}, rules, failed)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the test functions that may notice a mutant, fastest first."""
        reach = mutant.reach
        names: set[str] = set()
        if reach.in_function:
            names = names.union(*(self._of_line.get((mutant.path, line), ()) for line in range(reach.first, reach.last + 1)))
        else:
            names |= self._of_module.get(mutant.path, frozenset()) | self._rules
        return sorted(names, key=lambda name: (self.seconds[name], name))


def coverage_map(root: Path, cache: Path, *, processes: int, also: Sequence[str] = ()) -> CoverageMap:
    """Return the map of the tests in `root` that run the program in their own process: those that are listed, and those in `also`.

    What was recorded is kept in the file `cache`, until a test file changes, or a module that it ran.

    Raises:
        RuntimeError: the tests could not be run.
    """
    modules, files = (_digests(root, found) for found in ((root / PACKAGE).rglob("*.py"), _test_files(root, also)))
    kept = json.loads(cache.read_text(encoding="utf-8")) if cache.is_file() else {"modules": {}, "files": {}, "tests": {}}
    changed = {name for name, digest in modules.items() if kept["modules"].get(name) != digest}
    stale = {_file_of(name) for name, found in kept["tests"].items() if not changed.isdisjoint(found["lines"])}
    stale |= {_file_of(name) for name, found in kept["tests"].items() if found["failed"]}
    stale |= {name for name, digest in files.items() if kept["files"].get(name) != digest}
    tests = {name: found for name, found in kept["tests"].items() if _file_of(name) in files.keys() - stale}
    tests |= _record(root, sorted(stale & files.keys()), _listed(root)[1], processes)
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text(json.dumps({"modules": modules, "files": files, "tests": tests}), encoding="utf-8")
    return CoverageMap.of(tests)


def _listed(root: Path) -> tuple[list[str], list[str]]:
    """Return the files and folders of the list, and the options with which it leaves out tests in them."""
    lines = (root / IN_PROCESS).read_text(encoding="utf-8").split()
    return [line for line in lines if not line.startswith("--")], [line for line in lines if line.startswith("--")]


def _test_files(root: Path, also: Sequence[str]) -> list[Path]:
    listed = [root / line for line in (*_listed(root)[0], *also)]
    return sorted({file for each in listed for file in ([each] if each.is_file() else each.rglob("test_*.py"))})


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def _digests(root: Path, files: Iterable[Path]) -> dict[str, str]:
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _record(root: Path, files: Sequence[str], options: Sequence[str], processes: int) -> dict[str, dict[str, object]]:
    shares = [share for number in range(processes) if (share := files[number::processes])]
    if not shares:
        return {}
    with ThreadPoolExecutor(processes) as pool:
        return {name: found for part in pool.map(lambda share: _recorded(root, share, options), shares) for name, found in part.items()}


def _recorded(root: Path, files: Sequence[str], options: Sequence[str]) -> dict[str, dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder, "recorded.json")
        places = {"RECORDED_PACKAGE": str(root / PACKAGE), "RECORDED_INTO": str(into)}
        environ = {**os.environ, **NO_OTHER_PLUGINS, **places, "PYTHONPATH": str(TESTS)}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "mutation.recorder", "-p", "no:cacheprovider", *options, *files]
        run = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
        if run.returncode not in {0, _SOME_FAILED} or not into.is_file():
            raise RuntimeError(f"The tests could not be run:\n{run.stdout[-4000:]}{run.stderr[-2000:]}")
        recorded: dict[str, dict[str, object]] = json.loads(into.read_text(encoding="utf-8"))
        return recorded
