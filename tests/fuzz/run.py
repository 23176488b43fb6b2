"""Gives the parsers changed inputs, and looks for an exception that is no refusal, or an input that takes too long.

    python tests/fuzz/run.py [--minutes 10 | --inputs 2000] [--parser NAME …] [--seed SEED] [--replay FILE]

Two parsers are fuzzed at once, each in a process of its own with little memory. An input that shows a defect is written to `build/fuzz/`,
and printed with the command that replays it.
"""

import argparse
import hashlib
import multiprocessing
import resource
import signal
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fuzz.mutations import Mutator
from fuzz.parser import Parser
from fuzz.registry import PARSERS

MAX_CPU_SECONDS = 2.0
"""An input that takes longer is a defect."""
MAX_MEMORY = 512 * 1024 * 1024
"""Bytes of address space beyond those at the start that a parser may have."""
MAX_SECONDS_OF_INPUTS = 30.0
"""A run of a number of inputs ends after this time in any case."""
FOUND = Path("build/fuzz")


class TooSlowError(BaseException):
    """An input took too long; no parser catches this."""


@dataclass(frozen=True)
class Report:
    """What the run of one parser found."""

    name: str
    inputs: int
    refused: int
    slowest: float
    """Seconds of processor time."""
    defects: tuple[str, ...]

    def __str__(self) -> str:
        share = f"{self.inputs - self.refused} accepted"
        return f"{self.name:30} {self.inputs:8} inputs, {share:16} slowest {self.slowest:.3f} s, {len(self.defects)} defects"


def main() -> int:
    """Fuzz, print what was found, and return the exit code."""
    arguments = _arguments()
    names = arguments.parser or list(PARSERS)
    if arguments.replay:
        print(try_input(PARSERS[names[0]], arguments.replay.read_bytes()) or "no defect")  # noqa: T201
        return 0
    tasks = [(name, arguments.seed, arguments.minutes * 60, arguments.inputs) for name in names]
    defects: set[str] = set()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1) as processes:
        for report in processes.map(_fuzz, *zip(*tasks, strict=True)):
            print(report, *report.defects, sep="\n", flush=True)  # noqa: T201
            defects.update(report.defects)
    return int(bool(defects))


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser()
    words.add_argument("--minutes", type=float, default=0.0)
    words.add_argument("--inputs", type=int, default=2000)
    words.add_argument("--parser", action="append", choices=list(PARSERS))
    words.add_argument("--seed", default="")
    words.add_argument("--replay", type=Path)
    found = words.parse_args()
    found.seed = found.seed or str(time.time_ns())
    print(f"seed {found.seed}")  # noqa: T201
    return found


def _fuzz(name: str, seed: str, seconds: float, inputs: int) -> Report:
    """Fuzz one parser for some time, or with so many inputs if there is no time."""
    parser = PARSERS[name]
    mutator = Mutator(parser, seed)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MAX_MEMORY, resource.RLIM_INFINITY))
    end = time.monotonic() + (seconds or MAX_SECONDS_OF_INPUTS)
    count = refused = 0
    slowest, kinds, defects = 0.0, set[str](), dict[str, str]()
    while time.monotonic() < end and (seconds or count < inputs):
        data, started = mutator.next(), time.process_time()
        kind, defect = _try(parser, data)
        slowest = max(slowest, time.process_time() - started)
        count, refused = count + 1, refused + (kind != "")
        if kind not in kinds:
            kinds.add(kind)
            mutator.keep(data)
        if defect:
            defects.setdefault(kind, defect + _saved(name, data))
    return Report(name, count, refused, slowest, tuple(defects.values()))


def try_input(parser: Parser, data: bytes) -> str:
    """Return what is wrong with how a parser takes an input; empty if nothing is."""
    return _try(parser, data)[1]


def _try(parser: Parser, data: bytes) -> tuple[str, str]:
    """Return how an input is refused, such that inputs of one kind are refused in one place, and the defect that it shows."""
    signal.signal(signal.SIGVTALRM, _too_slow)
    signal.setitimer(signal.ITIMER_VIRTUAL, MAX_CPU_SECONDS)
    try:
        parser.parse(data)
    except parser.refusals as error:
        return _kind(error), ""
    except (Exception, TooSlowError) as error:  # noqa: BLE001  # finding what nobody expects is the purpose
        return _kind(error), "".join(traceback.format_exception(error, limit=-4))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return "", ""


def _too_slow(_number: int, _frame: object) -> None:
    raise TooSlowError(f"more than {MAX_CPU_SECONDS} s")


def _kind(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} {last.filename}:{last.lineno}"


def _saved(name: str, data: bytes) -> str:
    FOUND.mkdir(parents=True, exist_ok=True)
    file = FOUND / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    file.write_bytes(data)
    return f"    make fuzz PARSER={name} REPLAY={file}\n"


if __name__ == "__main__":
    sys.exit(main())
