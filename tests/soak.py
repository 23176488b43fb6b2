"""A thousand invocations in one environment: does anything grow?

    python tests/soak.py [INVOCATIONS]

`transcoder serve` and the runtime under it are watched as one tree of processes. Films are asked for that are good, bad in many ways, slow,
or left by their client after the first bytes. It fails if a descriptor, a child or a temporary file is left, if the runtime was
replaced, or if the tree's memory grows by more than a tenth from the second to the last tenth of the invocations.
"""

import http.client
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import quote, urlsplit

import make_media
from peers.leaks import children
from peers.origin import Origin, origin
from peers.origin_rules import Rule, garbage, html

from transcoder.core.output.verifier import Verifier
from transcoder.errors import TranscodeError

SECONDS = 60.0
GROWTH = 1.1
PAGE = os.sysconf("SC_PAGE_SIZE")
SHARES = {"good": 0.52, "bad": 0.2, "slow": 0.13, "left": 0.15}
BAD = ("none", "no-segment", "page", "garbage", "cut", "half", "no-address")


@dataclass
class Counts:
    invocations: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    """MiB of the tree, after each invocation."""


@dataclass(frozen=True)
class Left:
    """What is there between two invocations."""

    processes: frozenset[int]
    descriptors: int
    files: int


def main(invocations: int = 1000) -> int:
    """Run, print what was found, and return the exit code."""
    counts, began = Counts(), time.monotonic()
    with tempfile.TemporaryDirectory() as temp, origin(make_media.media("ts-muxed")) as source, _serving(temp) as (url, pid):
        _misbehave(source)
        asked = _order(invocations)
        early = None
        for number, kind in enumerate(asked):
            if number == invocations // 10:
                early = _settled(url, pid, temp)
            _ask(url, source, kind, counts)
            counts.memory.append(_memory(pid))
        late = _settled(url, pid, temp)
    assert early is not None
    return _judge(counts, early, late, seconds=time.monotonic() - began)


def _order(invocations: int) -> list[str]:
    kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * invocations))]
    random.Random(1).shuffle(kinds)  # noqa: S311  # the same order each time
    return kinds


@contextmanager
def _serving(temp: str) -> Iterator[tuple[str, int]]:
    environ = {**os.environ, "TMPDIR": temp, "TRANSCODER_ATTEMPTS": "2", "TRANSCODER_RETRY_SECONDS": "0.01"}
    command = [sys.executable, "-m", "transcoder", "serve", "--port", "0", "--allow-private"]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip().rstrip("/"), process.pid
        finally:
            process.terminate()


def _misbehave(source: Origin) -> None:
    """Give the paths of the film other names under which they are bad or slow."""
    folder = source.files
    assert isinstance(folder, Path)
    good = {path.name: path.read_bytes() for path in folder.iterdir()}
    second = good["film-1.ts"]
    spoilt = {
        "good": second,
        "slow": second,
        "page": html(len(second)),
        "garbage": second[: len(second) // 2] + garbage(len(second) - len(second) // 2),
        "cut": second,
        "half": second[: len(second) // 2],
    }
    files = {"/main.m3u8": good["main.m3u8"]}
    for kind in (*spoilt, "no-segment"):
        files |= {f"/{kind}/{name}": data for name, data in good.items() if name.endswith((".m3u8", ".ts"))}
        if kind in spoilt:
            files[f"/{kind}/film-1.ts"] = spoilt[kind]
        else:
            del files[f"/{kind}/film-1.ts"]
    source.files = files
    source.rules["/slow/film-1.ts"] = Rule(trickle=(len(second) // 4, 0.03))
    # Late enough for the film to have begun: it is broken off, and not refused.
    source.rules["/cut/film-1.ts"] = Rule(cut_after=1000, delay=0.1)
    source.rules["/garbage/film-1.ts"] = Rule(delay=0.1)


def _ask(url: str, source: Origin, kind: str, counts: Counts) -> None:
    """Ask for a film of a kind, and see that it is answered as such."""
    bad = random.Random(len(counts.memory)).choice(BAD) if kind == "bad" else ""  # noqa: S311  # the same each time
    counts.invocations[kind] += 1
    folder = {"left": "good", "bad": bad}.get(kind, kind)
    address = "" if bad == "no-address" else quote(source.url(f"/{folder}/main.m3u8"), safe="")
    told = _fetch(f"{url}/download?url={address}", leave=kind == "left")
    counts.answers[f"{kind} {bad}".strip() + f": {told}"] += 1
    if (told == "whole") is not (kind in {"good", "slow"}):
        counts.wrong.append(f"{kind} {bad}: {told}")


def _fetch(url: str, *, leave: bool) -> str:
    """Say how it ended: `left`, `whole`, a status, or how it failed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)
    verifier = Verifier()
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            return str(response.status)
        while piece := response.read1(65536):
            if leave:
                return "left"
            verifier.feed(piece)
        verifier.end()
    except http.client.HTTPException:
        return "broken off"
    except TranscodeError:
        return "ended and not whole"
    finally:
        connection.close()
    return "whole"


def _tree(pid: int) -> set[int]:
    found, new = {pid}, {pid}
    while new:
        new = {child for parent in new for child in children(parent)} - found
        found |= new
    return found


def _memory(pid: int) -> float:
    """Return the resident memory of a tree of processes, in MiB."""
    total = 0
    for each in _tree(pid):
        try:
            total += int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1])
        except OSError:
            continue  # it has ended meanwhile
    return total * PAGE / 2**20


def _settled(url: str, pid: int, temp: str) -> Left:
    """Return what is left when all is quiet: the least of some looks, since a connection may just be on its way out."""
    assert _fetch(f"{url}/health", leave=True) == "left"
    looks = []
    for _ in range(10):
        time.sleep(0.05)
        tree = frozenset(_tree(pid))
        open_now = sum(_open_in(each) for each in tree)
        looks.append(Left(tree, open_now, len(list(Path(temp).rglob("*")))))
    return min(looks, key=lambda left: (left.files, len(left.processes), left.descriptors))


def _open_in(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def _judge(counts: Counts, early: Left, late: Left, *, seconds: float) -> int:
    tenth = len(counts.memory) // 10
    before, after = median(counts.memory[tenth : 2 * tenth]), median(counts.memory[-tenth:])
    say: Callable[[str], object] = lambda line: sys.stdout.write(line + "\n")  # noqa: E731  # shorter than what it stands for
    say(
        f"{sum(counts.invocations.values())} invocations in {seconds:.0f} s: "
        + ", ".join(f"{n} {kind}" for kind, n in counts.invocations.items())
    )
    for told, number in sorted(counts.answers.items()):
        say(f"  {number:>4} {told}")
    say(f"memory of all processes: {before:.1f} MiB, in the end {after:.1f} MiB ({after / before:.3f}; at most {GROWTH})")
    say(
        f"descriptors {early.descriptors}, in the end {late.descriptors}; processes {len(early.processes)}, {len(late.processes)}; "
        f"temporary files {early.files}, {late.files}"
    )
    faults = counts.wrong[:5]
    faults += ["memory grows"] if after > GROWTH * before else []
    faults += ["descriptors are left"] if late.descriptors > early.descriptors else []
    faults += ["the processes are others than before"] if late.processes != early.processes else []
    faults += ["temporary files are left"] if late.files else []
    for fault in faults:
        say(f"FAILED: {fault}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
