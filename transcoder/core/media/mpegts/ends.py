"""The presentation end of a transport stream, read from its last bytes."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median_low
from typing import NamedTuple

from transcoder.core.media.audio_headers import HEADER_BYTES, HEADER_READERS
from transcoder.core.media.header_search import header_offsets
from transcoder.core.media.mpegts.packet_columns import PacketColumns, places
from transcoder.core.media.mpegts.packets import PACKET_BYTES, SYNC, find_packets, is_full
from transcoder.core.media.mpegts.pes import PesHeader, announced_bytes, read_pes_header
from transcoder.core.media.mpegts.program_search import find_program
from transcoder.core.media.mpegts.trailer import split_trailer
from transcoder.core.media.slide import Slide
from transcoder.core.media.streams import Medium, Probe, Stream
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import DamagedMediaError

LAST_PICTURE_SECONDS = 1.0
"""The last picture lasts no longer, however far apart the pictures are."""
_MAX_UNEVENNESS = 0.1
"""Share of the usual distance by which others may differ where pictures are spaced evenly."""
_HEADER_PACKETS = 3
"""So many transport packets are enough for the header of a PES packet, of at most 264 bytes."""


class StreamEnd(NamedTuple):
    """How one stream of a transport stream ends."""

    medium: Medium
    end: float | None
    """Its presentation end in seconds, unwrapped near the start of the stream; None if there is no timestamp."""
    is_unfinished: bool
    """Its last PES packet seems to be cut: it is shorter than it says, or does not say how long it is and ends with a full packet, whereas
    the last packet of a frame is stuffed, and full only by chance."""
    slide: Slide | None = None
    """Its last picture, if nothing says how long that is shown."""


def transport_stream_ends(last_bytes: bytes, probe: Probe) -> list[StreamEnd]:
    """Return how the first stream of each medium ends. A stream is missing if none of its PES packets begins in `last_bytes`.

    `last_bytes` may begin anywhere. The duration of the last video frame is the usual distance of those before it, the
    duration of audio from its frame headers.
    """
    packets = _packets_at_end(last_bytes)
    return [] if packets is None else packet_ends(packets, [stream for medium in Medium if (stream := probe.main(medium))])


def packet_ends(packets: PacketColumns, streams: Iterable[Stream], *, first: int = 0) -> list[StreamEnd]:
    """Return the same for these streams, by the PES packets that begin at place `first` or later."""
    begins = [(stream, list(places(packets.begins_of(stream.id), first))) for stream in streams]
    return [_stream_end(stream, packets, found) for stream, found in begins if found]


def media_at_end(last_bytes: bytes) -> frozenset[Medium]:
    """Return the media of which PES packets begin in the last bytes of a segment, by a program map in them; none if there is no map."""
    packets = _packets_at_end(last_bytes)
    found = None if packets is None else find_program(packets.data, lambda program: program.media == frozenset(Medium))
    if packets is None or found is None:
        return frozenset()
    return frozenset(stream.medium for stream in found.program.streams if 1 in packets.begins_of(stream.pid))


def _packets_at_end(last_bytes: bytes) -> PacketColumns | None:
    """Return the transport packets in the last bytes of a segment; None if there are none."""
    offset = _packet_offset(last_bytes)
    if offset is None:
        return None
    media, _ = split_trailer(last_bytes[offset:])
    return PacketColumns(media, 0, len(media) // PACKET_BYTES)


def _stream_end(stream: Stream, packets: PacketColumns, begins: Sequence[int]) -> StreamEnd:
    last = packets.unit(stream.id, begins[-1])
    announced = announced_bytes(last)
    is_unfinished = len(last) < announced if announced else is_full(packets.packet(packets.of(stream.id).rfind(1)))
    timed = [(header, place) for place in begins if (header := _header(stream.id, packets, place)) and header.pts is not None]
    if not timed:
        return StreamEnd(stream.medium, None, is_unfinished)
    headers = [header for header, _ in timed]
    slide = _slide(stream, headers) if stream.medium is Medium.VIDEO else None
    header, last_timed = timed[-1]
    packet = last if last_timed == begins[-1] else packets.unit(stream.id, last_timed)
    return StreamEnd(stream.medium, _end(stream, header, packet, headers=headers), is_unfinished, slide)


def _packet_offset(last_bytes: bytes) -> int | None:
    """Return where transport packets begin: so that the last one ends with `last_bytes` if possible, otherwise wherever they are found."""
    offset = len(last_bytes) % PACKET_BYTES
    if last_bytes[offset::PACKET_BYTES].count(SYNC) == len(last_bytes) // PACKET_BYTES:
        return offset
    found = find_packets(last_bytes, whole=False)
    return found if found is not None and found >= 0 else None


def _end(stream: Stream, last: PesHeader, packet: bytes, *, headers: list[PesHeader]) -> float:
    """Return the presentation end of a stream, given its last PES packet and the headers of the last ones, all with timestamps."""
    is_audio = stream.medium is Medium.AUDIO
    end = (last.pts or 0.0) + _audio_seconds(stream, packet[last.length :]) if is_audio else _video_end(headers)
    return unwrap(end, stream.start if stream.start is not None else end)


def _header(pid: int, packets: PacketColumns, place: int) -> PesHeader | None:
    """Return the header of a PES packet, which its first transport packet hardly ever lacks a part of."""
    try:
        return packets.pes_header(place) or read_pes_header(packets.unit(pid, place, packets=_HEADER_PACKETS))
    except DamagedMediaError:
        return None


def _video_end(headers: list[PesHeader]) -> float:
    """Return the latest PTS plus the duration of one video frame, which is the usual distance between two decode times.

    A frame before the last one may have been shown for much longer. Nothing says how long the last of some slides is shown.
    """
    latest, distances = _latest(headers), _distances(headers)
    return latest + min(max(0.0, median_low(distances)), LAST_PICTURE_SECONDS) if distances else latest


def _slide(stream: Stream, headers: list[PesHeader]) -> Slide | None:
    """Return the last picture if the usual distance does not say how long it is shown."""
    latest = _latest(headers)
    # Where pictures are far apart, some encoders decode the first ones right after each other.
    shown = sorted(unwrap(header.pts, latest) for header in headers if header.pts is not None)
    distances = [after - before for before, after in pairwise(shown)]
    start = unwrap(latest, stream.start if stream.start is not None else latest)
    if not distances:
        return Slide(start, None)
    apart = median_low(distances)
    is_even = len(distances) > 1 and max(distances) - min(distances) < _MAX_UNEVENNESS * apart
    return Slide(start, apart, is_even) if apart > LAST_PICTURE_SECONDS else None


def _latest(headers: list[PesHeader]) -> float:
    near = headers[-1].pts or 0.0
    return max(unwrap(header.pts, near) for header in headers if header.pts is not None)


def _distances(headers: list[PesHeader]) -> list[float]:
    near = headers[-1].pts or 0.0
    times = [unwrap(header.dts, near) for header in headers if header.dts is not None]
    return [after - before for before, after in pairwise(times)]


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
        at = at + header.length if header else next(header_offsets(read_header, data, at + 1, last), last)
    return seconds
