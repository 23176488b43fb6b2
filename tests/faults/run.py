"""Download from origins that misbehave, and count how often the result is whole, visibly failed, or silently wrong.

    python tests/faults/run.py [--runs N] [--seed SEED] [--run NUMBER] [--kind KIND] [--layout auto|plain|fragmented]

Exits with 1 if a download was silently wrong in a way that can be seen without decoding, did not end, left something behind, or was not
whole although nothing disturbed it.
"""

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from faults.drawing import UNDISTURBED, Fault, Feature, Run, Way, draw
from faults.faulty_origin import faulty_origin
from faults.get_way import OUTPUT, get
from faults.kinds import KINDS
from faults.report import Result, report
from faults.serve_way import Emulator
from faults.source import TRACKS, source
from faults.verdict import Outcome, judge
from peers import command_line
from peers.origin_rules import Request

AT_ONCE = 2
ENVIRON = {
    "TRANSCODER_ALLOW_PRIVATE": "1",
    "TRANSCODER_READ_SECONDS": "1",
    "TRANSCODER_RETRY_SECONDS": "0.05",
}

say: Callable[[str], object] = lambda line: sys.stdout.write(line + "\n")  # noqa: E731  # shorter than a function


class Bench:
    """Where runs take place: a folder for each, the undisturbed outputs, and an emulated function for each way to end a stream."""

    def __init__(self, folder: Path, emulators: dict[Way, Emulator], layout: str) -> None:
        """Use `open` instead."""
        self._layout = layout
        self._folder = folder
        self._emulators = emulators
        self.undisturbed = {name: self._save_undisturbed(name) for name in TRACKS}
        """The undisturbed output of each source, in fragments; any other layout has the same packets at the same times."""

    @classmethod
    @contextmanager
    def open(cls, layout: str = "auto") -> Iterator[Self]:
        """Make a bench for the length of a block, for outputs in that layout."""
        command_line.start("faults.run")  # as a script, this module is imported by each process
        with tempfile.TemporaryDirectory() as folder, ExitStack() as started:
            serve = {
                way: started.enter_context(Emulator(way.value, Path(folder, f"serve-{way.value}"), ENVIRON))
                for way in (Way.SERVE_CUT, Way.SERVE_CLEAN)
            }
            yield cls(Path(folder), serve, layout)

    def carry_out(self, run: Run) -> tuple[Result, list[Request]]:
        """Download once; return the result and the requests that the origin got."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder, faulty_origin(run) as server:
            outcome = self._download(run, server.url("/main.m3u8"), Path(folder))
            return Result(run, *judge(outcome, self.undisturbed[run.source.name])), server.requests

    def _download(self, run: Run, url: str, folder: Path) -> Outcome:
        if run.way is Way.GET:
            return get(url, folder, ENVIRON, self._layout)
        return self._emulators[run.way].download(url, folder, self._layout)

    def _save_undisturbed(self, name: str) -> Path:
        """Download a source from a faultless origin; everything else is compared with the result."""
        folder = self._folder / "undisturbed" / name
        run = Run("", 0, source(name), Way.GET, Feature.PLAIN, UNDISTURBED, Fault())
        folder.mkdir(parents=True)
        with faulty_origin(run) as server:
            outcome = get(server.url("/main.m3u8"), folder, ENVIRON, "fragmented")
        if not outcome.success:
            raise RuntimeError(f"{name} cannot be downloaded undisturbed: {outcome.detail}")
        return folder / OUTPUT


def measure(runs: Sequence[Run], layout: str) -> list[Result]:
    """Carry out the runs in a layout, and print those that break the promise as they end."""

    def carry_out(run: Run) -> Result:
        result, _ = bench.carry_out(run)
        if result.breaks_promise or result.is_internal_error:
            say(str(result))
        return result

    with Bench.open(layout) as bench, ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(carry_out, runs))


def replay(run: Run, layout: str) -> bool:
    """Carry out one run in a layout, print what happened, and return whether it keeps the promise."""
    with Bench.open(layout) as bench:
        result, requests = bench.carry_out(run)
    for request in requests:
        say(f"{request.path} {request.headers.get('range', '')} -> {request.status}, {request.sent} bytes")
    say(str(result))
    return not result.breaks_promise


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, do what it says, and return the exit code."""
    parser = argparse.ArgumentParser(description="Download from origins that misbehave.", allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=1000, metavar="N", help="how many downloads (1000)")
    parser.add_argument("--seed", default="", help="what everything is drawn from; without it, a new one is chosen")
    parser.add_argument("--run", type=int, metavar="NUMBER", help="only this one of the seed's runs, with its requests")
    parser.add_argument("--kind", default="", metavar="KIND", help="only the runs whose kind of fault begins with this")
    parser.add_argument(
        "--layout",
        default="auto",
        choices=["auto", "plain", "fragmented"],
        help="of the outputs",
    )
    parsed = parser.parse_args(arguments)
    if not any(name.startswith(parsed.kind) for name in (*KINDS, UNDISTURBED)):
        parser.error(f"--kind: no kind begins with {parsed.kind}; there are {', '.join([*KINDS, UNDISTURBED])}")
    seed = parsed.seed or secrets.token_hex(4)
    if parsed.run is not None:
        return int(not replay(draw(seed, parsed.run), parsed.layout))
    say(f"seed {seed}")
    started = time.monotonic()
    runs = [run for run in (draw(seed, number) for number in range(parsed.runs)) if run.kind.startswith(parsed.kind)]
    results = measure(runs, parsed.layout)
    for line in report(results):
        say(line)
    say(f"seed {seed}, {time.monotonic() - started:.0f} s")
    return int(any(result.breaks_promise for result in results))


if __name__ == "__main__":
    sys.exit(main())
