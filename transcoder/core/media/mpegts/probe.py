"""What a transport stream holds, told from its first bytes."""

from dataclasses import replace

from transcoder.core.media.audio_frames import HEADER_BYTES, READERS, Frame
from transcoder.core.media.mpegts.packets import PACKET_BYTES, find_packets, payloads
from transcoder.core.media.mpegts.pes import read_pes_header
from transcoder.core.media.mpegts.program_tables import PAT_PID, Elementary, Program, Sections, program_map_pids, read_program
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.errors import UpstreamError

ENOUGH_BYTES = 1024 * 1024
"""A stream that has not begun within so many bytes is taken as one that is announced but does not come."""
PATIENCE_BYTES = 8 * 1024 * 1024
"""The same at the beginning of a film, where it is decided what goes into it."""
_MAX_FRAME_SEARCH_BYTES = 16 * 1024


def probe_transport(head: bytes, *, whole: bool, tables: bytes = b"", like: Probe | None = None) -> Probe | None:
    """Tell what the transport stream beginning with `head` holds; None if more bytes are needed.

    `tables` are packets that belong before `head`. `like` is what the segment before it holds: then it is enough that the sound has begun,
    or the picture where no sound is announced; and without a program map in `head`, it holds the same. Without `like`, what begins late
    is waited for longer.
    Raises UpstreamError if it is no transport stream or announces neither picture nor sound, UnsupportedSourceError if it is protected.
    """
    enough = whole or len(head) >= (ENOUGH_BYTES if like else PATIENCE_BYTES)
    skip = find_packets(head, whole=whole)
    if skip is None:
        return None
    if skip < 0:
        raise UpstreamError("A segment is not the transport stream that it should be.")
    packets = memoryview(head)[skip:].tobytes() if skip else head
    program = _find_program(tables + packets if tables else packets)
    if program is None and like and enough:
        program = Program(0, tuple(Elementary(stream.id, stream.medium, stream.codec) for stream in like.streams))
    if program is None:
        if whole or len(head) >= ENOUGH_BYTES:
            raise UpstreamError("A transport stream does not tell what it holds: it has no program map with picture or sound.")
        return None
    heads = _Heads(program, brief=like is not None)
    heads.read(packets)
    if not enough and not heads.complete:
        return None
    return Probe(Container.MPEGTS, heads.streams(), skip)


def _find_program(packets: bytes) -> Program | None:
    """Return the first program map that announces picture or sound."""
    tables = {PAT_PID: Sections()}
    tables_payloads = (each for each in payloads(packets) if each[0] in tables)
    for pid, starts, payload in tables_payloads:
        for section in tables[pid].feed(payload, starts=starts):
            if pid == PAT_PID:
                tables.update({each: Sections() for each in program_map_pids(section) if each not in tables})
            elif (program := read_program(section)) and program.streams:
                return program
    return None


class _Heads:
    """The first PES packets of a program's first video and first audio stream."""

    def __init__(self, program: Program, *, brief: bool) -> None:
        self._program = program
        self._brief = brief
        self._wanted = {stream.pid: stream for medium in Medium if (stream := program.first(medium))}
        self._starts: dict[int, float] = {}
        self._pending: dict[int, bytes] = {}
        self._sound: dict[int, bytes] = {}
        self._frames: dict[int, Frame] = {}

    @property
    def complete(self) -> bool:
        """Whether every wanted stream has begun, and sound has shown a frame header; with `brief`, whether the last one has begun."""
        if self._brief:
            return list(self._wanted)[-1] in self._starts
        return all(
            pid in self._starts and (stream.codec not in READERS or pid in self._frames or self._is_hopeless(pid))
            for pid, stream in self._wanted.items()
        )

    def _is_hopeless(self, pid: int) -> bool:
        return len(self._sound.get(pid, b"")) > _MAX_FRAME_SEARCH_BYTES

    def read(self, packets: bytes) -> None:
        """Read until every wanted stream has shown what it can."""
        for count, (pid, starts, payload) in enumerate(payloads(packets)):
            if pid not in self._wanted:
                continue
            if starts:
                self._pending[pid] = payload
            elif pid in self._pending:
                self._pending[pid] += payload
            elif pid in self._sound and pid not in self._frames:
                self._sound[pid] += payload
            else:
                continue
            self._take_header(pid)
            self._take_frame(pid)
            if self.complete or count * PACKET_BYTES > PATIENCE_BYTES:
                return

    def _take_header(self, pid: int) -> None:
        if pid not in self._pending:
            return
        data = self._pending[pid]
        header = read_pes_header(data)
        if header is None:
            return
        del self._pending[pid]
        if header.pts is not None:
            self._starts.setdefault(pid, header.pts)
        if header.is_media:
            self._sound[pid] = self._sound.get(pid, b"") + data[header.length :]

    def _take_frame(self, pid: int) -> None:
        read = READERS.get(self._wanted[pid].codec)
        if read is None:
            self._sound.pop(pid, None)
            return
        data = self._sound.get(pid, b"")
        if pid in self._frames or self._is_hopeless(pid):
            return
        for at in range(len(data) - HEADER_BYTES + 1):
            frame = read(data, at)
            if frame and (at == 0 or at + frame.length + HEADER_BYTES > len(data) or read(data, at + frame.length)):
                self._frames[pid] = frame
                return

    def streams(self) -> tuple[Stream, ...]:
        """Return the program's streams with what was found out about them."""
        return tuple(self._stream(each.pid, each.medium, each.codec) for each in self._program.streams)

    def _stream(self, pid: int, medium: Medium, codec: str) -> Stream:
        stream = Stream(medium, codec, pid, self._starts.get(pid))
        frame = self._frames.get(pid)
        return replace(stream, codec=frame.codec, sample_rate=frame.sample_rate, channels=frame.channels) if frame else stream
