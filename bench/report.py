"""The results as text, and as a short table for the README."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.cells import LARGE_RUNS, START_TARGET_MS, START_WAS_MS, Cell, Target
from bench.results import Entry, Results, ratios

MEGABYTE = 1e6
NAMES = {"warm": "Transcoder, warm", "cold": "Transcoder, cold", "get": "`transcoder get`", "floor": "curl, then ffmpeg"}
"""The names of the contestants in the README, where they are not their own."""
README_CONTESTANTS = ("warm", "cold", "get", "ffmpeg-no-seek", "streamlink-8", "yt-dlp", "floor")
EXPLANATION = """\
warm: this program as a function, a second or later request; cold: the first request of an environment; get: `transcoder get`. Memory and
processor time of a function are those of its runtime and of ffmpeg, not of the emulator. floor: curl fetches eight segments at a time,
then ffmpeg remuxes them. streamlink writes the source's format, or Matroska. yt-dlp writes a file: its first byte is its end.
ffmpeg-no-seek has -http_seekable 0, ffmpeg-one-connection also -http_multiple 0.
first byte, total, CPU, resident: medians; resident is the peak of the whole tree of processes. origin: the part of one processor that
the origin used. A latency is one round trip: one for a new connection (two with TLS), and one for each response."""


def machine(versions: Mapping[str, str], *, runs: int) -> str:
    """Return what the figures depend on: the machine, the versions, and the number of runs."""
    model = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    lines = [
        f"{os.cpu_count()} processors ({model}), Linux {platform.release()}, load before {load}",
        f"Python {platform.python_version()}, " + ", ".join(f"{name} {version}" for name, version in versions.items()),
        f"runs of each contestant in each cell: {runs} (at most {LARGE_RUNS} in large cells)",
    ]
    return "\n".join(lines)


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def cell_table(cell: Cell, entries: Mapping[str, Entry]) -> str:
    """Return the table of one cell, with a line for each contestant."""
    size = sum(file.stat().st_size for file in cell.source.folder.iterdir()) / MEGABYTE
    lines = [f"{cell.name} ({size:.0f} MB)", f"  {'':22}{'first byte':>10}{'total':>9}{'CPU':>9}{'resident':>9}{'origin':>8}"]
    return "\n".join([*lines, *(f"  {_line(name, entry)}" for name, entry in entries.items())])


def _line(name: str, entry: Entry) -> str:
    if not entry.runs:
        return f"{name:22}  {entry.fault}"
    first, total = entry.median("first_byte") * 1000, entry.median("total")
    figures = f"{first:7.0f} ms{total:7.2f} s{entry.median('cpu'):7.2f} s{entry.median('resident') / MEGABYTE:6.0f} MB"
    return f"{name:22}{figures}{max(entry.origin_shares):7.0%}  {entry.fault}".rstrip()


def ratio_table(results: Results, targets: Iterable[Target], start_ms: float | None) -> str:
    """Return the ratios beside their targets; `start_ms` is the time to the first request for an invocation."""
    lines = [f"{'':46}{'was':>8}{'now':>8}{'half-way':>10}{'target':>8}"]
    for ratio in ratios(results, targets):
        target = ratio.target
        lines.append(f"{target.text:46}{target.was:8.2f}{ratio.value:8.2f}{target.half_way:10.2f}{target.target:8.2f}  {ratio.verdict}")
    if start_ms is not None:
        half = (START_WAS_MS + START_TARGET_MS) / 2
        verdict = "met" if start_ms <= START_TARGET_MS else "half-way" if start_ms <= half else "missed"
        lines.append(f"{'start to the first /next, ms':46}{START_WAS_MS:8.0f}{start_ms:8.0f}{half:10.0f}{START_TARGET_MS:8.0f}  {verdict}")
    return "\n".join(lines)


def markdown(results: Results, cells: Sequence[str]) -> str:
    """Return a table for the README: first byte in ms, total in s, CPU in s, and MB, of each contestant in each cell."""
    lines = ["| first byte ms / total s / CPU s / MB | " + " | ".join(cells) + " |", "|---|" + "---|" * len(cells)]
    for name in (each for each in README_CONTESTANTS if any(each in results[cell] for cell in cells)):
        values = [_cell(results[cell][name]) if name in results[cell] else "" for cell in cells]
        lines.append(f"| {NAMES.get(name, name)} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _cell(entry: Entry) -> str:
    if not entry.counts:
        return entry.fault if entry.runs else "failed"
    first, total, cpu = entry.median("first_byte") * 1000, entry.median("total"), entry.median("cpu")
    return f"{first:.0f} / {total:.2f} / {cpu:.2f} / {entry.median('resident') / MEGABYTE:.0f}"
