"""The decode times of one stream of a transport stream, without the media between them."""

from collections.abc import Iterator
from itertools import compress, pairwise

from transcoder.core.media.mpegts.packet_selection import packets_of
from transcoder.core.media.mpegts.packets import PACKET_BYTES, payloads
from transcoder.core.media.mpegts.pes import read_pes_header
from transcoder.core.media.timestamps import MAX_REORDERING_SECONDS, unwrap


def runs_backwards(media: bytes, pid: int) -> bool:
    """Return whether the decode times of a PID run backwards, as they do where a part of a segment is repeated.

    `media` begins with a transport packet.

    Raises:
        UpstreamError: a PES packet does not begin with its start code.

    """
    return any(unwrap(after, before) < before - MAX_REORDERING_SECONDS for before, after in pairwise(_decode_times(media, pid)))


def _decode_times(media: bytes, pid: int) -> Iterator[float]:
    high, low = media[1::PACKET_BYTES], media[2::PACKET_BYTES]
    for at in compress(range(0, len(high) * PACKET_BYTES, PACKET_BYTES), packets_of(high, low, pid, starts=True)):
        for _, _, payload in payloads(media[at : at + PACKET_BYTES]):
            header = read_pes_header(payload)
            if header is not None and header.dts is not None:
                yield header.dts
