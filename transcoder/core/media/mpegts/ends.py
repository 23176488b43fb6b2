"""The presentation end of a transport stream, read from its last bytes."""

from collections.abc import Iterable, Sequence
from itertools import compress, pairwise
from statistics import median_low
from typing import NamedTuple

from transcoder.core.media.audio_headers import HEADER_BYTES, HEADER_READERS
from transcoder.core.media.header_search import header_offsets
from transcoder.core.media.mpegts.packet_selection import packets_of
from transcoder.core.media.mpegts.packets import PACKET_BYTES, SYNC, find_packets, is_full, payload_of
from transcoder.core.media.mpegts.pes import PesHeader, announced_bytes, read_pes_header
from transcoder.core.media.mpegts.program_search import find_program
from transcoder.core.media.mpegts.trailer import split_trailer
from transcoder.core.media.slide import Slide
from transcoder.core.media.streams import Medium, Probe, Stream
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import UpstreamError

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
    offset = _packet_offset(last_bytes)
    if offset is None:
        return []
    media, _ = split_trailer(last_bytes[offset:])
    streams = [stream for medium in Medium if (stream := probe.main(medium))]
    return [_stream_end(stream, media, packets) for stream in streams if (packets := _pes_packets(media, stream.id))]


def media_at_end(last_bytes: bytes) -> frozenset[Medium]:
    """Return the media of which PES packets begin in the last bytes of a segment, by a program map in them; none if there is no map."""
    offset = _packet_offset(last_bytes)
    found = None if offset is None else find_program(last_bytes[offset:], lambda program: program.media == frozenset(Medium))
    if found is None:
        return frozenset()
    media, _ = split_trailer(last_bytes[offset:])
    return frozenset(stream.medium for stream in found.program.streams if _pes_packets(media, stream.pid))


def _pes_packets(media: bytes, pid: int) -> list[list[int]]:
    """Return the offsets of the transport packets of each PES packet of a PID that begins in `media`."""
    end = len(media) // PACKET_BYTES * PACKET_BYTES
    high, low = media[1:end:PACKET_BYTES], media[2:end:PACKET_BYTES]
    selected = packets_of(high, low, pid)
    offsets = list(compress(range(0, end, PACKET_BYTES), selected))
    begins = list(compress(range(len(offsets)), compress(packets_of(high, low, pid, starts=True), selected)))
    return [offsets[first:next_one] for first, next_one in pairwise([*begins, len(offsets)])]


def _payload(media: bytes, packets: Iterable[int]) -> bytes:
    return b"".join(payload_of(media[at + 3], media[at + 4 : at + PACKET_BYTES]) for at in packets)


def _stream_end(stream: Stream, media: bytes, packets: list[list[int]]) -> StreamEnd:
    last = _payload(media, packets[-1])
    announced = announced_bytes(last)
    at = packets[-1][-1]
    is_unfinished = len(last) < announced if announced else is_full(media[at : at + PACKET_BYTES])
    timed = [(header, each) for each in packets if (header := _header(media, each)) and header.pts is not None]
    if not timed:
        return StreamEnd(stream.medium, None, is_unfinished)
    headers = [header for header, _ in timed]
    slide = _slide(stream, headers) if stream.medium is Medium.VIDEO else None
    header, last_timed = timed[-1]
    return StreamEnd(stream.medium, _end(stream, header, _payload(media, last_timed), headers=headers), is_unfinished, slide)


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


def _header(media: bytes, packets: Sequence[int]) -> PesHeader | None:
    """Return the header of a PES packet, which its first transport packet hardly ever lacks a part of."""
    try:
        return read_pes_header(_payload(media, packets[:1])) or read_pes_header(_payload(media, packets[:_HEADER_PACKETS]))
    except UpstreamError:
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
    return [unwrap(after.dts or near, near) - unwrap(before.dts or near, near) for before, after in pairwise(headers)]


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
