"""Compares the packets of an output with those of its source, as an MP4 stores them."""

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generated_video import ffmpeg_path, run_ffmpeg
from peers import media_reader

from bench.sources import CMAF_FILE, Source, scratch

Packets = Counter[tuple[str, str]]
"""How often each packet occurs, by stream (`video`, `audio`) and hash."""
_STREAMS = ("-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy")
_MP4 = {".mp4", ".m4s"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the packets of an output differ from those of the source."""

    expected: int
    found: int
    missing: int
    """Packets of the source that the output has not, byte for byte."""

    def __str__(self) -> str:
        """Return what a table says: nothing if all packets are there."""
        if self.found < self.expected:
            return f"lost {self.expected - self.found} of {self.expected} packets"
        if self.found > self.expected:
            return f"{self.found - self.expected} packets too many"
        return f"changed {self.missing} of {self.expected} packets" if self.missing else ""


def compare(output: Path, source: Source) -> Comparison:
    """Compare an output with its source; an output that is not MP4 is remuxed first, since the bytes of a packet depend on the format.

    Raises:
        subprocess.CalledProcessError: ffmpeg cannot read the output.
    """
    expected, found = source_packets(source), packets(output)
    return Comparison(expected.total(), found.total(), (expected - found).total())


@cache
def source_packets(source: Source) -> Packets:
    """Return the packets of the segments, put one behind another as the playlists list them; one file of byte ranges is that already."""
    if source.packaging == "cmaf":
        return packets(source.folder / CMAF_FILE)
    found: Packets = Counter()
    with scratch() as folder:
        for playlist in source.media_playlists:
            found += packets(media_reader.concatenate(playlist, Path(folder, f"{playlist.stem}.ts")))
    return found


def packets(file: Path) -> Packets:
    """Return the packets of the first video and the first audio stream."""
    if file.suffix in _MP4:
        return _packets_of_mp4(file)
    with scratch() as folder:
        remuxed = Path(folder, "remuxed.mp4")
        run_ffmpeg("-i", file, *_STREAMS, remuxed)
        return _packets_of_mp4(remuxed)


def _packets_of_mp4(file: Path) -> Packets:
    command = [ffmpeg_path(), "-nostdin", "-v", "error", "-i", str(file), *_STREAMS, "-f", "framehash", "-hash", "md5", "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = dict(re.findall(r"^#media_type (\d+): (\w+)$", text, re.MULTILINE))
    return Counter((names[line.split(",")[0]], line.split(",")[5].strip()) for line in text.splitlines() if line[:1].isdecimal())
