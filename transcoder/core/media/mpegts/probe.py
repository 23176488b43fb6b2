"""Probing of a transport stream: its program map, and the first PES packets of its streams."""

from collections.abc import Collection, Iterator

from transcoder.core.media.audio_headers import FrameHeader
from transcoder.core.media.mpegts.access_units import ACCESS_UNIT_COUNTERS
from transcoder.core.media.mpegts.first_frame import MAX_SEARCH_BYTES, first_frame, has_readable_frames, may_be
from transcoder.core.media.mpegts.packet_runs import PacketRun, packet_runs
from transcoder.core.media.mpegts.packets import PACKET_BYTES, find_packets, longer_packet_bytes, payloads
from transcoder.core.media.mpegts.pes import read_pes_header
from transcoder.core.media.mpegts.program_search import FoundProgram, find_program
from transcoder.core.media.mpegts.program_tables import Program, ProgramElement
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

_MAX_PROBE_BYTES = 1024 * 1024
"""A stream that has not begun within this many bytes is regarded as announced but missing."""
_MAX_FIRST_PROBE_BYTES = 8 * 1024 * 1024
"""The same for a segment without a previous one: this probe decides which streams go into the output."""
_STEP_PACKETS = 256
"""So many packets are divided into runs at once: the first few often show everything."""
_SEARCH_SHARE = 4
"""Audio without a frame is searched again when it has become longer by this part."""


def probe_transport(
    head: bytes, *, whole: bool, tables: bytes = b"", previous: Probe | None = None, media: Collection[Medium] = ()
) -> Probe | None:
    """Return the streams of the transport stream segment that begins with `head`; None if more bytes are needed.

    `tables` are the packets of the initialization section, which belong before `head`. `previous` is the probe of the segment before. With
    it, it is enough that the audio has begun, or the video if no audio is announced, and a segment without a program map has the streams of
    `previous`. Without it, streams that begin late get more bytes, and so do program maps that list not all of `media` yet.

    Raises:
        UpstreamError: it is not a transport stream, or announces neither video nor audio.
        UnsupportedSourceError: it is encrypted, or has packets of another length.

    """
    is_enough = whole or len(head) >= (_MAX_PROBE_BYTES if previous else _MAX_FIRST_PROBE_BYTES)
    skip = _first_packet(head, whole=whole)
    if skip is None:
        return None
    packets = memoryview(head)[skip:].tobytes() if skip else head
    wanted = frozenset(media) if previous is None else frozenset[Medium]()
    found = _find_program(tables + packets if tables else packets, previous, wanted)
    if found is None and (whole or len(head) >= _MAX_PROBE_BYTES):
        found = FoundProgram(_program_of(previous))
    if found is None:
        return None
    scan = _ProgramScan(found.program, previous)
    scan.read(packets)
    if not is_enough and not (scan.is_complete and wanted <= found.program.media):
        return None
    return Probe(Container.MPEGTS, scan.streams(), skip, tables=found.tables)


def probe_tables(body: bytes, *, tables: bytes = b"") -> Probe:
    """Return the streams that the first program map of a whole segment announces, without their timestamps and formats.

    Takes `tables`, and raises errors, as `probe_transport` does.
    """
    skip = _first_packet(body, whole=True) or 0
    packets = body[skip:]
    found = _find_program(tables + packets if tables else packets, None, frozenset())
    program = found.program if found else _program_of(None)
    return Probe(Container.MPEGTS, tuple(map(_announced, program.streams)), skip)


def _find_program(packets: bytes, previous: Probe | None, wanted: frozenset[Medium]) -> FoundProgram | None:
    """Return the first program map that has all `wanted` media, and the streams of the segment before."""
    pids = {stream.id for medium in Medium if (stream := previous.main(medium))} if previous else set[int]()
    return find_program(packets, lambda program: wanted <= program.media and pids <= {stream.pid for stream in program.streams})


def _first_packet(head: bytes, *, whole: bool) -> int | None:
    """Return the offset of the first packet; None if more bytes are needed."""
    if size := longer_packet_bytes(head):
        raise UnsupportedSourceError(f"The source's transport packets have {size} bytes. Those of HLS have 188.")
    skip = find_packets(head, whole=whole)
    if skip is not None and skip < 0:
        raise DamagedMediaError("A segment is not media: it is neither an MPEG transport stream nor in another container of HLS.")
    return skip


def _program_of(previous: Probe | None) -> Program:
    """Return the program of the previous segment, for a segment that has no program map itself."""
    if previous is None:
        raise DamagedMediaError("A transport stream segment has no program map with video or audio.")
    return Program(0, tuple(ProgramElement(each.id, each.medium, each.codec, each.is_description) for each in previous.streams))


class _ProgramScan:
    """The first PES packets of a program's streams: their timestamps and audio frame headers."""

    def __init__(self, program: Program, previous: Probe | None) -> None:
        self._program = program
        self._previous = previous
        self._elements = {element.pid: element for element in program.streams}
        announced = Probe(Container.MPEGTS, tuple(map(_announced, program.streams)))
        wanted = announced.continuing(previous) if previous else announced
        self._wanted = [stream.id for medium in Medium if (stream := wanted.main(medium))]
        self._starts: dict[int, float] = {}
        self._decode_starts: dict[int, float] = {}
        self._incomplete_packets: dict[int, bytes] = {}
        self._audio: dict[int, bytes] = {}
        self._pictures = {each.pid: ACCESS_UNIT_COUNTERS[each.codec]() for each in program.streams if each.codec in ACCESS_UNIT_COUNTERS}
        self._frames: dict[int, FrameHeader] = {}
        self._searched: dict[int, int] = {}
        """How many bytes of each stream of audio have been searched for a frame."""

    @property
    def is_complete(self) -> bool:
        """Whether the streams have begun that go into the output if they begin at all, and the audio has shown a frame header.

        After a previous segment, it is enough that the last one has begun: the audio, or the video if no audio is announced.
        """
        if self._previous:
            return self._wanted[-1] in self._starts
        return all(
            pid in self._starts and (not has_readable_frames(self._elements[pid].codec) or self._has_format(pid) or self._has_given_up(pid))
            for pid in self._wanted
        )

    def _has_format(self, pid: int) -> bool:
        """Whether a frame of the audio has shown its format."""
        return pid in self._frames and self._frames[pid].sample_rate > 0

    def _has_given_up(self, pid: int) -> bool:
        """Whether so much of the audio contained no frame header that the search has ended."""
        return len(self._audio.get(pid, b"")) > MAX_SEARCH_BYTES

    def read(self, packets: bytes) -> None:
        """Read packets until the scan is complete, or has reached its limit."""
        for place, (pid, starts, payload) in self._payloads(packets):
            if starts:
                self._incomplete_packets[pid] = payload
            elif pid in self._incomplete_packets:
                self._incomplete_packets[pid] += payload
            elif self._awaits_picture(pid):
                self._pictures[pid].feed(payload)
                continue
            elif self._awaits_frame(pid):
                self._audio[pid] += payload
            else:
                continue
            self._read_pes_header(pid)
            self._find_frame(pid)
            if self.is_complete or place * PACKET_BYTES > _MAX_FIRST_PROBE_BYTES:
                break
        for pid in tuple(self._audio):
            self._find_frame(pid, is_last=True)

    def _payloads(self, packets: bytes) -> Iterator[tuple[int, tuple[int, bool, bytes]]]:
        """Yield the place of each packet that the probe still needs, and what `payloads` says of it."""
        count, pids = len(packets) // PACKET_BYTES, list(self._elements)
        for first in range(0, count, _STEP_PACKETS):
            for run in packet_runs(packets, first, min(count, first + _STEP_PACKETS), pids):
                yield from self._payloads_of(run, packets)

    def _payloads_of(self, run: PacketRun, packets: bytes) -> Iterator[tuple[int, tuple[int, bool, bytes]]]:
        """Yield the same of a run: no more of a long picture than its first packets are needed."""
        at = run.first * PACKET_BYTES
        found = enumerate(payloads(memoryview(packets)[at : at + run.length * PACKET_BYTES]), run.first)
        while (run.pid is None or self._awaits_more(run.pid)) and (each := next(found, None)):
            if each[1][0] in self._elements:
                yield each

    def _awaits_more(self, pid: int) -> bool:
        """Whether the probe needs packets of a PID in which no PES packet begins."""
        return pid in self._incomplete_packets or self._awaits_picture(pid) or self._awaits_frame(pid)

    def _awaits_picture(self, pid: int) -> bool:
        return pid in self._starts and pid in self._pictures and not self._pictures[pid].has_picture

    def _awaits_frame(self, pid: int) -> bool:
        return pid in self._audio and not self._has_format(pid) and not self._has_given_up(pid)

    def _read_pes_header(self, pid: int) -> None:
        if pid not in self._incomplete_packets:
            return
        data = self._incomplete_packets[pid]
        header = read_pes_header(data)
        if header is None:
            return
        del self._incomplete_packets[pid]
        if header.pts is not None:
            self._starts.setdefault(pid, header.pts)
            self._decode_starts.setdefault(pid, header.pts if header.dts is None else header.dts)
        if header.is_media and pid in self._pictures and not self._pictures[pid].has_picture:
            self._pictures[pid].feed(data[header.length :])
        if header.is_media and not self._has_given_up(pid):
            self._audio[pid] = self._audio.get(pid, b"") + data[header.length :]

    def _find_frame(self, pid: int, *, is_last: bool = False) -> None:
        """Find the first audio frame. The search begins at the first byte, so that it is not repeated for every packet."""
        announced = self._elements[pid].codec
        if not has_readable_frames(announced):
            self._audio.pop(pid, None)
            return
        data, searched = self._audio.get(pid, b""), self._searched.get(pid, 0)
        is_due = len(data) >= searched + searched // _SEARCH_SHARE or is_last or self._has_given_up(pid)
        if self._has_format(pid) or len(data) == searched or not is_due:
            return
        self._searched[pid] = len(data)
        if frame := first_frame(announced, data):
            self._frames[pid] = frame

    def streams(self) -> tuple[Stream, ...]:
        """Return the program's streams with the properties found so far."""
        return tuple(self._stream(element) for element in self._program.streams)

    def _stream(self, element: ProgramElement) -> Stream:
        stream = _announced(element)._replace(start=self._starts.get(element.pid), decode_start=self._decode_starts.get(element.pid))
        if element.pid in self._pictures:
            stream = stream._replace(is_headless=self._pictures[element.pid].is_headless)
        if frame := self._frames.get(element.pid):
            return stream.of_format(frame.codec, frame.sample_rate, frame.channels)
        before = self._previous.main(element.medium) if self._previous else None
        # Nothing that has been seen of it contradicts the segment before.
        return stream._replace(codec=before.codec) if before and may_be(element.codec, before.codec) else stream


def _announced(element: ProgramElement) -> Stream:
    return Stream(element.medium, element.codec, element.pid, None, is_description=element.is_description)
