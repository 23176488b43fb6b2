"""Inspection of transport stream segments: sync bytes, whole packets, starts of PES packets, an unchanged program map."""

from collections.abc import Collection, Mapping
from copy import copy
from itertools import pairwise

from transcoder.core.media.mpegts.continuity_counters import ContinuityCounters
from transcoder.core.media.mpegts.elementary_stream import ElementaryStream
from transcoder.core.media.mpegts.moved_pids import MovedPids
from transcoder.core.media.mpegts.packet_columns import PacketColumns
from transcoder.core.media.mpegts.packets import PACKET_BYTES, SYNC, find_packets
from transcoder.core.media.mpegts.payload_units import units_of
from transcoder.core.media.mpegts.program_maps import ProgramMaps
from transcoder.core.media.mpegts.trailer import Trailer, split_trailer
from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.streams import Medium, Probe
from transcoder.errors import DamagedMediaError, TranscoderError, UnsupportedSourceError

_STEP_PACKETS = 4096
"""So many packets are checked at once: their payloads are in memory a second time."""

_AFTER_MOVE_PACKETS = 32


class TransportInspector:
    """An `Inspector` of transport stream segments. Drops bytes before the first packet and after the last one."""

    step_bytes = 2 * 1024 * 1024
    """At most so many bytes are to be fed at once."""

    def __init__(self, probe: Probe) -> None:
        """Expect the streams of `probe`, which is that of the first segment."""
        mapped = [stream for medium in Medium if (stream := probe.main(medium))]
        self._streams = {stream.id: ElementaryStream(stream) for stream in mapped}
        self._maps = ProgramMaps()
        self._moved = MovedPids()
        self._ways: list[tuple[int, MovedPids]] = []
        """Up to which offset of the bytes that are being checked streams had moved, and how, if they have moved since."""
        self._tables = probe.tables
        """What goes to ffmpeg before the first segment."""
        self._counters = ContinuityCounters(self._streams)
        self._carry = b""
        self._trailer = Trailer()
        self._is_aligned = False
        self._search_bytes = 0
        """With how many bytes the first packet is looked for again."""

    @property
    def samples(self) -> Mapping[Medium, int]:
        """Number of samples so far in the first stream of each medium; a codec that cannot be counted is missing."""
        counts = ((stream.medium, stream.count) for stream in self._streams.values())
        return {medium: count for medium, count in counts if count is not None}

    @property
    def undecodable(self) -> Mapping[Medium, int]:
        """Number of samples at the beginning that nothing can decode, because the video begins without parameter sets."""
        return {stream.medium: stream.undecodable for stream in self._streams.values()}

    @property
    def starts(self) -> Mapping[Medium, float]:
        """First presentation time in this segment, in seconds as written (33 bits); no entry until one was found."""
        return {
            stream.medium: stream.segment.start - (stream.segment.spilled if self._counters.continued.get(pid) else 0.0)
            for pid, stream in self._streams.items()
            if stream.segment.start is not None
        }

    @property
    def ends(self) -> Mapping[Medium, float]:
        """Latest presentation end so far, in seconds on the source's timeline, unwrapped."""
        return {stream.medium: stream.end for stream in self._streams.values() if stream.end is not None}

    @property
    def last_decode_times(self) -> Mapping[Medium, float]:
        """Decode time of the last sample so far, in seconds on the source's timeline, unwrapped."""
        return {stream.medium: start for stream in self._streams.values() if (start := stream.last_decode_time) is not None}

    @property
    def sample_seconds(self) -> Mapping[Medium, float]:
        """Duration of the last sample of each medium in seconds, where it is known."""
        return {stream.medium: stream.sample_seconds for stream in self._streams.values() if stream.sample_seconds}

    @property
    def decode_spans(self) -> Mapping[Medium, tuple[float, float]]:
        """First and last decode time of the video in this segment, in seconds, unwrapped."""
        return {stream.medium: span for stream in self._streams.values() if (span := stream.decode_span) is not None}

    @property
    def packets(self) -> PacketEvidence:
        """What the counters and lengths of the packets of this segment show."""
        media = {pid: stream.medium for pid, stream in self._streams.items()}
        continued = {media[pid]: continues for pid, continues in self._counters.continued.items()}
        jumped, full = ([media[pid] for pid in pids] for pids in (self._counters.jumped, self._counters.full))
        unfinished = [stream.medium for stream in self._streams.values() if stream.missing_bytes > 0]
        headless = [stream.medium for stream in self._streams.values() if stream.is_headless]
        leaps = {stream.medium: stream.segment.leap for stream in self._streams.values()}
        return PacketEvidence(jumped, continued, full, unfinished, headless, leaps, has_trailer=bool(self._trailer))

    @property
    def units(self) -> Collection[int]:
        """Hashes of the PES packets of the video in this segment, or of the audio if there is no video, by their first payloads."""
        return next(iter(self._streams.values())).segment.units

    def begin(self) -> None:
        """Begin a segment."""
        self._carry, self._is_aligned, self._search_bytes = b"", False, 0
        self._trailer.begin_segment()
        self._counters.begin_segment()
        for stream in self._streams.values():
            stream.begin_segment()

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the segment and return the bytes to pass on to ffmpeg.

        Raises:
            UpstreamError: the bytes are not a transport stream, or are damaged.
            ProgramChangedError: the program map announces other streams.
            UnsupportedSourceError: the packets are scrambled.

        """
        if self._trailer:
            self._trailer.feed(piece)
            return b""
        if self._is_aligned:
            carried = len(self._carry)
            return self._passed(self._carry + piece if carried else piece, carried=carried)
        held = self._carry + piece
        # The search begins at the first byte each time, so it is not repeated for every piece, however small.
        junk = None
        if len(held) >= self._search_bytes:
            junk, self._search_bytes = find_packets(held, whole=False), len(held) * 5 // 4
        if junk is None:
            self._carry = held
            return b""
        return self._align(held, junk)

    def end(self) -> bytes:
        """End the segment and return the bytes held back. Raises UpstreamError if it is cut off or contains no sample."""
        rest = b""
        if not self._is_aligned:
            rest = self._align(self._carry, find_packets(self._carry, whole=True))
        if self._carry:
            raise DamagedMediaError("A segment is cut off inside a transport packet.")
        if not any(stream.segment.packets for stream in self._streams.values()):
            raise DamagedMediaError("A segment contains neither video nor audio.")
        self._trailer.end(follows_whole_frames=self._ends_with_whole_frames)
        return rest

    def _align(self, held: bytes, junk: int | None) -> bytes:
        """Begin with the first packet, which follows `junk` bytes, and return the bytes from there on."""
        if junk is None or junk < 0:
            raise DamagedMediaError("A segment is not an MPEG transport stream, unlike the segments before it.")
        self._is_aligned = True
        tables, self._tables = self._tables, b""
        return tables + self._passed(held[junk:], carried=0)

    def _passed(self, data: bytes, *, carried: int) -> bytes:
        """Check `data`, which begins with a packet, and return what of it is passed on; the first `carried` bytes have been already."""
        had_moved, self._ways = bool(self._moved), []
        checked = self._check(data)
        if not self._moved and not self._ways:
            return data[carried:checked]
        # A packet that is not whole is passed on with its rest, since its PID may have to be another one.
        edges = [0, *(stop for stop, _ in self._ways), checked - len(self._carry)]
        ways = [*(way for _, way in self._ways), self._moved]
        parts = [way.restored(data[start:stop]) for way, (start, stop) in zip(ways, pairwise(edges), strict=True)]
        restored = b"".join((*parts, b"" if self._moved else self._carry))
        return restored if had_moved else restored[carried:]

    def _move(self, old: int, new: int) -> None:
        """Take a stream from another PID from now on."""
        self._streams = {new if pid == old else pid: stream for pid, stream in self._streams.items()}
        self._counters.move(old, new)
        self._moved.move(old, new)

    @property
    def _ends_with_whole_frames(self) -> bool:
        """Whether the last PES packet of each stream is whole: it has the length that it states, or its last packet is stuffed."""
        full = self._counters.full
        return not any(each.missing_bytes > 0 or (each.missing_bytes < 0 and pid in full) for pid, each in self._streams.items())

    def _check(self, data: bytes) -> int:
        """Pass the payloads of the packets that `data` begins with to the streams, and return how many bytes are packets."""
        packets, rest = divmod(len(data), PACKET_BYTES)
        if data[::PACKET_BYTES].count(SYNC) != packets + bool(rest):
            data, trailer = split_trailer(data)
            self._trailer.feed(trailer)
            packets, rest = divmod(len(data), PACKET_BYTES)
        self._carry = data[-rest:] if rest else b""
        for first in range(0, packets, _STEP_PACKETS):
            self._take(PacketColumns(data, first, min(packets, first + _STEP_PACKETS)))
        return len(data)

    def _take(self, packets: PacketColumns) -> None:
        """Check the counters of packets, and pass their payloads to the streams and tables that they belong to."""
        self._counters.take(packets)
        if self._counters.lost_inside:
            raise DamagedMediaError("A segment is damaged: transport packets are missing inside it.")
        first, size = 0, packets.count
        while first < packets.count:
            part = packets if size == packets.count and not first else packets.part(first, min(first + size, packets.count))
            passed = self._pass(part)
            first += passed
            # Each packet may move a stream: what follows is divided into columns again, so at first that is little.
            size = 2 * size if passed == part.count else _AFTER_MOVE_PACKETS
        for stream in self._streams.values():
            stream.drain()

    def _pass(self, packets: PacketColumns) -> int:
        """Pass the payloads of packets up to the first table that moves a stream; return how many packets have been passed."""
        scrambled = packets.first_scrambled(self._streams)
        clear = packets if scrambled is None else packets.part(0, scrambled)
        media = {pid: stream.medium for pid, stream in self._streams.items()}
        for place in clear.of_others(self._streams, self._maps.pids):
            try:
                moved = self._maps.read(clear.word(place), clear.payload(place), media)
            except TranscoderError:
                self._pass_payloads(clear.part(0, place))  # what comes before may be damaged
                raise
            if moved:
                self._pass_payloads(clear.part(0, place))
                self._ways.append((clear.start + (place + 1) * PACKET_BYTES, copy(self._moved)))
                for old, new in moved.items():
                    self._move(old, new)
                return place + 1
        self._pass_payloads(clear)
        if scrambled is not None:
            raise UnsupportedSourceError("The source is protected: its transport packets are scrambled.")
        return packets.count

    def _pass_payloads(self, packets: PacketColumns) -> None:
        for pid, stream in self._streams.items():
            for payloads in units_of(packets, pid, sparse=stream.is_sparse):
                stream.take(payloads)
