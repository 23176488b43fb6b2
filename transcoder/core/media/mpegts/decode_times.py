"""The timestamps of one stream of a transport stream, without the media between them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from transcoder.core.media.mpegts.packet_columns import PacketColumns, pes_packets
from transcoder.core.media.timestamps import MAX_REORDERING_SECONDS, unwrap

_MIN_DISTANCES = 4
"""Fewer distances show no rhythm."""
_MAX_UNEVENNESS = 0.1
"""Share of the usual distance by which one may differ from a multiple of it."""


class StreamTimes(NamedTuple):
    """What the timestamps of one PID say."""

    start: float
    """The first presentation time, in seconds: frames after an open key frame are shown before it."""
    run_backwards: bool
    """The decode times run backwards, as they do where a part of a segment is repeated."""
    lacking: int
    """How many PES packets more would fit evenly between the first and the last one; 0 if they are spaced unevenly."""


def stream_times(packets: Iterable[PacketColumns], pid: int) -> StreamTimes | None:
    """Read the timestamps of a PID in packets, given in one or more parts; None if there are none.

    Raises:
        UpstreamError: a PES packet does not begin with its start code.

    """
    times = [(header.pts, header.dts) for _, _, header in pes_packets(packets, pid) if header.pts is not None and header.dts is not None]
    if not times:
        return None
    first = times[0][0]
    backwards = any(unwrap(after, before) < before - MAX_REORDERING_SECONDS for (_, before), (_, after) in pairwise(times))
    shown = sorted(unwrap(pts, first) for pts, _ in times)
    return StreamTimes(shown[0], backwards, _lacking(shown))


def _lacking(shown: Sequence[float]) -> int:
    """Return how many frames are missing between these times, if most of them are equally far apart."""
    distances = sorted(after - before for before, after in pairwise(shown))
    if len(distances) < _MIN_DISTANCES or not distances[len(distances) // 2]:
        return 0
    usual = distances[len(distances) // 2]
    steps = [distance / usual for distance in distances]
    is_even = all(abs(step - round(step)) < _MAX_UNEVENNESS for step in steps)
    return sum(round(step) - 1 for step in steps) if is_even else 0
