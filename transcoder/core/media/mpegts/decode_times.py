"""The timestamps of one stream of a transport stream, without the media between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress, pairwise

from transcoder.core.media.mpegts.packet_selection import packets_of
from transcoder.core.media.mpegts.packets import PACKET_BYTES, payloads
from transcoder.core.media.mpegts.pes import PesHeader, read_pes_header
from transcoder.core.media.timestamps import MAX_REORDERING_SECONDS, unwrap


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """What the timestamps of one PID say."""

    start: float
    """The first presentation time, in seconds: frames after an open key frame are shown before it."""
    run_backwards: bool
    """The decode times run backwards, as they do where a part of a segment is repeated."""


def stream_times(media: bytes, pid: int) -> StreamTimes | None:
    """Read the timestamps of a PID in `media`, which begins with a transport packet; None if there are none.

    Raises:
        UpstreamError: a PES packet does not begin with its start code.

    """
    times = [(header.pts, header.dts) for header in _headers(media, pid) if header.pts is not None and header.dts is not None]
    if not times:
        return None
    first = times[0][0]
    backwards = any(unwrap(after, before) < before - MAX_REORDERING_SECONDS for (_, before), (_, after) in pairwise(times))
    return StreamTimes(min(unwrap(pts, first) for pts, _ in times), backwards)


def _headers(media: bytes, pid: int) -> Iterator[PesHeader]:
    high, low = media[1::PACKET_BYTES], media[2::PACKET_BYTES]
    for at in compress(range(0, len(high) * PACKET_BYTES, PACKET_BYTES), packets_of(high, low, pid, starts=True)):
        for _, _, payload in payloads(media[at : at + PACKET_BYTES]):
            header = read_pes_header(payload)
            if header is not None:
                yield header
