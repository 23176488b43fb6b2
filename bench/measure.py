"""Measures the contestants in one cell, in turn, so that a slow moment of the machine hits all of them."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.cells import FUNCTION, Cell
from bench.contestants import CONTESTANTS, OWN_PYTHON, Contestant, environment
from bench.function import Function, fetch, serving
from bench.packets import compare
from bench.process_tree import cpu_seconds
from bench.results import Entry
from bench.run_command import ContestantError, Figures, run
from bench.sources import PLAYLIST, ROOT, Source, make, scratch
from bench.tls import tls, trusting

Measure = Callable[[Path], Figures]
"""Makes an output, and measures that."""
WARMING_SECONDS = 5
_BY_NAME = {contestant.name: contestant for contestant in CONTESTANTS}
_TRUSTING_RUNTIME = (OWN_PYTHON, "-P", "-m", "bench.trusting_runtime")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell's source is fetched from."""

    cell: Cell
    address: str
    """Without a slash at its end."""
    origin_pid: int
    environ: dict[str, str]
    runtime: tuple[str, ...] = ()
    """Of the function, if it is not its own."""

    @property
    def url(self) -> str:
        """The address of the playlist."""
        return f"{self.address}/{PLAYLIST}"


@dataclass(slots=True)
class Turn:
    """A contestant, and what it has shown so far."""

    measure: Measure
    suffix: str
    entry: Entry = field(default_factory=Entry)


def measure_cell(cell: Cell, names: Sequence[str], *, runs: int) -> dict[str, Entry]:
    """Measure the contestants in a cell; one that fails is not tried again."""
    make(cell.source)
    with ExitStack() as stack:
        place = stack.enter_context(_place(cell))
        folder = Path(stack.enter_context(scratch()))
        turns = {name: _turn(place, name, stack) for name in names}
        orders = (list(turns.items()), list(reversed(turns.items())))
        for name, turn in (each for number in range(runs) for each in orders[number % 2]):
            if not turn.entry.fault:
                _take(turn, place, folder / f"{name}{turn.suffix}")
    return {name: turn.entry for name, turn in turns.items()}


@contextmanager
def origin(source: Source, *, latency: float = 0.0) -> Iterator[tuple[int, int]]:
    """Serve a source in a process of its own; yield the port and the process id."""
    with serving_folder(source.folder, latency=latency) as served:
        yield served


@contextmanager
def serving_folder(folder: Path, *, latency: float = 0.0) -> Iterator[tuple[int, int]]:
    """Serve the files of a folder in a process of its own; yield the port and the process id."""
    command = [sys.executable, "-m", "bench.origin", str(folder), "--latency", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101  # it is a pipe
            yield int(process.stdout.readline()), process.pid
        finally:
            process.terminate()


@contextmanager
def _place(cell: Cell) -> Iterator[Place]:
    with origin(cell.source, latency=cell.latency_ms / 1000) as (port, pid), scratch() as folder:
        if not cell.tls:
            yield Place(cell, f"http://127.0.0.1:{port}", pid, environment())
            return
        with tls(port, Path(folder)) as address:
            yield Place(cell, address, pid, trusting(environment(), Path(folder)), _TRUSTING_RUNTIME)


def _turn(place: Place, name: str, stack: ExitStack) -> Turn:
    if name == "cold":
        return Turn(partial(_cold, place), ".mp4")
    if name in FUNCTION:
        function = stack.enter_context(serving(place.environ, place.runtime))
        return Turn(partial(_warm, function, place.url), ".mp4")
    contestant = _BY_NAME[name]
    return Turn(partial(_run, contestant, place), contestant.suffix)


def _warm(function: Function, url: str, output: Path) -> Figures:
    """Measure a request that is not the first one. The first one is for a clip, because a gigabyte would take long."""
    if not function.runtimes():
        fetch(function, url, output, parameters=f"end={WARMING_SECONDS}&")
    return fetch(function, url, output)


def _cold(place: Place, output: Path) -> Figures:
    with serving(place.environ, place.runtime) as function:
        return fetch(function, place.url, output)


def _run(contestant: Contestant, place: Place, output: Path) -> Figures:
    command = contestant.command(place.address, place.cell.source, output)
    return run(command, output=output, environ=place.environ, writes_file=contestant.writes_file)


def _take(turn: Turn, place: Place, output: Path) -> None:
    """Measure one run, and compare its output with the source."""
    output.unlink(missing_ok=True)
    origin_cpu, began = cpu_seconds(place.origin_pid), time.monotonic()
    try:
        figures = turn.measure(output)
        turn.entry.origin_shares.append((cpu_seconds(place.origin_pid) - origin_cpu) / (time.monotonic() - began))
        turn.entry.runs.append(figures)
        turn.entry.fault = str(compare(output, place.cell.source))
    except ContestantError as error:
        turn.entry.fault = f"failed: {' '.join(str(error).split())}"
    except subprocess.CalledProcessError:
        turn.entry.fault = "ffmpeg cannot read the output"
    output.unlink(missing_ok=True)
