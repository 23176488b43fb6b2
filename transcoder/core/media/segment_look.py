"""What a whole segment shows at a quick look: whether it is unbroken, and which time it covers."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, cast

from transcoder.core.media.inspector import inspector_for
from transcoder.core.media.mpegts import packet_ends
from transcoder.core.media.mpegts.beginnings import with_beginnings
from transcoder.core.media.mpegts.continuity_counters import ContinuityCounters
from transcoder.core.media.mpegts.decode_times import StreamTimes, stream_times
from transcoder.core.media.mpegts.ends import StreamEnd
from transcoder.core.media.mpegts.packet_columns import PacketColumns, columns_of
from transcoder.core.media.mpegts.packets import PACKET_BYTES
from transcoder.core.media.mpegts.trailer import is_trailer, split_trailer
from transcoder.core.media.passed_segment import MAX_REORDERED
from transcoder.core.media.presentation_ends import END_BYTES
from transcoder.core.media.probe import probe_announced
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import DamagedMediaError

_STEP_BYTES = 64 * 1024
"""So much of a segment that is no transport stream is looked at in one step."""


class Oddity(Enum):
    """What a segment may have if its packager is odd, or if a part of it is missing."""

    UNFINISHED = "it ends inside a PES packet, as it seems"
    LACKS_FRAMES = "its frames of video are evenly spaced, but for a few that are missing"
    TRAILER = "bytes follow its last packet that are none of its media"
    UNPADDED = "it is encrypted without padding, or cut off"


class SegmentLook(NamedTuple):
    """A segment that is unbroken, as far as a quick look shows."""

    spans: Mapping[Medium, tuple[float, float]]
    """Start and end of the first stream of each medium in seconds, where both are known."""
    is_timed: bool
    """Segments of its container have timestamps; packed audio need not have any."""
    oddities: frozenset[Oddity] = frozenset()
    probe: Probe | None = None
    """What it is found to be without the segment before it; None for packed audio."""


def look_at(body: bytes, *, init: bytes) -> SegmentLook:
    """Look at all bytes of a segment, as `look_in_steps` does, in one go."""
    steps = look_in_steps(body, init=init)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("SegmentLook", end.value)


def look_in_steps(body: bytes, *, init: bytes) -> Generator[None, None, SegmentLook]:
    """Look at all bytes of a segment, given its initialization section; give the caller a turn after each step of the work.

    A transport stream is not inspected as thoroughly as on its way to ffmpeg, because that is most of the work of this program.

    Raises:
        TranscoderError: it is damaged, or not media.

    """
    found = probe_announced(body, init=init)
    yield
    if found.container is Container.MPEGTS:
        return (yield from _look_at_packets(body, found))
    return (yield from _look_at_others(body, found, init=init))


def _look_at_packets(body: bytes, found: Probe) -> Generator[None, None, SegmentLook]:
    """Look at a transport stream: its packets are whole, no counter shows that one is missing, and no timestamp that one is repeated."""
    media, trailer = split_trailer(body[found.skip :])
    if trailer and not is_trailer(trailer):
        raise DamagedMediaError("A segment is cut off inside a transport packet.")
    packets = list(columns_of(media, len(media) // PACKET_BYTES))
    begun = with_beginnings(found, packets)
    streams = [stream for stream in map(begun.main, Medium) if stream]
    _refuse_lost_packets(packets, streams)
    times: dict[Medium, StreamTimes] = {}
    for stream in streams:
        yield
        if read := stream_times(packets, stream.id):
            times[stream.medium] = read
    if any(each.run_backwards for each in times.values()):
        raise DamagedMediaError("A part of a segment was sent twice.")
    ends = _ends(media, packets, streams)
    known = {each.medium: each.end for each in ends if each.end is not None}
    found_oddities = {
        Oddity.UNFINISHED: any(each.is_unfinished for each in ends),
        Oddity.TRAILER: bool(trailer),
        Oddity.LACKS_FRAMES: Medium.VIDEO in times and 0 < times[Medium.VIDEO].lacking <= MAX_REORDERED,
    }
    return SegmentLook(
        _spans({medium: each.start for medium, each in times.items()}, known),
        is_timed=True,
        oddities=frozenset(oddity for oddity, is_there in found_oddities.items() if is_there),
        probe=begun,
    )


def _ends(media: bytes, packets: Sequence[PacketColumns], streams: Sequence[Stream]) -> list[StreamEnd]:
    """Return how the streams end, by the last packets of `media`, which `packets` are in one or more parts."""
    total = len(media) // PACKET_BYTES
    first = max(0, total - END_BYTES // PACKET_BYTES)
    last = packets[0] if len(packets) == 1 else PacketColumns(media, first, total)
    return packet_ends(last, streams, first=first - last.first)


def _refuse_lost_packets(packets: Iterable[PacketColumns], streams: Iterable[Stream]) -> None:
    counters = ContinuityCounters(stream.id for stream in streams)
    for part in packets:
        counters.take(part)
    if counters.lost_inside or counters.jumped:
        raise DamagedMediaError("A segment is damaged: transport packets are missing inside it.")


def _look_at_others(body: bytes, found: Probe, *, init: bytes) -> Generator[None, None, SegmentLook]:
    """Look at boxes or audio frames: one after another, with as much media as they announce."""
    inspector = inspector_for(found, init=init)
    inspector.begin()
    for at in range(0, len(body), _STEP_BYTES):
        inspector.feed(body[at : at + _STEP_BYTES])
        yield
    inspector.end()
    is_timed = found.container is Container.FMP4
    return SegmentLook(_spans(inspector.starts, inspector.ends), is_timed=is_timed, probe=found if is_timed else None)


def _spans(starts: Mapping[Medium, float], ends: Mapping[Medium, float]) -> Mapping[Medium, tuple[float, float]]:
    return {medium: (start, unwrap(ends[medium], near=start)) for medium, start in starts.items() if medium in ends}
