"""Checks what this program costs against bench/budget.toml: processor time of fixed jobs, what it imports at start, sizes of packages.

    python -m bench.budget

Processor time is that of one download (or one start), divided by that of a calibration job in the same run, so that a faster machine
does not change it. A budget is raised only with its reason in the commit.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.contestants import compile_modules, environment
from bench.function import Function, fetch, serving
from bench.measure import origin
from bench.packets import compare
from bench.sources import MINUTE, PACKAGINGS, PLAYLIST, ROOT, Source, make, scratch
from bench.start import cpu_seconds_to_next, imported_modules, packages
from transcoder.core.answer.lambda_cost import CALIBRATION_SECONDS, processor_seconds

BUDGET = Path(__file__).with_name("budget.toml")
ROUNDS = 4
LOW = 0.6
"""A figure below this part of its budget is pointed out: the budget can be lowered."""
MODEL_ERROR_PERCENT = 50
"""How far the processor time of the cost model (transcoder/core/answer/lambda_cost.py) may be from the measured one.

On the machine that its figures come from it is at most a fifth. On another kind of processor the same jobs have taken a quarter less of the
calibration job, so that a narrower limit would fail there for a program that has not changed.
"""
SMALL = 100
"""Figures with a smaller budget have decimals."""
_WHEEL_SOURCES = ("transcoder", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True, slots=True)
class Check:
    """A figure and its budget."""

    name: str
    value: float
    budget: float
    is_error: bool = False
    """Whether the value says how wrong something is, so that it cannot be too small."""

    @property
    def is_within(self) -> bool:
        """Whether the budget is kept."""
        return self.value <= self.budget

    def __str__(self) -> str:
        """Return the line about it."""
        note = "" if self.is_within else "  OVER BUDGET"
        note = "  far below: lower the budget" if self.value < LOW * self.budget and not self.is_error else note
        now, most = (f"{value:,.2f}" if self.budget < SMALL else f"{value:,.0f}" for value in (self.value, self.budget))
        return f"{self.name:44}{now:>14}{most:>14}{note}"


def main() -> int:
    """Check everything, print it, and return the exit code."""
    budget = tomllib.loads(BUDGET.read_text(encoding="utf-8"))
    print(f"{'':44}{'now':>14}{'budget':>14}", flush=True)
    compile_modules()
    exceeded = 0
    for check in (*_imports(budget["imports"]), *_sizes(budget["bytes"]), *_processor_time(budget["processor_time"])):
        print(check, flush=True)
        exceeded += not check.is_within
    return int(exceeded > 0)


def _imports(budget: dict[str, Any]) -> Iterator[Check]:
    """Yield how many modules the start imports, and for each list of the budget how many it imports that the list has not."""
    modules = imported_modules(environment())
    own = [name for name in modules if name.partition(".")[0] == "transcoder"]
    found = {"packages": packages(modules), "edges": sorted({name.split(".")[2] for name in own if name.startswith("transcoder.edge.")})}
    for name, values in found.items():
        extra = sorted(set(values) - set(budget[name]))
        yield Check(f"other {name} imported at start: {', '.join(extra) or 'none'}", len(extra), 0)
    count = sum(name.partition(".")[0] not in sys.stdlib_module_names for name in modules)
    yield Check("modules imported at start", count, budget["modules"])


def _sizes(budget: dict[str, int]) -> Iterator[Check]:
    yield Check("wheel, bytes", _wheel_bytes(), budget["wheel"])
    for name in ("function-x86_64.zip", "function-arm64.zip"):
        if (package := ROOT / "dist" / name).exists():
            yield Check(f"{name}, bytes", package.stat().st_size, budget["function"])
        else:
            print(f"{name}: not built")


def _wheel_bytes() -> int:
    """Build the wheel from a copy of its sources, so that nothing left over from an earlier build is in it."""
    with scratch() as temporary:
        folder = Path(temporary)
        for name in _WHEEL_SOURCES:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "wheels")]
        subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(folder)], check=True)
        (wheel,) = (folder / "wheels").iterdir()
        return wheel.stat().st_size


def _processor_time(budget: dict[str, float]) -> Iterator[Check]:
    """Yield the processor time of each job as a multiple of the calibration job's: the least of each, since other load only adds to it."""
    calibration, sizes, jobs = [], dict[str, int](), {name: list[float]() for name in ("start", *PACKAGINGS)}
    with serving(environment()) as function:
        _download(function, "ts")  # the first request also starts the runtime
        for _ in range(ROUNDS):
            calibration.append(_calibration_seconds())
            jobs["start"].append(cpu_seconds_to_next(environment()))
            for packaging in PACKAGINGS:
                figures = _download(function, packaging)
                jobs[packaging].append(figures.cpu_seconds)
                sizes[packaging] = figures.size
    print(f"calibration job: {min(calibration):.2f} s")
    for name, seconds in jobs.items():
        yield Check(f"processor time ÷ calibration: {name}", min(seconds) / min(calibration), budget[name])
    for name, size in sizes.items():
        expected = processor_seconds(size, fragmented=name == "cmaf") / CALIBRATION_SECONDS
        error = 100 * abs(expected * min(calibration) / min(jobs[name]) - 1)
        yield Check(f"error of the cost model, %: {name}", error, MODEL_ERROR_PERCENT, is_error=True)


def _calibration_seconds() -> float:
    process = subprocess.Popen([sys.executable, "-P", "-m", "bench.calibration"], env=environment())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "bench.calibration")
    return usage.ru_utime + usage.ru_stime


class _Download(NamedTuple):
    cpu_seconds: float
    size: int
    """Bytes of the output."""


def _download(function: Function, packaging: str) -> _Download:
    """Return the processor time of one download, which must be whole, and its size."""
    source = Source(MINUTE, packaging)
    make(source)
    with origin(source) as (port, _), scratch() as folder:
        output = Path(folder, "output.mp4")
        figures = fetch(function, f"http://127.0.0.1:{port}/{PLAYLIST}", output)
        if fault := str(compare(output, source)):
            raise RuntimeError(f"{packaging}: {fault}")
        return _Download(figures.cpu_seconds, output.stat().st_size)


if __name__ == "__main__":
    sys.exit(main())
