"""Measures this program beside other programs for the same job.

    python -m bench.run [--runs N] [--cells NAME ...] [--only CONTESTANT ...] [--quick]

A run of all cells with all contestants is kept in bench/results/, any other one in build/bench/last.txt.
"""

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

from peers.nginx import NGINX

from bench import report
from bench.cells import CELLS, FUNCTION, GRID, LARGE_RUNS, QUICK, TARGETS
from bench.contestants import CONTESTANTS, compile_modules, environment
from bench.measure import measure_cell
from bench.results import Entry
from bench.sources import BUILD
from bench.start import milliseconds_to_next

RESULTS = Path(__file__).parent / "results"
LAST = BUILD / "last.txt"
RUNS = 5
START = "start"
"""Measured like a cell: the time to the first request for an invocation."""


def main() -> int:
    """Measure what the command line names, and print and keep the results."""
    options = _options()
    compile_modules()
    names = [name for name in _available() if not options.only or name in options.only]
    _tell(
        f"{dt.datetime.now().astimezone():%Y-%m-%d %H:%M %z}\n{report.machine(_versions(names), runs=options.runs)}",
        report.EXPLANATION,
    )
    results: dict[str, dict[str, Entry]] = {}
    for cell in (CELLS[name] for name in options.cells if name != START):
        if cell.tls and NGINX is None:
            _tell(f"{cell.name}: nginx is not installed")
            continue
        runs = min(options.runs, LARGE_RUNS) if cell.is_large else options.runs
        results[cell.name] = measure_cell(cell, cell.contestants(names), runs=runs)
        _tell(report.cell_table(cell, results[cell.name]))
    start_ms = milliseconds_to_next(environment(), runs=options.runs) if START in options.cells else None
    _tell(report.ratio_table(results, TARGETS, start_ms))
    if in_grid := [cell.name for cell in GRID if cell.name in results]:
        _tell(report.markdown(results, in_grid))
    _keep(whole=not options.only and {*results, START} == {*CELLS, START} == set(options.cells))
    return 0


_told: list[str] = []


def _tell(*parts: str) -> None:
    """Print paragraphs of the result, and remember them for the file."""
    for part in parts:
        print(part + "\n", flush=True)
        _told.append(part)


def _keep(*, whole: bool) -> None:
    """Write what was told into a file."""
    path = RESULTS / f"{dt.datetime.now().astimezone():%Y-%m-%d}.txt" if whole else LAST
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(_told) + "\n", encoding="utf-8")
    print(f"kept in {path}")


def _available() -> list[str]:
    """Return the contestants that are installed, and name the others."""
    for contestant in CONTESTANTS:
        if contestant.missing:
            print(f"{contestant.name} is not installed")
    return [*FUNCTION, *(contestant.name for contestant in CONTESTANTS if not contestant.missing)]


def _versions(names: Sequence[str]) -> dict[str, str]:
    """Return the version of each program once, whatever its flags."""
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for contestant in CONTESTANTS:
        if contestant.name in {*names, "get", "ffmpeg"}:
            found.setdefault(contestant.version, (contestant.program, contestant.version_text()))
    return dict(found.values())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cells = [*CELLS, START]
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each contestant in each cell (default: %(default)s)")
    parser.add_argument("--cells", nargs="+", choices=cells, default=cells, metavar="NAME", help=", ".join(cells))
    parser.add_argument("--only", nargs="+", choices=[*FUNCTION, *(each.name for each in CONTESTANTS)], metavar="CONTESTANT")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    options = parser.parse_args()
    if options.quick:
        options.cells = list(QUICK)
    return options


if __name__ == "__main__":
    sys.exit(main())
