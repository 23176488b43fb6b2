"""The times of the flashes and beeps in a generated video, found by decoding it: what a viewer would see and hear."""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame

WHITE_LUMA = 200
LOUD_AMPLITUDE = 0.25
MIN_INTERVAL_SECONDS = 0.3
"""Flashes, or beeps, that are closer together count as one."""


def flashes(file: Path) -> list[float]:
    """Return the times at which each flash starts, in seconds."""
    with av.open(file) as container:
        return list(_starts(time for frame in container.decode(video=0) if _is_white(frame) and (time := frame.time) is not None))


def beeps(file: Path) -> list[float]:
    """Return the times at which each beep starts, in seconds, exact to a few samples."""
    resamplers = defaultdict[tuple[str, str, int], AudioResampler](lambda: AudioResampler(format="flt", layout="mono"))
    with av.open(file) as container:
        return list(_starts(time for frame in container.decode(audio=0) for time in _loud_times(frame, resamplers)))


def peaks(file: Path) -> list[tuple[float, float]]:
    """Return time and peak amplitude of each audio frame."""
    with av.open(file) as container:
        return [(frame.time or 0.0, _peak(array("f", bytes(frame.planes[0])))) for frame in container.decode(audio=0)]


def beep_delays(*files: Path) -> list[float]:
    """Return the seconds from each flash to its beep, in files that together contain video and audio."""
    shown = sorted(time for file in files if _has(file, "video") for time in flashes(file))
    heard = sorted(time for file in files if _has(file, "audio") for time in beeps(file))
    pairs = [(min(heard, key=lambda beep: abs(beep - flash)), flash) for flash in shown] if heard else []
    return [beep - flash for beep, flash in pairs if abs(beep - flash) < MIN_INTERVAL_SECONDS]


def _has(file: Path, medium: str) -> bool:
    with av.open(file) as container:
        return any(stream.type == medium for stream in container.streams)


def _is_white(frame: VideoFrame) -> bool:
    """Tell whether the whole frame is white, by a sample of its luma."""
    stride, luma = frame.planes[0].line_size, bytes(frame.planes[0])
    rows = range(0, frame.height, max(1, frame.height // 8))
    sample = b"".join(luma[row * stride : row * stride + frame.width : 16] for row in rows)  # rows are padded beyond the width
    return sum(sample) / len(sample) > WHITE_LUMA


def _loud_times(frame: AudioFrame, resamplers: "defaultdict[tuple[str, str, int], AudioResampler]") -> Iterator[float]:
    """Yield when a frame gets loud, if it does; there is a resampler for each format, since making one takes longer than using it."""
    resampled = resamplers[frame.format.name, frame.layout.name, frame.sample_rate].resample(frame)
    for mono in (mono for mono in resampled if frame.time is not None):
        samples = memoryview(bytes(mono.planes[0])).cast("f")[: mono.samples]
        if max(samples) > LOUD_AMPLITUDE or min(samples) < -LOUD_AMPLITUDE:
            loud = next(number for number, value in enumerate(samples) if abs(value) > LOUD_AMPLITUDE)
            yield (frame.time or 0.0) + loud / frame.sample_rate


def _starts(times: Iterator[float]) -> Iterator[float]:
    """Yield the first of each run of times."""
    previous = float("-inf")
    for time in times:
        if time - previous > MIN_INTERVAL_SECONDS:
            yield time
        previous = time


def _peak(samples: "array[float]") -> float:
    highest, lowest = max(samples), min(samples)
    return max(highest, -lowest)
