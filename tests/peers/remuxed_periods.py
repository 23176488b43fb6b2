"""Periods as ffmpeg remuxes them for the joiner, joined, and read back by PyAV."""

import io
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import av
import imageio_ffmpeg
from peers.encoded_pieces import encoded

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import TrackRun, read_fragment
from transcoder.core.output.header import Durations, read_header
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.output_boxes import output_reader
from transcoder.core.output.verifier import Verifier, WholeMp4
from transcoder.core.output.written_samples import WrittenSamples

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
JOINABLE = [
    *("-c", "copy", "-avoid_negative_ts", "disabled", "-use_editlist", "0", "-frag_duration", "1000000"),
    *("-movflags", "frag_keyframe+delay_moov+default_base_moof+frag_discont", "-f", "mp4", "pipe:1"),
]
HALF_FRAME = 0.0107
STEREO_SILENCE, MONO_SILENCE = bytes.fromhex("210049900219002380"), bytes.fromhex("00c800802380")


@dataclass(frozen=True)
class Source:
    """What a period is made of."""

    start: float
    rate: int = 25
    video: float = 4
    audio: float = 4
    delay: int = 2
    codec: str = "aac"
    channels: int = 2
    sample_rate: int = 48_000
    drop: str = ""
    late: tuple[float, float] = (0, 0)
    """By how much the video begins late, and by how much the audio."""
    size: str = "160x90"
    open_gop: bool = False
    """Frames that lead up to a key frame may need those before it."""


A = Source(start=1.4, video=4, audio=4, delay=2)
B = Source(start=10, rate=30, video=3.533, audio=3.433, delay=0)
C = Source(start=40_000, video=3, audio=3.3, delay=3)
D = Source(start=2.8, video=4, audio=4, delay=2)


def run(*words: str) -> bytes:
    return subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", *words], check=True, capture_output=True).stdout


def transport_stream(source: Source, path: Path) -> Path:
    number = round(source.start * 10)  # no packet of one source is in another
    inputs: list[str] = []
    if source.video:
        inputs += [
            "-itsoffset",
            str(source.late[0]),
            "-f",
            "lavfi",
            "-i",
            f"testsrc2=s={source.size}:r={source.rate}:d={source.video},hue=h={number % 360}",
        ]
    if source.audio:
        inputs += [
            "-itsoffset",
            str(source.late[1]),
            "-f",
            "lavfi",
            "-i",
            f"anoisesrc=r={source.sample_rate}:d={source.audio}:a=0.1:seed={number}",
        ]
    x264 = f"bframes={source.delay}:b-adapt=0:b-pyramid=normal:keyint={source.rate}:scenecut=0:open-gop={source.open_gop:d}"
    video_shifts = ["-c:v", "libx264", "-preset", "ultrafast", "-x264-params", x264, "-pix_fmt", "yuv420p"]
    audio_shifts = ["-c:a", source.codec, "-ac", str(source.channels), "-b:a", "96k"]
    end = ["-output_ts_offset", str(source.start), "-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts"]
    path.write_bytes(encoded(*inputs, *(video_shifts if source.video else []), *(audio_shifts if source.audio else []), *end))
    return path


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def join(
    periods: Iterable[bytes], *, seconds: float = 60.0, declared: bool = True, size: int = 10_000
) -> tuple[bytes, list[WrittenSamples], Joiner]:
    joiner = Joiner(Durations(seconds, {}))
    output, counts, left = bytearray(), [], list(periods)
    while left:
        data = left.pop(0)
        joiner.begin_period(last=not (left and declared))
        for piece in cut(data, size):
            output += b"".join(joiner.feed(piece))
        rest, count = joiner.end_period()
        output += b"".join(rest)
        counts.append(count)
    output += joiner.finish()
    assert joiner.bytes_out == len(output)
    return bytes(output), counts, joiner


def verify(output: bytes, *, tolerance: float | None = None, size: int = 5_000) -> WholeMp4:
    verifier = Verifier()
    for piece in cut(output, size):
        verifier.feed(piece)
    whole = verifier.end()
    assert tolerance is None or abs(whole.sent - whole.announced) <= tolerance
    return whole


@dataclass(frozen=True)
class Packet:
    pts: Fraction
    dts: Fraction
    duration: Fraction
    data: bytes


@lru_cache(maxsize=16)
def packets(output: bytes, kind: str) -> tuple[Packet, ...]:
    with av.open(io.BytesIO(output), "r") as container:
        (stream,) = [one for one in container.streams if one.type == kind]
        found = []
        for one in container.demux(stream):
            if one.pts is not None and one.dts is not None and one.duration and one.time_base:
                base = one.time_base
                found.append(Packet(one.pts * base, one.dts * base, one.duration * base, bytes(one)))
        return tuple(found)


def decoded(output: bytes, kind: str) -> int:
    with av.open(io.BytesIO(output), "r") as container:
        (stream,) = [one for one in container.streams if one.type == kind]
        stream.codec_context.options = {"err_detect": "explode"}
        return sum(len(packet.decode()) for packet in container.demux(stream))


def assert_contiguous(found: Sequence[Packet]) -> None:
    assert all(before.dts + before.duration == after.dts for before, after in pairwise(found))
    assert all(packet.duration > 0 and packet.pts >= packet.dts for packet in found)


def shifts(output: bytes, source: bytes, kind: str) -> list[float]:
    """By how much each of a source's packets that got into the output lies later there."""
    there = {packet.data: packet.pts for packet in packets(source, kind)}
    here = packets(output, kind)
    # An encoder's first frame, still without any audio in it, is the same in every period
    times = Counter(packet.data for packet in here)
    return [float(packet.pts - there[packet.data]) for packet in here if packet.data in there and times[packet.data] == 1]


def audio_runs(output: bytes) -> list[TrackRun]:
    boxes = [event for event in output_reader().feed(output) if isinstance(event, Box)]
    header = next(read_header(box) for box in boxes if box.type == b"moov")
    fragments = [read_fragment(box, header) for box in boxes if box.type == b"moof"]
    return [found for fragment in fragments if (found := fragment.run(Medium.AUDIO))]
