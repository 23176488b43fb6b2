"""Inspection of transport stream segments: sync bytes, whole packets, starts of PES packets, an unchanged program map."""

from collections.abc import Callable, Collection, Mapping

from transcoder.core.media.mpegts.continuity_counters import ContinuityCounters
from transcoder.core.media.mpegts.elementary_stream import ElementaryStream
from transcoder.core.media.mpegts.moved_pids import MovedPids
from transcoder.core.media.mpegts.packet_runs import packet_runs
from transcoder.core.media.mpegts.packets import (
    MAX_JUNK_BYTES,
    PACKET,
    PACKET_BYTES,
    PAYLOAD_ONLY,
    PID_MASK,
    SCRAMBLED,
    SYNC,
    UNIT_START,
    find_packets,
    payload_of,
)
from transcoder.core.media.mpegts.program_maps import ProgramMaps
from transcoder.core.media.mpegts.trailer import Trailer, split_trailer
from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.streams import Medium, Probe
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

_FLAGS = (0, 0x2000, 0x8000, 0xA000)
"""All values of transport priority and error indicator; neither affects the stream that a packet belongs to."""


class TransportInspector:
    """An `Inspector` of transport stream segments. Drops bytes before the first packet and after the last one."""

    def __init__(self, probe: Probe) -> None:
        """Expect the streams of `probe`, which is that of the first segment."""
        mapped = [stream for medium in Medium if (stream := probe.main(medium))]
        self._streams = {stream.id: ElementaryStream(stream) for stream in mapped}
        self._take_continuation: dict[int, Callable[[bytes], None]] = {}
        self._take_start: dict[int, Callable[[bytes], None]] = {}
        for pid, elementary in self._streams.items():
            self._take_from(pid, elementary)
        self._maps = ProgramMaps()
        self._moved = MovedPids()
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
        if junk is None or junk < 0 or junk > MAX_JUNK_BYTES:
            raise DamagedMediaError("A segment is not an MPEG transport stream, unlike the segments before it.")
        self._is_aligned = True
        tables, self._tables = self._tables, b""
        return tables + self._passed(held[junk:], carried=0)

    def _passed(self, data: bytes, *, carried: int) -> bytes:
        """Check `data`, which begins with a packet, and return what of it is passed on; the first `carried` bytes have been already."""
        had_moved = bool(self._moved)
        checked = self._check(data)
        if not self._moved:
            return data[carried:checked]
        # A packet that is not whole is passed on with its rest, since its PID may have to be another one.
        restored = self._moved.restored(data[: checked - len(self._carry)])
        return restored if had_moved else restored[carried:]

    def _take_from(self, pid: int, stream: ElementaryStream) -> None:
        """Pass the payloads of a PID to a stream."""
        for flags in _FLAGS:
            self._take_continuation[pid | flags] = stream.payloads.append
            self._take_start[pid | UNIT_START | flags] = stream.begin_packet

    def _move(self, old: int, new: int) -> None:
        """Take a stream from another PID from now on."""
        for flags in _FLAGS:
            del self._take_continuation[old | flags], self._take_start[old | UNIT_START | flags]
        self._take_from(new, self._streams[old])
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
        self._check_counters(data, packets)
        at = 0
        while at < packets:
            at = self._pass_runs(data, at, packets)
        for stream in self._streams.values():
            stream.drain()
        return len(data)

    def _pass_runs(self, data: bytes, first: int, packets: int) -> int:
        """Pass the payloads of packets from `first` on; stop after a map that moves a stream, and return the place of the next packet."""
        streams = self._streams
        for run in packet_runs(data, first, packets, list(streams)):
            if run.pid is not None:
                streams[run.pid].payloads.extend(run.payloads(data))
                continue
            for place in range(run.first, run.first + run.length):
                self._pass_packet(*PACKET.unpack_from(data, place * PACKET_BYTES))
                if self._streams is not streams:
                    return place + 1
        return packets

    def _pass_packet(self, word: int, control: int, rest_of_packet: bytes) -> None:
        """Pass the payload of one packet to the stream or the table that it belongs to."""
        take = self._take_continuation.get(word) or self._take_start.get(word)
        if take is None:
            if word & PID_MASK in self._maps.pids:
                self._read_table(word, payload_of(control, rest_of_packet))
        elif control & 0xF0 == PAYLOAD_ONLY:
            take(rest_of_packet)
        elif control & SCRAMBLED:
            raise UnsupportedSourceError("The source is protected: its transport packets are scrambled.")
        elif payload := payload_of(control, rest_of_packet):
            take(payload)

    def _check_counters(self, data: bytes, packets: int) -> None:
        self._counters.feed(data, packets)
        if self._counters.lost_inside:
            raise DamagedMediaError("A segment is damaged: transport packets are missing inside it.")

    def _read_table(self, word: int, payload: bytes) -> None:
        media = {pid: stream.medium for pid, stream in self._streams.items()}
        for old, new in self._maps.read(word, payload, media).items():
            self._move(old, new)
