"""Inspect segments with the project's inspectors, and copy the same bytes with ffmpeg to compare the results."""

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
class CopiedStream:
    """What `ffmpeg -copyts -c copy -copyinkf` writes of one stream: its packets, and when they start and end in seconds."""

    samples: int
    start: float
    end: float


def copy_with_ffmpeg(data: bytes, demuxer: str) -> dict[Medium, CopiedStream]:
    """Let ffmpeg copy the first streams of `data` from a pipe, and parse the list that its `framecrc` muxer writes."""
    command = [ffmpeg_path(), "-nostdin", "-v", "quiet", "-protocol_whitelist", "pipe", "-copyts", "-f", demuxer, "-i", "pipe:0"]
    command += ["-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-copyinkf", "-f", "framecrc", "pipe:1"]
    text = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
    time_base: dict[str, float] = {}
    medium: dict[str, Medium] = {}
    times: dict[str, list[tuple[float, float]]] = {}
    for line in text.splitlines():
        if header := _HEADER.match(line):
            kind, index, value = header.groups()
            if kind == "tb":
                time_base[index] = int(value.split("/")[0]) / int(value.split("/")[1])
            else:
                medium[index] = Medium(value)
        elif not line.startswith("#"):
            index, _, pts, duration = (word.strip() for word in line.split(",")[:4])
            times.setdefault(index, []).append((int(pts) * time_base[index], (int(pts) + int(duration)) * time_base[index]))
    return {medium[index]: CopiedStream(len(found), found[0][0], max(end for _, end in found)) for index, found in times.items()}


def ffmpeg_packet_count(data: bytes, demuxer: str) -> int:
    """Return how many packets of the first stream ffmpeg copies."""
    return next(iter(copy_with_ffmpeg(data, demuxer).values())).samples


def probe_segment(segment: bytes, *, init: bytes = b"") -> Probe:
    """Probe a whole segment."""
    found = probe(segment, init=init, whole=True)
    assert found is not None
    return found


def inspect_segments(
    segments: Iterable[bytes], *, init: bytes = b"", chunk_bytes: int = 65536, probe_of: Probe | None = None
) -> tuple[Inspector, bytes]:
    """Feed segments to an inspector in chunks; return the inspector and the bytes that it returned."""
    segments = list(segments)
    inspecting = inspector_for(probe_of or probe_segment(segments[0], init=init), init=init)
    output = []
    for segment in segments:
        inspecting.begin()
        output += [inspecting.feed(segment[at : at + chunk_bytes]) for at in range(0, len(segment), chunk_bytes)]
        output.append(inspecting.end())
    return inspecting, b"".join(output)


def split_at(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Split `data` at the offsets `cuts`."""
    return [data[start:stop] for start, stop in pairwise([0, *sorted(cuts), len(data)])]


def read_segments(folder: Path, playlist: str = "main.m3u8") -> tuple[bytes, list[bytes]]:
    """Return the initialization section and the segments of a Media Playlist without byte ranges."""
    text = (folder / playlist).read_text()
    init = re.search(r'#EXT-X-MAP:URI="([^"]+)"', text)
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    return (folder / init[1]).read_bytes() if init else b"", [(folder / name).read_bytes() for name in names]
