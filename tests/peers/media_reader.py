"""An independent look at a film: what plain ffmpeg and PyAV read from a source, and from our MP4.

    source = concatenate(media("ts-muxed") / "main.m3u8", tmp_path / "source.ts")   # all segments in one file
    assert hashes(ours) == source_hashes(source)                                    # every packet, bit for bit
    assert packets(ours) == packets(source)
    assert av_distance(ours) == pytest.approx(av_distance(source), abs=0.001)
    assert header_duration(ours) == pytest.approx(6.0, abs=0.1)

Where picture and sound are separate, both files are given: `source_hashes(picture, sound)`.
"""

import io
import re
import struct
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
from generated_video import ffmpeg_path, run_ffmpeg

HEAD = 256 * 1024
MEDIA = {"v": "video", "a": "audio"}
FIRST_OF_EACH = ("-map", "0:v:0?", "-map", "0:a:0?")

Part = tuple[str, str]
"""URI and `length@offset`, as a playlist writes them; an empty range is the whole file."""


def concatenate(playlist: Path, into: Path, *, parts: slice = slice(None)) -> Path:
    """Write the segments of a local media playlist into one file, each initialization section where it begins to hold; return the file.

    `parts` picks segments by number. No encryption; each byte range tells its offset.
    """
    init: Part | None = None
    with into.open("wb") as file:
        for its_init, part in list(listed(playlist.read_text(encoding="utf-8")))[parts]:
            if its_init and its_init != init:
                file.write(_read(playlist.parent, its_init))
            file.write(_read(playlist.parent, part))
            init = its_init
    return into


def listed(text: str) -> Iterator[tuple[Part | None, Part]]:
    """Yield each segment of a media playlist with the initialization section that holds for it."""
    init, byte_range = None, ""
    for line in text.splitlines():
        if match := re.match(r'#EXT-X-MAP:URI="([^"]+)"(?:,BYTERANGE="([\d@]+)")?', line):
            init = match[1], match[2] or ""
        elif line.startswith("#EXT-X-BYTERANGE:"):
            byte_range = line.partition(":")[2]
        elif line and not line.startswith("#"):
            yield init, (line, byte_range)
            byte_range = ""


def _read(folder: Path, part: Part) -> bytes:
    data = (folder / part[0]).read_bytes()
    if not part[1]:
        return data
    length, offset = map(int, part[1].split("@"))
    return data[offset : offset + length]


def packets(*files: Path) -> dict[str, int]:
    """Count the packets of the first picture and the first sound."""
    return {medium: len(times) for medium, times in _times(*files).items()}


def hashes(file: Path) -> dict[str, str]:
    """Return a hash over all packets of the first picture and the first sound, as ffmpeg's `streamhash` gives it."""
    command = [ffmpeg_path(), "-nostdin", "-v", "error", "-i", str(file), *FIRST_OF_EACH, "-c", "copy", "-f", "streamhash", "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {MEDIA[kind]: value for kind, value in re.findall(r"^\d+,([va]),(\w+=\w+)$", text, re.MULTILINE)}


def source_hashes(*files: Path) -> dict[str, str]:
    """Return `hashes` of a plain remux of source files into MP4: the form in which packets are compared."""
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(files):
            remuxed = Path(folder, f"{number}.mp4")
            run_ffmpeg("-i", file, *FIRST_OF_EACH, "-c", "copy", *_tag(file), remuxed)
            found |= hashes(remuxed)
    return found


def _tag(file: Path) -> tuple[str, ...]:
    """Ask for `hvc1` where the picture is HEVC: ffmpeg would take `hev1`, which keeps parameter sets among the packets."""
    with av.open(file) as container:
        return ("-tag:v", "hvc1") if any(stream.codec_context.name == "hevc" for stream in container.streams.video) else ()


def av_distance(*files: Path) -> float:
    """Return by how many seconds the first sound is presented after the first picture."""
    times = _times(*files)
    return min(times["audio"]) - min(times["video"])


def length(*files: Path) -> float:
    """Return the seconds from the first presentation to the end of the last, by the packets' times."""
    times = [sorted(each) for each in _times(*files).values()]
    return max(each[-1] + (each[-1] - each[-2]) for each in times) - min(each[0] for each in times)


def is_steady(file: Path) -> bool:
    """Tell whether decode times rise from packet to packet in each track."""
    with av.open(file) as container:
        decode: dict[int, list[int]] = {}
        for packet in container.demux():
            if packet.dts is not None:
                decode.setdefault(packet.stream_index, []).append(packet.dts)
    return all(before < after for track in decode.values() for before, after in pairwise(track))


def decoded(file: Path) -> dict[str, int]:
    """Count the pictures and the samples of sound that decode; a damaged packet raises `av.FFmpegError`."""
    count: Counter[str] = Counter()
    with av.open(file) as container:
        for stream in container.streams:
            stream.codec_context.options = {"err_detect": "explode"}
        for frame in container.decode():
            count["audio" if isinstance(frame, av.AudioFrame) else "video"] += getattr(frame, "samples", 1)
    return dict(count)


def _times(*files: Path) -> dict[str, list[float]]:
    """Return the presentation times of the first picture and the first sound, over all files."""
    found: dict[str, list[float]] = {}
    for file in files:
        with av.open(file) as container:
            firsts = [streams[0] for streams in (container.streams.video, container.streams.audio) if streams]
            for stream, pts in ((packet.stream, packet.pts) for packet in container.demux(firsts)):
                found.setdefault(stream.type, []).extend([] if pts is None else [float(pts * (stream.time_base or 0))])
    return found


def header_duration(file: Path) -> float:
    """Return the duration in seconds that a player can read from the first 256 KiB; 0 if it finds none."""
    with file.open("rb") as whole, av.open(io.BytesIO(whole.read(HEAD)), "r") as container:
        return (container.duration or 0) / av.time_base


def header_fields(file: Path) -> dict[str, list[float]]:
    """Return the seconds in each `mvhd`, `tkhd`, `mdhd` and `mehd` (ISO 14496-12), in the order of the file."""
    with file.open("rb") as whole:
        head = whole.read(HEAD)
    found: dict[str, list[float]] = {"mvhd": [], "tkhd": [], "mdhd": [], "mehd": []}
    movie_scale = 1
    for kind, body in boxes(head):
        version = body[0] if body else 0
        times = ">QQIQ" if version else ">IIII"
        if kind in {"mvhd", "mdhd"}:
            _, _, scale, duration = struct.unpack_from(times, body, 4)
            movie_scale = scale if kind == "mvhd" else movie_scale
            found[kind].append(duration / scale)
        elif kind == "tkhd":
            found[kind].append(struct.unpack_from(">QQIIQ" if version else ">IIIII", body, 4)[4] / movie_scale)
        elif kind == "mehd":
            found[kind].append(struct.unpack_from(">Q" if version else ">I", body, 4)[0] / movie_scale)
    return found


def boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield type and content of every box, those in a `moov`'s boxes after the box itself; a box that is cut off ends it."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        begin = 16 if size == 1 else 8
        size = struct.unpack_from(">Q", data, at + 8)[0] if size == 1 else size or len(data) - at
        if size < begin or at + size > len(data):
            return
        body = data[at + begin : at + size]
        yield kind.decode("latin-1"), body
        if kind in {b"moov", b"trak", b"mdia", b"mvex"}:
            yield from boxes(body)
        at += size


def is_whole(file: Path) -> bool:
    """Tell by the `mfra` at the file's end whether its sender had sent all."""
    data = file.read_bytes()
    size = int.from_bytes(data[-4:])  # the last field of mfro: the size of the mfra around it
    return 24 <= size <= len(data) and data[-16:-8].endswith(b"mfro") and data[-size:][:8] == struct.pack(">I4s", size, b"mfra")


def size(file: Path) -> tuple[int, int]:
    """Return width and height of the first picture."""
    with av.open(file) as container:
        context = container.streams.video[0].codec_context
        return context.width, context.height
