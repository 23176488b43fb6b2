"""Check that nothing grows during a thousand invocations in one execution environment.

    python tests/soak.py [INVOCATIONS]

Watches `transcoder serve` and the runtime it starts as one process tree. The requests are for good, bad and slow sources, and some
clients disconnect after the first bytes. Fails if a descriptor, a child process or a temporary file is leaked, if the runtime was
restarted, or if the memory of the tree grows by more than a tenth from the second to the last tenth of the invocations.
"""

import http.client
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import quote, urlsplit

import make_media
from peers.leaks import children, connections_to
from peers.origin import Origin, origin
from peers.origin_rules import Rule, garbage, html
from peers.serve_command import serving

from transcoder.core.output.verifier import Verifier
from transcoder.errors import TranscodeError

SECONDS = 60.0
MAX_GROWTH = 1.1
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SHARES = {"good": 0.52, "bad": 0.2, "slow": 0.13, "disconnect": 0.15}
BAD = ("none", "no-segment", "page", "garbage", "cut", "half", "no-url")


@dataclass
class Counts:
    invocations: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    """MiB of the process tree, after each invocation."""


@dataclass(frozen=True)
class Resources:
    """What is open between two invocations."""

    processes: frozenset[int]
    descriptors: int
    files: int


def main(invocations: int = 1000) -> int:
    """Run the invocations, print the findings, and return the exit code."""
    counts, started = Counts(), time.monotonic()
    environ = {**os.environ, "TRANSCODER_ATTEMPTS": "2", "TRANSCODER_RETRY_SECONDS": "0.01"}
    with (
        tempfile.TemporaryDirectory() as temp,
        origin(make_media.media("ts-muxed")) as source,
        serving(environ=environ | {"TMPDIR": temp}) as (url, pid),
    ):
        _add_faulty_sources(source)
        kinds = _kinds(invocations)
        early = None
        for number, kind in enumerate(kinds):
            if number == invocations // 10:
                early = _idle_resources(url, pid, temp, source)
            _invoke(url, source, kind, counts)
            counts.memory.append(_memory(pid))
        late = _idle_resources(url, pid, temp, source)
    assert early is not None
    return _report(counts, early, late, seconds=time.monotonic() - started)


def _kinds(invocations: int) -> list[str]:
    kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * invocations))]
    random.Random(1).shuffle(kinds)  # noqa: S311  # the same order in every run
    return kinds


def _add_faulty_sources(source: Origin) -> None:
    """Serve copies of the source, in folders of their own, that are faulty or slow."""
    folder = source.files
    assert isinstance(folder, Path)
    good = {path.name: path.read_bytes() for path in folder.iterdir()}
    second = good["segment-1.ts"]
    replaced = {
        "good": second,
        "slow": second,
        "page": html(len(second)),
        "garbage": second[: len(second) // 2] + garbage(len(second) - len(second) // 2),
        "cut": second,
        "half": second[: len(second) // 2],
    }
    files = {"/main.m3u8": good["main.m3u8"]}
    for kind in (*replaced, "no-segment"):
        files |= {f"/{kind}/{name}": data for name, data in good.items() if name.endswith((".m3u8", ".ts"))}
        if kind in replaced:
            files[f"/{kind}/segment-1.ts"] = replaced[kind]
        else:
            del files[f"/{kind}/segment-1.ts"]
    source.files = files
    source.rules["/slow/segment-1.ts"] = Rule(trickle=(len(second) // 4, 0.03))
    # The delay lets the response start, so that it is cut off and not replaced by an error.
    source.rules["/cut/segment-1.ts"] = Rule(cut_after=1000, delay=0.1)
    source.rules["/garbage/segment-1.ts"] = Rule(delay=0.1)


def _invoke(url: str, source: Origin, kind: str, counts: Counts) -> None:
    """Request a video of some kind, and check that its outcome is as expected."""
    bad = random.Random(len(counts.memory)).choice(BAD) if kind == "bad" else ""  # noqa: S311  # the same in every run
    counts.invocations[kind] += 1
    folder = {"disconnect": "good", "bad": bad}.get(kind, kind)
    address = "" if bad == "no-url" else quote(source.url(f"/{folder}/main.m3u8"), safe="")
    outcome = _fetch(f"{url}/download?url={address}", disconnect=kind == "disconnect")
    counts.outcomes[f"{kind} {bad}".strip() + f": {outcome}"] += 1
    if (outcome == "whole") is not (kind in {"good", "slow"}):
        counts.unexpected.append(f"{kind} {bad}: {outcome}")


def _fetch(url: str, *, disconnect: bool) -> str:
    """Return how the request ended: `disconnected`, `whole`, an error status, or how the transfer failed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)
    verifier = Verifier()
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            return str(response.status)
        while chunk := response.read1(65536):
            if disconnect:
                return "disconnected"
            verifier.feed(chunk)
        verifier.end()
    except http.client.HTTPException:
        return "cut off"
    except TranscodeError:
        return "ended but not whole"
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
    """Return the resident memory of a process tree, in MiB."""
    pages = 0
    for member in _tree(pid):
        try:
            pages += int(Path(f"/proc/{member}/statm").read_text(encoding="ascii").split()[1])
        except OSError:
            continue  # the process has ended in the meantime
    return pages * PAGE_BYTES / 2**20


def _idle_resources(url: str, pid: int, temp: str, source: Origin) -> Resources:
    """Return the resources of the idle process tree: the minimum of several samples, because a connection may just be closing."""
    assert _fetch(f"{url}/health", disconnect=True) == "disconnected"
    samples = []
    for _ in range(10):
        time.sleep(0.05)
        tree = frozenset(_tree(pid))
        # The connections that are kept for the next request are more or fewer each time.
        descriptors = sum(_descriptors(member) for member in tree) - connections_to(source)
        samples.append(Resources(tree, descriptors, len(list(Path(temp).rglob("*")))))
    return min(samples, key=lambda sample: (sample.files, len(sample.processes), sample.descriptors))


def _descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def _report(counts: Counts, early: Resources, late: Resources, *, seconds: float) -> int:
    tenth = len(counts.memory) // 10
    before, after = median(counts.memory[tenth : 2 * tenth]), median(counts.memory[-tenth:])
    say: Callable[[str], object] = lambda line: sys.stdout.write(line + "\n")  # noqa: E731  # shorter than a function
    kinds = ", ".join(f"{number} {kind}" for kind, number in counts.invocations.items())
    say(f"{sum(counts.invocations.values())} invocations in {seconds:.0f} s: {kinds}")
    for outcome, number in sorted(counts.outcomes.items()):
        say(f"  {number:>4} {outcome}")
    say(f"memory of all processes: {before:.1f} MiB early, {after:.1f} MiB late (factor {after / before:.3f}, limit {MAX_GROWTH})")
    say(
        f"descriptors: {early.descriptors} early, {late.descriptors} late; processes: {len(early.processes)}, {len(late.processes)}; "
        f"temporary files: {early.files}, {late.files}"
    )
    faults = counts.unexpected[:5]
    faults += ["memory grows"] if after > MAX_GROWTH * before else []
    faults += ["descriptors leak"] if late.descriptors > early.descriptors else []
    faults += ["the set of processes has changed"] if late.processes != early.processes else []
    faults += ["temporary files leak"] if late.files else []
    for fault in faults:
        say(f"FAILED: {fault}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
