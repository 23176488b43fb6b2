"""The presentation end of a transport stream, read from its last bytes."""

from collections.abc import Iterator, Mapping

from transcoder.core.media.audio_headers import HEADER_BYTES, HEADER_READERS
from transcoder.core.media.mpegts.packets import MAX_PAYLOAD_BYTES, PACKET_BYTES, SYNC, find_packets, payloads
from transcoder.core.media.mpegts.pes import PesHeader, announced_bytes, read_pes_header
from transcoder.core.media.streams import Medium, Probe, Stream
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import UpstreamError


def transport_stream_ends(last_bytes: bytes, probe: Probe) -> Mapping[Medium, float]:
    """Return the presentation end of the first stream of each medium; one without a timestamp in `last_bytes` is missing.

    `last_bytes` may begin anywhere. The ends are seconds on the source's timeline, unwrapped to the time nearest to the stream's start. The
    duration of the last video frame is taken from the distance between the frames before it, the duration of audio from its frame headers.
    """
    ends = {stream.medium: _end(stream, [b"".join(each) for each in packets]) for stream, packets in _pes_packets(last_bytes, probe)}
    return {medium: end for medium, end in ends.items() if end is not None}


def unfinished_streams(last_bytes: bytes, probe: Probe) -> list[Medium]:
    """Return the media of a transport stream whose last PES packet seems to be cut; `last_bytes` are those of the segment.

    It is shorter than it says, or its last packet is full and it does not say how long it is. The last packet of a frame is stuffed, and
    full only by chance.
    """
    return [stream.medium for stream, packets in _pes_packets(last_bytes, probe) if packets and _is_unfinished(packets[-1])]


def _is_unfinished(parts: list[bytes]) -> bool:
    announced = announced_bytes(parts[0])
    return sum(map(len, parts)) < announced if announced else len(parts[-1]) == MAX_PAYLOAD_BYTES


def _pes_packets(last_bytes: bytes, probe: Probe) -> Iterator[tuple[Stream, list[list[bytes]]]]:
    """Yield the first stream of each medium with the payloads of each of its PES packets, as far as they begin in `last_bytes`."""
    offset = _packet_offset(last_bytes)
    if offset is None:
        return
    streams = {stream.id: stream for medium in Medium if (stream := probe.first(medium))}
    packets: dict[int, list[list[bytes]]] = {pid: [] for pid in streams}
    for pid, starts, payload in payloads(last_bytes[offset:]):
        if pid in streams:
            if starts:
                packets[pid].append([])
            if packets[pid] and payload:
                packets[pid][-1].append(payload)
    for pid, found in packets.items():
        yield streams[pid], [each for each in found if each]


def _packet_offset(last_bytes: bytes) -> int | None:
    """Return where transport packets begin: so that the last one ends with `last_bytes` if possible, otherwise wherever they are found."""
    offset = len(last_bytes) % PACKET_BYTES
    if last_bytes[offset::PACKET_BYTES].count(SYNC) == len(last_bytes) // PACKET_BYTES:
        return offset
    found = find_packets(last_bytes, whole=False)
    return found if found is not None and found >= 0 else None


def _end(stream: Stream, packets: list[bytes]) -> float | None:
    """Return the presentation end of a stream, given its last PES packets; None if none has a timestamp."""
    timed = [(header, packet) for packet in packets if (header := _header(packet)) and header.pts is not None]
    if not timed:
        return None
    last_header, last_packet = timed[-1]
    if stream.medium is Medium.AUDIO:
        end = (last_header.pts or 0.0) + _audio_seconds(stream, last_packet[last_header.length :])
    else:
        end = _video_end([header for header, _ in timed])
    return unwrap(end, stream.start if stream.start is not None else end)


def _header(packet: bytes) -> PesHeader | None:
    try:
        return read_pes_header(packet)
    except UpstreamError:
        return None


def _video_end(headers: list[PesHeader]) -> float:
    """Return the latest PTS plus the duration of one video frame, which is the distance between the last two decode times."""
    last = headers[-1]
    near = last.pts or 0.0
    latest = max(unwrap(header.pts, near) for header in headers if header.pts is not None)
    if len(headers) < 2:  # noqa: PLR2004 - no distance
        return latest
    return latest + max(0.0, unwrap(last.dts or near, near) - unwrap(headers[-2].dts or near, near))


def _audio_seconds(stream: Stream, data: bytes) -> float:
    """Return the total duration of the frames that begin in `data`, the body of a PES packet."""
    read_header = HEADER_READERS.get(stream.codec)
    if read_header is None:
        return 0.0
    data += bytes(HEADER_BYTES)
    last, at, seconds = len(data) - HEADER_BYTES, 0, 0.0
    while at < last:
        header = read_header(data, at)
        if header is None and seconds:
            break
        if header and header.is_sample:
            seconds += header.seconds
        at += header.length if header else 1
    return seconds
