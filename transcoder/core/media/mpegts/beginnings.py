"""Where the streams of a whole segment begin, read from its packets."""

from collections.abc import Sequence

from transcoder.core.media.audio_headers import FrameHeader
from transcoder.core.media.mpegts.first_frame import MAX_SEARCH_BYTES, first_frame, has_readable_frames
from transcoder.core.media.mpegts.packet_columns import PacketColumns, pes_packets
from transcoder.core.media.streams import Probe, Stream


def with_beginnings(announced: Probe, packets: Sequence[PacketColumns]) -> Probe:
    """Return the streams of a whole segment with their first timestamps, and the format of the audio that its first frame has.

    `announced` is what the program map says of them; `packets` are all of the segment's, in one or more parts.

    Raises:
        DamagedMediaError: a PES packet does not begin with its start code.

    """
    return announced._replace(streams=tuple(_with_beginning(stream, packets) for stream in announced.streams))


def _with_beginning(stream: Stream, packets: Sequence[PacketColumns]) -> Stream:
    first = next((header for _, _, header in pes_packets(packets, stream.id) if header.pts is not None), None)
    if first is None:
        return stream
    begun = stream._replace(start=first.pts, decode_start=first.dts)
    frame = _first_frame(stream, packets) if has_readable_frames(stream.codec) else None
    return begun.of_format(frame.codec, frame.sample_rate, frame.channels) if frame else begun


def _first_frame(stream: Stream, packets: Sequence[PacketColumns]) -> FrameHeader | None:
    data, frame = b"", None
    for part, place, header in pes_packets(packets, stream.id):
        if header.is_media:
            data += part.unit(stream.id, place)[header.length :]
            frame = first_frame(stream.codec, data)
        if frame or len(data) > MAX_SEARCH_BYTES:
            break
    return frame
