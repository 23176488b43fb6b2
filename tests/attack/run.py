"""Sends hostile bodies and texts to the emulated Lambda, and prints what each of them costs.

    python tests/attack/run.py [--only TEXT] [--timeout SECONDS]

Each line has an execution environment of its own, which has made one good video before. After the attack it must serve the next request.
With a short timeout the deadline comes in the middle of most of them: Lambda must never have to end the environment.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import make_media
from attack.line import Line, Measured, Target, download
from attack.registry import LINES
from peers.leaks import children
from peers.origin import origin
from peers.serve_command import serving

from bench.calibration import count

SECONDS = 120.0
COUNT_SECONDS = 0.4
"""What the calibration's loop takes on a machine for which the limits of processor time are meant."""
NEXT_SECONDS = 5.0
"""The next request is served within this time."""
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Carry out all attacks, print a line for each, and return the exit code."""
    words = argparse.ArgumentParser()
    words.add_argument("--only", default="")
    words.add_argument("--timeout", type=float, default=900.0)
    arguments = words.parse_args()
    failed = 0
    for line in (line for line in LINES if arguments.only in line.name):
        measured = measure(line, timeout=arguments.timeout)
        print(measured, flush=True)  # noqa: T201
        failed += bool(measured.faults)
    print(f"{failed} lines failed")  # noqa: T201
    return int(bool(failed))


def measure(line: Line, *, timeout: float) -> Measured:
    """Carry out one attack in a new environment, whose function has a timeout of so many seconds."""
    environ = {**os.environ, "TRANSCODER_RETRY_SECONDS": "0.01"}
    server = serving("--timeout", str(timeout), environ=environ)
    with origin({}) as source, server as (url, pid), httpx.Client(timeout=SECONDS) as client:
        target = Target(url, source, client)
        _make_good_video(target)
        (function,) = children(pid)
        Path(f"/proc/{function}/clear_refs").write_text("5", encoding="ascii")  # the peak begins again
        idle, cpu, started = _kib(function, "VmRSS"), _cpu_seconds(function), time.monotonic()
        ending = line.attack(target)
        seconds = time.monotonic() - started
        if children(pid) != {function}:
            return Measured(line, ending, 0.0, 0.0, seconds, ("Lambda ended the environment",))
        cpu_seconds, mib = _cpu_seconds(function) - cpu, (_kib(function, "VmHWM") - idle) / 1024
        faults = [*_faults(line, cpu_seconds, mib), *_faults_of_next_request(target)]
        if seconds > timeout:
            faults.append("it took longer than the function may run")
        return Measured(line, ending, cpu_seconds, mib, seconds, tuple(faults))


def _faults(line: Line, cpu_seconds: float, mib: float) -> Iterator[str]:
    if cpu_seconds > line.max_cpu_seconds and cpu_seconds > (allowed := line.max_cpu_seconds * max(1.0, _slowness())):
        yield f"it may take {allowed:.1f} s of processor time on this machine, as it is now"
    if mib > line.max_mib:
        yield f"it may take {line.max_mib} MiB of memory"


def _slowness() -> float:
    """Return how many times more processor time than usual the same work takes now: other programs slow a processor down, too."""
    seconds = []
    for _ in range(3):
        started = time.process_time()
        count()
        seconds.append(time.process_time() - started)
    return min(seconds) / COUNT_SECONDS


def _faults_of_next_request(target: Target) -> Iterator[str]:
    try:
        response = target.http.get(target.url + "/health", timeout=NEXT_SECONDS)
    except httpx.HTTPError as error:
        yield f"the next request: {error!r}"
    else:
        if response.status_code != httpx.codes.OK:
            yield f"the next request was answered {response.status_code}"


def _make_good_video(target: Target) -> None:
    """Have everything loaded that a download needs."""
    folder = make_media.media("ts-muxed")
    ending = download(lambda: {f"/{file.name}": file.read_bytes() for file in folder.iterdir()})(target)
    assert ending.startswith("200 and all"), ending


def _kib(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process without that of its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


if __name__ == "__main__":
    sys.exit(main())
