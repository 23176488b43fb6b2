"""Hostile playlists: long, or such that a careless parser needs much time or memory for them."""

from collections.abc import Callable

from attack.line import Files, Line, download
from fuzz.registry import PARSERS

MIB = 1024 * 1024
_RUNS = PARSERS["playlist"].runs


def _line(name: str, make: Callable[[], bytes]) -> Line:
    return Line(f"a playlist: {name}", download(lambda: {"/main.m3u8": make(), "/a.ts": b"", "/a.m3u8": b""}))


def _of_run(name: str, size: int) -> Line:
    return _line(f"{size / MIB:.3g} MiB of {name}", lambda: _RUNS[name](size - 4096))


_VARIANT = b"""#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="a"
video.m3u8
"""


def _pair(name: str, size: int) -> Line:
    """Have video and audio in a long playlist each."""

    def files() -> Files:
        text = _RUNS[name](size - 4096)
        return {"/main.m3u8": _VARIANT, "/video.m3u8": text, "/audio.m3u8": text.replace(b".ts", b".aac"), "/a.ts": b"", "/a.aac": b""}

    # These are valid, and as long as two playlists may be: a hundred thousand segments, or two days.
    return Line(f"two playlists: {size / MIB:.3g} MiB of {name}", download(files), max_cpu_seconds=4.0, max_mib=96.0)


def _cut(name: str, size: int, *, variants: int) -> Line:
    """Have playlists that do not end, for redundant variants: each of them is asked for several times."""
    main = "#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH=1000000\n{number}.m3u8\n" for number in range(variants))

    def files() -> Files:
        text = _RUNS[name](size - 4096).removesuffix(b"#EXT-X-ENDLIST\n")[:-12]
        return {"/main.m3u8": main.encode()} | {f"/{number}.m3u8": text for number in range(variants)}

    return Line(f"{variants} playlists without an end: {size / MIB:.3g} MiB of {name}", download(files))


LINES = (
    _line(
        "a byte range of 200,000 blanks",
        lambda: b"#EXTM3U\n#EXT-X-BYTERANGE:1@" + b" " * 200_000 + b"x\n#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n",
    ),
    _line("an address of 10 MB", lambda: b"#EXTM3U\n#EXTINF:6,\n" + b"a b" * 3_333_333 + b"\n#EXT-X-ENDLIST\n"),
    _line("a data: address of 1.9 MB of escapes", lambda: b"#EXTM3U\n#EXTINF:6,\ndata:," + b"%41" * 600_000 + b"\n#EXT-X-ENDLIST\n"),
    *(_of_run(name, 15 * MIB) for name in _RUNS if name not in {"segments without durations", "segments in no order"}),
    # These are valid, and as long as a playlist may be.
    _of_run("segments", 3 * MIB // 2),
    _of_run("segments with byte ranges", 2 * MIB),
    _cut("segments", 3 * MIB // 2, variants=1),
    _cut("segments", 3 * MIB // 2, variants=8),
    _pair("segments", 3 * MIB // 2),
    _pair("segments with byte ranges", 2 * MIB),
    _of_run("discontinuities", 30_000),
    _of_run("maps", 30_000),
    _of_run("keys", MIB),
    _of_run("variants", MIB // 2),
    _of_run("renditions", MIB // 2),
)
