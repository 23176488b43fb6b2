"""When a transport stream ends, told from its last bytes."""

from collections.abc import Mapping

from transcoder.core.media.audio_frames import HEADER_BYTES, READERS
from transcoder.core.media.mpegts.packets import PACKET_BYTES, SYNC, find_packets, payloads
from transcoder.core.media.mpegts.pes import PesHeader, read_pes_header
from transcoder.core.media.streams import Medium, Probe, Stream
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import UpstreamError


def transport_stream_ends(tail: bytes, probe: Probe) -> Mapping[Medium, float]:
    """Return the presentation end of each first stream that has a timestamp within `tail`, which may begin anywhere.

    Seconds on the source's timeline, unwrapped to the time nearest to the stream's start. A picture's length is taken from the distance
    of the pictures before it, sound's from its frame headers.
    """
    offset = _first_packet(tail)
    if offset is None:
        return {}
    wanted = {stream.id: stream for medium in Medium if (stream := probe.first(medium))}
    units: dict[int, list[list[bytes]]] = {pid: [] for pid in wanted}
    for pid, starts, payload in payloads(tail[offset:]):
        if pid in wanted:
            if starts:
                units[pid].append([])
            if units[pid]:
                units[pid][-1].append(payload)
    ends = {wanted[pid].medium: _end(wanted[pid], [b"".join(unit) for unit in found]) for pid, found in units.items()}
    return {medium: end for medium, end in ends.items() if end is not None}


def _first_packet(tail: bytes) -> int | None:
    """Return where packets begin: so that the last one ends with `tail`, or, if that cannot be, wherever they are found."""
    offset = len(tail) % PACKET_BYTES
    if tail[offset::PACKET_BYTES].count(SYNC) == len(tail) // PACKET_BYTES:
        return offset
    found = find_packets(tail, whole=False)
    return found if found is not None and found >= 0 else None


def _end(stream: Stream, units: list[bytes]) -> float | None:
    timed = [(header, unit) for unit in units if (header := _header(unit)) and header.pts is not None]
    if not timed:
        return None
    last_header, last_unit = timed[-1]
    if stream.medium is Medium.AUDIO:
        end = (last_header.pts or 0.0) + _sounding(stream, last_unit[last_header.length :])
    else:
        end = _pictures_end([header for header, _ in timed])
    return unwrap(end, stream.start if stream.start is not None else end)


def _header(unit: bytes) -> PesHeader | None:
    try:
        return read_pes_header(unit)
    except UpstreamError:
        return None


def _pictures_end(headers: list[PesHeader]) -> float:
    """Return the latest PTS and one picture more, as long as the last two pictures lie apart in decoding time."""
    last = headers[-1]
    near = last.pts or 0.0
    latest = max(unwrap(header.pts, near) for header in headers if header.pts is not None)
    if len(headers) < 2:  # noqa: PLR2004 - no distance
        return latest
    return latest + max(0.0, unwrap(last.dts or near, near) - unwrap(headers[-2].dts or near, near))


def _sounding(stream: Stream, data: bytes) -> float:
    """Return how long the frames sound that begin in `data`, the rest of a PES packet."""
    read = READERS.get(stream.codec)
    if read is None:
        return 0.0
    data += bytes(HEADER_BYTES)
    last, at, seconds = len(data) - HEADER_BYTES, 0, 0.0
    while at < last:
        frame = read(data, at)
        if frame is None and seconds:
            break
        if frame and frame.is_sample:
            seconds += frame.seconds
        at += frame.length if frame else 1
    return seconds
