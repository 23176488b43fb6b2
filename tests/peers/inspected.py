"""What ffmpeg makes of segments, and what the inspectors say of the same bytes."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from generated_video import ffmpeg_path

from transcoder.core.media.inspector import Inspector, inspector_for
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Medium, Probe

_HEADER = re.compile(r"#(tb|media_type) (\d+): (\S+)")


@dataclass(frozen=True, slots=True)
class Copied:
    """What `ffmpeg -copyts -c copy -copyinkf` puts out for one stream."""

    samples: int
    start: float
    end: float


def copied(data: bytes, demuxer: str) -> dict[Medium, Copied]:
    """Let ffmpeg copy the first streams of `data` from a pipe, and read what its `framecrc` lists."""
    command = [ffmpeg_path(), "-nostdin", "-v", "quiet", "-protocol_whitelist", "pipe", "-copyts", "-f", demuxer, "-i", "pipe:0"]
    command += ["-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-copyinkf", "-f", "framecrc", "pipe:1"]
    text = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
    base: dict[str, float] = {}
    medium: dict[str, Medium] = {}
    times: dict[str, list[tuple[float, float]]] = {}
    for line in text.splitlines():
        if header := _HEADER.match(line):
            kind, index, value = header.groups()
            if kind == "tb":
                base[index] = int(value.split("/")[0]) / int(value.split("/")[1])
            else:
                medium[index] = Medium(value)
        elif not line.startswith("#"):
            index, _, pts, duration = (word.strip() for word in line.split(",")[:4])
            times.setdefault(index, []).append((int(pts) * base[index], (int(pts) + int(duration)) * base[index]))
    return {medium[index]: Copied(len(found), found[0][0], max(end for _, end in found)) for index, found in times.items()}


def counted(data: bytes, demuxer: str) -> int:
    """Return how many packets of its first stream ffmpeg copies."""
    return next(iter(copied(data, demuxer).values())).samples


def probed(segment: bytes, *, init: bytes = b"") -> Probe:
    """Probe a whole segment."""
    found = probe(segment, init=init, whole=True)
    assert found is not None
    return found


def judged(segments: Iterable[bytes], *, init: bytes = b"", piece: int = 65536, probe_of: Probe | None = None) -> tuple[Inspector, bytes]:
    """Pass segments through an inspector in pieces; return it and what it lets through."""
    segments = list(segments)
    judge = inspector_for(probe_of or probed(segments[0], init=init), init=init)
    through = []
    for segment in segments:
        judge.begin()
        through += [judge.feed(segment[at : at + piece]) for at in range(0, len(segment), piece)]
        through.append(judge.end())
    return judge, b"".join(through)


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut `data` at some places."""
    return [data[start:stop] for start, stop in pairwise([0, *sorted(cuts), len(data)])]


def read(folder: Path, playlist: str = "main.m3u8") -> tuple[bytes, list[bytes]]:
    """Return the initialization section and the segments of a media playlist of whole files."""
    text = (folder / playlist).read_text()
    init = re.search(r'#EXT-X-MAP:URI="([^"]+)"', text)
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    return (folder / init[1]).read_bytes() if init else b"", [(folder / name).read_bytes() for name in names]
