"""When a film flashes and when it beeps, by decoding it: what a viewer would see and hear."""

from collections.abc import Iterator
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame

WHITE = 200
LOUD = 0.25
REST_SECONDS = 0.3
"""Flashes, and beeps, that are nearer to each other are one."""


def flashes(file: Path) -> list[float]:
    """Return the seconds at which a white picture is first shown."""
    with av.open(file) as container:
        return list(_first_of_each(time for frame in container.decode(video=0) if _is_white(frame) and (time := frame.time) is not None))


def beeps(file: Path) -> list[float]:
    """Return the seconds at which a beep begins, exact to a few samples."""
    with av.open(file) as container:
        return list(_first_of_each(time for frame in container.decode(audio=0) for time in _loud_moments(frame)))


def sound_late(*files: Path) -> list[float]:
    """Return by how many seconds each beep follows its flash, over files that together hold picture and sound."""
    shown = sorted(time for file in files if _has(file, "video") for time in flashes(file))
    heard = sorted(time for file in files if _has(file, "audio") for time in beeps(file))
    nearest = [(min(heard, key=lambda beep: abs(beep - flash)), flash) for flash in shown] if heard else []
    return [beep - flash for beep, flash in nearest if abs(beep - flash) < REST_SECONDS]


def _has(file: Path, medium: str) -> bool:
    with av.open(file) as container:
        return any(stream.type == medium for stream in container.streams)


def _is_white(frame: VideoFrame) -> bool:
    """Tell by a sample of the luma whether the whole picture is white."""
    stride, luma = frame.planes[0].line_size, bytes(frame.planes[0])
    rows = range(0, frame.height, max(1, frame.height // 8))
    sample = b"".join(luma[row * stride : row * stride + frame.width : 16] for row in rows)  # beyond its width a row is padded
    return sum(sample) / len(sample) > WHITE


def _loud_moments(frame: AudioFrame) -> Iterator[float]:
    resampled = AudioResampler(format="flt", layout="mono").resample(frame)
    for piece in (piece for piece in resampled if frame.time is not None):
        samples = memoryview(bytes(piece.planes[0])).cast("f")[: piece.samples]
        loud = next((number for number, value in enumerate(samples) if abs(value) > LOUD), None)
        if loud is not None:
            yield (frame.time or 0.0) + loud / frame.sample_rate


def _first_of_each(times: Iterator[float]) -> Iterator[float]:
    """Yield the first of each run of moments."""
    before = float("-inf")
    for time in times:
        if time - before > REST_SECONDS:
            yield time
        before = time
