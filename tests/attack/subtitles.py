"""Hostile subtitles: one long text, and very many short ones."""

from collections.abc import Callable, Iterator
from functools import partial

from attack.line import Files, Line, download
from fuzz.media_parsers import transport
from fuzz.registry import PARSERS

MIB = 1024 * 1024
_MAIN = b"""#EXTM3U
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="s",LANGUAGE="en",URI="subtitles.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000000,SUBTITLES="s"
video.m3u8
"""
_CUE = b"WEBVTT\n\n%02d:%02d:%02d.000 --> %02d:%02d:%02d.900\ntext\n"


def _playlist(names: list[str]) -> bytes:
    entries = "".join(f"#EXTINF:6,\n{name}\n" for name in names)
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{entries}#EXT-X-ENDLIST\n".encode()


_VIDEO = {"/video.m3u8": _playlist(["a.ts"]), "/a.ts": transport(4)}


def _one_text(make: Callable[[int], bytes]) -> Files:
    return {"/main.m3u8": _MAIN, "/subtitles.m3u8": _playlist(["a.vtt"]), "/a.vtt": make(MIB)} | _VIDEO


def _many_texts(count: int) -> Files:
    clocks = ((second // 3600, second // 60 % 60, second % 60) for second in range(0, 6 * count, 6))
    texts = {f"/{number}.vtt": _CUE % (clock + clock) for number, clock in enumerate(clocks)}
    names = [name[1:] for name in texts]
    return {"/main.m3u8": _MAIN, "/subtitles.m3u8": _playlist(names)} | _VIDEO | texts


def _lines() -> Iterator[Line]:
    for name, make in PARSERS["webvtt"].runs.items():
        yield Line(f"subtitles: 1 MiB of {name}", download(partial(_one_text, make), route="/subtitles"))
    yield Line("subtitles: 500 segments of one cue", download(partial(_many_texts, 500), route="/subtitles"))


LINES = tuple(_lines())
