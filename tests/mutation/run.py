"""Changes the program in small ways, and counts the changes that no test notices.

    python tests/mutation/run.py [--number 150] [--seed SEED] [--paths transcoder/core …] [--also tests/app …]

Each change is tried in a copy of the tree, with the tests that reach its line and run the program in their own process
(`tests/in_process.txt`), fastest first, until one fails. What takes far too long counts as noticed, by the time limit.
"""

import argparse
import queue
import secrets
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from mutation.coverage_map import PACKAGE, CoverageMap, coverage_map
from mutation.mutants import Mutant, drawn
from mutation.results import lines
from mutation.trial import Tried, check_unchanged, copied, tried
from mutation.worker import Worker, running

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build" / "mutation"
PATHS = tuple(f"{PACKAGE}/{name}" for name in ("core", "edge/fetch", "pipeline", "app"))
"""The core, the fetcher, the pipeline and the application."""


def main() -> int:
    """Try mutants, print what became of them, and return the exit code: 0 if every mutant that a test reaches was noticed."""
    arguments = _arguments()
    seed = arguments.seed or secrets.token_hex(4)
    mutants, possible = drawn(ROOT, arguments.paths or PATHS, arguments.number, seed)
    print(f"{len(mutants)} of {possible} mutants, SEED={seed}", flush=True)  # noqa: T201
    start = time.monotonic()
    reached = coverage_map(ROOT, FOLDER / "map.json", processes=arguments.processes, also=arguments.also)
    print(f"{len(reached.seconds)} test functions, known after {time.monotonic() - start:.0f} s", flush=True)  # noqa: T201
    if reached.failed:
        print("left out, because they fail without a change:", *reached.failed, flush=True)  # noqa: T201
    results = try_all(ROOT, mutants, reached, processes=arguments.processes)
    print(*lines(results), f"{time.monotonic() - start:.0f} s", sep="\n")  # noqa: T201
    return int(any(each.verdict.value == "survived" for each in results))


def try_all(root: Path, mutants: Sequence[Mutant], reached: CoverageMap, *, processes: int, patience: float = 60.0) -> list[Tried]:
    """Try mutants, so many at once, each in one of as many copies of the tree; print each as it is done.

    `patience` is how many seconds pytest may take beside the tests.
    """
    trees = queue.SimpleQueue[tuple[Path, Worker]]()

    def trial(mutant: Mutant) -> Tried:
        (tree, worker), start = trees.get(), time.monotonic()
        try:
            result = worker.tried(mutant, reached) or tried(tree, mutant, reached, patience=patience)
        finally:
            trees.put((tree, worker))
        print(f"{result.verdict.value:10}{time.monotonic() - start:5.0f} s  {result.change}  {result.killer}", flush=True)  # noqa: T201
        return result

    with ExitStack() as copies, ThreadPoolExecutor(processes) as pool:
        for _ in range(processes):
            tree = copies.enter_context(copied(root, root / "build" / "mutation"))
            check_unchanged(tree, reached, patience=60.0)
            worker = copies.enter_context(running(tree, {name.partition("::")[0] for name in reached.seconds}))
            trees.put((tree, worker))
        return list(pool.map(trial, mutants))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=150)
    parser.add_argument("--seed", default="", help="repeats the draw of a seed that was printed")
    parser.add_argument("--paths", nargs="*", help="folders and modules, from the root of the project")
    parser.add_argument("--also", nargs="*", default=(), help="files and folders of slower tests that run the program in their process")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
