"""Judges transport stream segments as they pass: sync bytes, whole packets, PES starts, an unchanged program map."""

from collections.abc import Callable, Mapping

from transcoder.core.media.mpegts.elementary_stream import ElementaryStream
from transcoder.core.media.mpegts.packets import (
    MAX_JUNK_BYTES,
    PACKET,
    PACKET_BYTES,
    PID_MASK,
    PLAIN,
    SCRAMBLED,
    START,
    SYNC,
    find_packets,
    payload_of,
)
from transcoder.core.media.mpegts.program_tables import PAT_PID, Program, Sections, program_map_pids, read_program
from transcoder.core.media.streams import Medium, Probe
from transcoder.errors import ProgramChangedError, UnsupportedSourceError, UpstreamError

_FLAGS = (0, 0x2000, 0x8000, 0xA000)
"""Transport priority and error indicator: neither decides where a packet belongs."""


class TransportInspector:
    """Judges the segments of one track of one period as they pass, in any pieces."""

    def __init__(self, probe: Probe) -> None:
        """Judge by what `probe` found in the first segment."""
        mapped = [stream for medium in Medium if (stream := probe.first(medium))]
        self._streams = {stream.id: ElementaryStream(stream) for stream in mapped}
        self._announced: dict[int, str] | None = None
        self._more: dict[int, Callable[[bytes], None]] = {}
        self._first: dict[int, Callable[[bytes], None]] = {}
        for pid, elementary in self._streams.items():
            for flags in _FLAGS:
                self._more[pid | flags] = elementary.payloads.append
                self._first[pid | START | flags] = elementary.start
        self._tables: dict[int, Sections] = {PAT_PID: Sections()}
        self._seen: dict[int, bytes] = {}
        self._program: int | None = None
        self._programs = 1
        self._carry = b""
        self._aligned = False

    @property
    def samples(self) -> Mapping[Medium, int]:
        """Samples of the first stream of each medium so far; a codec that cannot be counted is left out."""
        counts = ((stream.medium, stream.count) for stream in self._streams.values())
        return {medium: count for medium, count in counts if count is not None}

    @property
    def starts(self) -> Mapping[Medium, float]:
        """First presentation time in this segment, in seconds as written (33 bits), where one has been seen."""
        return {stream.medium: stream.first for stream in self._streams.values() if stream.first is not None}

    @property
    def ends(self) -> Mapping[Medium, float]:
        """Latest presentation end so far, in seconds on the source's timeline, unwrapped."""
        return {stream.medium: stream.end for stream in self._streams.values() if stream.end is not None}

    def begin(self) -> None:
        """Begin a segment."""
        self._carry, self._aligned = b"", False
        for stream in self._streams.values():
            stream.begin_segment()

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the segment, return those that go on to ffmpeg.

        Raises UpstreamError if they are no transport stream, ProgramChangedError if the program map announces other streams,
        UnsupportedSourceError if they are scrambled.
        """
        if self._aligned:
            self._judge(self._carry + piece if self._carry else piece)
            return piece
        held = self._carry + piece
        junk = find_packets(held, whole=False)
        if junk is None:
            self._carry = held
            return b""
        return self._align(held, junk)

    def end(self) -> bytes:
        """End the segment, return what was held back; raises UpstreamError if it is not whole or holds no sample."""
        rest = b""
        if not self._aligned:
            rest = self._align(self._carry, find_packets(self._carry, whole=True))
        if self._carry:
            raise UpstreamError("A segment is cut off inside a transport packet.")
        if not any(stream.starts for stream in self._streams.values()):
            raise UpstreamError("A segment holds neither picture nor sound.")
        return rest

    def _align(self, held: bytes, junk: int | None) -> bytes:
        if junk is None or junk < 0 or junk > MAX_JUNK_BYTES:
            raise UpstreamError("A segment is not the transport stream that it should be.")
        self._aligned = True
        media = held[junk:]
        self._judge(media)
        return media

    def _judge(self, data: bytes) -> None:
        packets, rest = divmod(len(data), PACKET_BYTES)
        if data[::PACKET_BYTES].count(SYNC) != packets + bool(rest):
            raise UpstreamError("A segment is damaged: its transport packets do not follow each other.")
        self._carry = data[-rest:] if rest else b""
        more, first, tables = self._more, self._first, self._tables
        for word, control, rest_of_packet in PACKET.iter_unpack(memoryview(data)[: packets * PACKET_BYTES]):
            if word in more:
                take = more[word]
            elif word in first:
                take = first[word]
            else:
                if word & PID_MASK in tables:
                    self._table(word, payload_of(control, rest_of_packet))
                continue
            if control & 0xF0 == PLAIN:
                take(rest_of_packet)
            elif control & SCRAMBLED:
                raise UnsupportedSourceError("The source is protected: its transport packets are scrambled.")
            elif payload := payload_of(control, rest_of_packet):
                take(payload)
        for stream in self._streams.values():
            stream.drain()

    def _table(self, word: int, payload: bytes) -> None:
        """Look at a packet of a program table, unless it repeats the last one of its PID."""
        pid = word & PID_MASK
        if self._seen.get(pid) == payload:
            return
        self._seen[pid] = payload
        for section in self._tables[pid].feed(payload, starts=bool(word & START)):
            if pid == PAT_PID:
                maps = program_map_pids(section)
                self._programs = len(maps)
                self._tables.update({each: Sections() for each in maps if each not in self._tables})
            elif program := read_program(section):
                self._compare(program)

    def _compare(self, program: Program) -> None:
        """Hold a program map against what was found at the beginning; other programs in the stream do not matter."""
        found = {stream.pid: stream.codec for medium in Medium if (stream := program.first(medium))}
        if self._announced is None and found.keys() == self._streams.keys():
            self._announced = found
        if found == self._announced:
            self._program = program.number
        elif program.number == self._program or self._programs == 1:
            raise ProgramChangedError("A segment announces other streams than the one before it.")
