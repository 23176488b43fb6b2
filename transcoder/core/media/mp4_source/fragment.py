"""Movie fragments: how many samples they bring and when (ISO/IEC 14496-12, 8.8)."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from transcoder.core.media.mp4_source.boxes import Box, boxes, signed, unsigned
from transcoder.core.media.mp4_source.movie import SourceTrack
from transcoder.errors import UpstreamError

_BASE_DATA_OFFSET, _DESCRIPTION_INDEX, _DEFAULT_DURATION, _DEFAULT_SIZE = 0x1, 0x2, 0x8, 0x10
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_MAX_SAMPLES = 1_000_000
"""More samples than this in one run are refused: they may cost no byte, but they cost memory."""
_DURATION, _SIZE, _FLAGS, _COMPOSITION = 0x100, 0x200, 0x400, 0x800


@dataclass(frozen=True, slots=True)
class Run:
    """The samples of one track in one fragment."""

    track: SourceTrack
    samples: int
    start: float | None
    """Presentation time of the first sample in seconds, edit list applied; None without tfdt or samples."""
    end: float | None
    """Latest presentation end in seconds."""
    size: int
    """Bytes of all samples."""
    late: float = 0.0
    """What ffmpeg adds to these times: seconds of the most negative composition offset."""


def read_fragment(data: bytes, moof: Box, tracks: Mapping[int, SourceTrack]) -> tuple[Run, ...]:
    """Return what a moof says about the tracks given; raises UpstreamError if its boxes are broken."""
    runs = (_track_run(data, box, tracks) for box in boxes(data, moof.start, moof.end) if box.kind == b"traf")
    return tuple(run for run in runs if run)


def _track_run(data: bytes, traf: Box, tracks: Mapping[int, SourceTrack]) -> Run | None:
    inner = list(boxes(data, traf.start, traf.end))
    header = next((box for box in inner if box.kind == b"tfhd"), None)
    if header is None:
        raise UpstreamError("A segment is damaged: a track fragment has no header.")
    track = tracks.get(unsigned(data, header.start + 4, 4))
    if track is None:
        return None
    decode = next((box for box in inner if box.kind == b"tfdt"), None)
    base = _decode_time(data, decode) if decode else None
    duration, size = _defaults(data, header, track)
    times = [_Times(data, box, duration, size) for box in inner if box.kind == b"trun"]
    samples = sum(run.count for run in times)
    if base is None or not samples:
        return Run(track, samples, None, None, sum(run.size for run in times))
    return _timed(track, base, times)


def _decode_time(data: bytes, box: Box) -> int:
    # Signed, though the standard says otherwise: what begins before 0 is written so by ffmpeg, and read so.
    return signed(data, box.start + 4, 8) if unsigned(data, box.start, 1) else unsigned(data, box.start + 4, 4)


def _timed(track: SourceTrack, base: int, times: "list[_Times]") -> Run:
    start: int | None = None
    end, samples, clock = base, 0, base
    for run in times:
        samples += run.count
        if run.count and start is None:
            start = clock + run.first
        end = max(end, clock + run.latest)
        clock += run.length
    scale, shift = track.timescale, track.shift
    first = None if start is None else (start - shift) / scale
    late = max(0, -min(run.lowest for run in times)) / scale
    return Run(track, samples, first, (end - shift) / scale, sum(run.size for run in times), late)


def _defaults(data: bytes, header: Box, track: SourceTrack) -> tuple[int, int]:
    """Return a sample's duration and size where its run does not tell."""
    flags = unsigned(data, header.start + 1, 3)
    at = header.start + 8 + (8 if flags & _BASE_DATA_OFFSET else 0) + (4 if flags & _DESCRIPTION_INDEX else 0)
    duration, size = track.default_duration, track.default_size
    if flags & _DEFAULT_DURATION:
        duration = unsigned(data, at, 4)
        at += 4
    if flags & _DEFAULT_SIZE:
        size = unsigned(data, at, 4)
    return duration, size


class _Times:
    """One trun: number of samples and their times from its beginning."""

    def __init__(self, data: bytes, box: Box, default_duration: int, default_size: int) -> None:
        version, flags = unsigned(data, box.start, 1), unsigned(data, box.start + 1, 3)
        self.count = count = unsigned(data, box.start + 4, 4)
        at = box.start + 8 + (4 if flags & _DATA_OFFSET else 0) + (4 if flags & _FIRST_FLAGS else 0)
        words = sum(bool(flags & each) for each in (_DURATION, _SIZE, _FLAGS, _COMPOSITION))
        if count > _MAX_SAMPLES or at + 4 * words * count > box.end:
            raise UpstreamError("A segment is damaged: an MP4 box ends too early.")
        values = struct.unpack_from(f">{words * count}{'i' if version else 'I'}", data, at)
        sizes = values[bool(flags & _DURATION) :: words] if flags & _SIZE else (default_size,) * count
        self.size = sum(sizes)
        durations = values[::words] if flags & _DURATION else (default_duration,) * count
        offsets = values[words - 1 :: words] if flags & _COMPOSITION else (0,) * count
        decode = list(accumulate(durations, initial=0))
        ends = map(int.__add__, decode[1:], offsets)
        self.length = decode[-1]
        self.lowest = min(offsets, default=0)
        self.first = offsets[0] if count else 0
        self.latest = max(ends, default=0)
