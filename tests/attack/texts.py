"""Hostile playlists: long, or such that a careless parser needs much time or memory for them."""

from collections.abc import Callable

from attack.line import Line, download
from fuzz.registry import PARSERS

MIB = 1024 * 1024
_RUNS = PARSERS["playlist"].runs


def _line(name: str, make: Callable[[], bytes], max_cpu_seconds: float = 2.0) -> Line:
    return Line(f"a playlist: {name}", download(lambda: {"/main.m3u8": make(), "/a.ts": b"", "/a.m3u8": b""}), max_cpu_seconds)


def _of_run(name: str, size: int, max_cpu_seconds: float = 2.0) -> Line:
    return _line(f"{size / MIB:.3g} MiB of {name}", lambda: _RUNS[name](size - 4096), max_cpu_seconds)


LINES = (
    _line(
        "a byte range of 200,000 blanks",
        lambda: b"#EXTM3U\n#EXT-X-BYTERANGE:1@" + b" " * 200_000 + b"x\n#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n",
    ),
    _line("an address of 10 MB", lambda: b"#EXTM3U\n#EXTINF:6,\n" + b"a b" * 3_333_333 + b"\n#EXT-X-ENDLIST\n"),
    _line("a data: address of 1.9 MB of escapes", lambda: b"#EXTM3U\n#EXTINF:6,\ndata:," + b"%41" * 600_000 + b"\n#EXT-X-ENDLIST\n"),
    *(_of_run(name, 15 * MIB) for name in _RUNS if name not in {"segments without durations", "segments in no order"}),
    # These are valid, and as long as a playlist may be.
    _of_run("segments", 3 * MIB // 2, 3.0),
    _of_run("segments with byte ranges", 2 * MIB, 3.0),
    _of_run("discontinuities", 30_000),
    _of_run("maps", 30_000),
    _of_run("keys", MIB),
    _of_run("variants", MIB // 2),
    _of_run("renditions", MIB // 2),
)
