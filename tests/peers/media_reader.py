"""Read sources and outputs independently of this project, with ffmpeg and PyAV.

    source = concatenate(media("ts-muxed") / "main.m3u8", tmp_path / "source.ts")   # all segments in one file
    assert hashes(output) == source_hashes(source)                                  # every packet, bit for bit
    assert packet_counts(output) == packet_counts(source)
    assert audio_delay(output) == pytest.approx(audio_delay(source), abs=0.001)
    assert header_duration(output) == pytest.approx(6.0, abs=0.1)

If video and audio are separate, pass both files: `source_hashes(video, audio)`.
"""

import hashlib
import io
import re
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import av
from generated_video import run_ffmpeg

HEAD_BYTES = 256 * 1024
FIRST_STREAMS = ("-map", "0:v:0?", "-map", "0:a:0?")

Resource = tuple[str, str]
"""URI and `length@offset`, as in a playlist; an empty byte range means the whole file."""


def concatenate(playlist: Path, into: Path, *, segments: slice = slice(None)) -> Path:
    """Write the segments of a local Media Playlist into one file, each initialization section before its first segment; return the file.

    `segments` selects segments by number. Encryption is not supported, and each byte range must have an offset.
    """
    written: Resource | None = None
    with into.open("wb") as file:
        for init, segment in list(listed_segments(playlist.read_text(encoding="utf-8")))[segments]:
            if init and init != written:
                file.write(_read(playlist.parent, init))
            file.write(_read(playlist.parent, segment))
            written = init
    return into


def listed_segments(text: str) -> Iterator[tuple[Resource | None, Resource]]:
    """Yield each segment of a Media Playlist with the initialization section that applies to it."""
    init, byte_range = None, ""
    for line in text.splitlines():
        if match := re.match(r'#EXT-X-MAP:URI="([^"]+)"(?:,BYTERANGE="([\d@]+)")?', line):
            init = match[1], match[2] or ""
        elif line.startswith("#EXT-X-BYTERANGE:"):
            byte_range = line.partition(":")[2]
        elif line and not line.startswith("#"):
            yield init, (line, byte_range)
            byte_range = ""


def _read(folder: Path, resource: Resource) -> bytes:
    uri, byte_range = resource
    data = (folder / uri).read_bytes()
    if not byte_range:
        return data
    length, offset = map(int, byte_range.split("@"))
    return data[offset : offset + length]


def packet_counts(*files: Path) -> dict[str, int]:
    """Count the packets of the first video and the first audio stream."""
    return {medium: len(times) for medium, times in presentation_times(*files).items()}


def hashes(file: Path) -> dict[str, str]:
    """Return a hash over all packets of the first video and the first audio stream: FFmpeg's `streamhash`, without a process of its own."""
    with av.open(file) as container:
        firsts = [streams[0] for streams in (container.streams.video, container.streams.audio) if streams]
        found = {str(stream.type): hashlib.sha256() for stream in firsts}
        for packet in container.demux(firsts):
            found[packet.stream.type].update(bytes(packet))
    return {medium: each.hexdigest() for medium, each in found.items()}


def source_hashes(*files: Path) -> dict[str, str]:
    """Return `hashes` of the source files remuxed into MP4, since packets are compared as an MP4 stores them, with parameter sets."""
    found: dict[str, str] = {}
    for file in files:
        found |= _remuxed_hashes(file.suffix, file.read_bytes())
    return found


@lru_cache(maxsize=64)  # many tests compare with the same source, each with a copy of it
def _remuxed_hashes(suffix: str, content: bytes) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        source, remuxed = Path(folder, f"source{suffix}"), Path(folder, "remuxed.mp4")
        source.write_bytes(content)
        run_ffmpeg("-i", source, *FIRST_STREAMS, "-c", "copy", remuxed)
        return hashes(remuxed)


def audio_delay(*files: Path) -> float:
    """Return the seconds from the first presentation time of the video to that of the audio."""
    times = presentation_times(*files)
    return min(times["audio"]) - min(times["video"])


def duration(*files: Path) -> float:
    """Return the seconds from the first presentation time to the end of the last packet."""
    times = [sorted(track) for track in presentation_times(*files).values()]
    return max(track[-1] + (track[-1] - track[-2]) for track in times) - min(track[0] for track in times)


def decode_times_increase(file: Path) -> bool:
    """Tell whether decode times increase from packet to packet in each track."""
    with av.open(file) as container:
        decode_times: dict[int, list[int]] = {}
        for packet in container.demux():
            if packet.dts is not None:
                decode_times.setdefault(packet.stream_index, []).append(packet.dts)
    return all(before < after for track in decode_times.values() for before, after in pairwise(track))


def decoded_counts(file: Path) -> dict[str, int]:
    """Count the video frames and the audio samples that decode; a damaged packet raises `av.FFmpegError`."""
    counts: Counter[str] = Counter()
    with av.open(file) as container:
        for stream in container.streams:
            stream.codec_context.options = {"err_detect": "explode"}
        for frame in container.decode():
            counts["audio" if isinstance(frame, av.AudioFrame) else "video"] += getattr(frame, "samples", 1)
    return dict(counts)


def decoded_frames(file: Path) -> list[str]:
    """Return a hash of each picture of the first video; a damaged packet raises `av.FFmpegError`."""
    with av.open(file) as container:
        container.streams.video[0].codec_context.options = {"err_detect": "explode"}
        return [_picture_hash(frame) for frame in container.decode(video=0)]


def _picture_hash(frame: av.VideoFrame) -> str:
    found = hashlib.blake2b(f"{frame.width}x{frame.height}".encode(), digest_size=8)
    for plane in frame.planes:
        lines = bytes(plane)
        for at in range(0, plane.height * plane.line_size, plane.line_size):
            found.update(lines[at : at + plane.width])
    return found.hexdigest()


def presentation_times(*files: Path) -> dict[str, list[float]]:
    """Return the presentation times of the first video and the first audio stream, over all files, in seconds and in file order."""
    found: dict[str, list[float]] = {}
    for file in files:
        with av.open(file) as container:
            firsts = [streams[0] for streams in (container.streams.video, container.streams.audio) if streams]
            ticks: dict[int, list[int]] = {stream.index: [] for stream in firsts}
            for packet in container.demux(firsts):
                ticks[packet.stream_index] += [] if packet.pts is None else [packet.pts]
            for stream in firsts:
                # A quotient of integers is as exact as a product of fractions, which takes longer than reading the packet.
                numerator, denominator = (stream.time_base or Fraction(0)).as_integer_ratio()
                found.setdefault(str(stream.type), []).extend(tick * numerator / denominator for tick in ticks[stream.index])
    return found


def header_duration(file: Path) -> float:
    """Return the duration in seconds that a player can read from the first 256 KiB; 0 if there is none."""
    with file.open("rb") as opened, av.open(io.BytesIO(opened.read(HEAD_BYTES)), "r") as container:
        return (container.duration or 0) / av.time_base


def header_fields(file: Path) -> dict[str, list[float]]:
    """Return the durations in each `mvhd`, `tkhd`, `mdhd` and `mehd` (ISO 14496-12), in seconds and in file order."""
    with file.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
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
    """Yield type and content of every box, and after a box in a `moov` the boxes inside it; stop at a truncated box."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        header = 16 if size == 1 else 8
        size = struct.unpack_from(">Q", data, at + 8)[0] if size == 1 else size or len(data) - at
        if size < header or at + size > len(data):
            return
        body = data[at + header : at + size]
        yield kind.decode("latin-1"), body
        if kind in {b"moov", b"trak", b"mdia", b"mvex"}:
            yield from boxes(body)
        at += size


def is_fragmented(file: Path) -> bool:
    """Tell whether a file has its samples in movie fragments."""
    return any(kind == b"moof" for kind, _, _ in top_level_boxes(file.read_bytes()))


def is_whole(file: Path) -> bool:
    """Tell whether its sender sent all of a file: by the `mfra` at its end, or by the last box of a plain MP4, which has a length."""
    data = file.read_bytes()
    if b"moof" not in (kinds := [kind for kind, _, _ in top_level_boxes(data)]):
        return kinds == [b"ftyp", b"moov", b"mdat"] and sum(size for _, _, size in top_level_boxes(data)) == len(data)
    size = int.from_bytes(data[-4:])  # the last field of mfro: the size of the mfra around it
    return 24 <= size <= len(data) and data[-16:-8].endswith(b"mfro") and data[-size:][:8] == struct.pack(">I4s", size, b"mfra")


def top_level_boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, offset and size of every box of a file, as its header says, whether its end is there or not."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        size = struct.unpack_from(">Q", data, at + 8)[0] if size == 1 else size or len(data) - at
        yield kind, at, size
        at += max(size, 8)


def codecs(file: Path) -> list[str]:
    """Return the name of each stream's codec, as FFmpeg has it."""
    with av.open(file) as container:
        return [stream.codec_context.name for stream in container.streams]


def frame_size(file: Path) -> tuple[int, int]:
    """Return width and height of the first video stream."""
    with av.open(file) as container:
        context = container.streams.video[0].codec_context
        return context.width, context.height
