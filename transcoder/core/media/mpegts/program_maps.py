"""The program maps of a transport stream while it passes: they may list streams late, and give them other PIDs."""

from collections.abc import Collection, Mapping

from transcoder.core.media.mpegts.packets import PID_MASK, UNIT_START
from transcoder.core.media.mpegts.program_tables import PAT_PID, Program, SectionAssembler, listed_programs, read_program
from transcoder.core.media.streams import Medium
from transcoder.errors import ProgramChangedError


class ProgramMaps:
    """Follows the maps of the program whose streams go into the output."""

    def __init__(self) -> None:
        """Begin before the first map."""
        self._tables: dict[int, SectionAssembler] = {PAT_PID: SectionAssembler()}
        self._last_payloads: dict[int, bytes] = {}
        self._number: int | None = None
        """The program's."""
        self._listed: frozenset[int] = frozenset()
        """The numbers of the programs that the last PAT lists."""
        self._codecs: dict[int, str] = {}
        """The codec of each stream, by its PID, as the maps give it."""

    @property
    def pids(self) -> Collection[int]:
        """The PIDs of the tables."""
        return self._tables

    def read(self, word: int, payload: bytes, streams: Mapping[int, Medium]) -> dict[int, int]:
        """Read a packet of a table, and return the new PID of each of `streams` that has moved, by its old one.

        Raises:
            ProgramChangedError: the program has another medium, or a stream another codec.

        """
        pid = word & PID_MASK
        if self._last_payloads.get(pid) == payload:
            return {}
        self._last_payloads[pid] = payload
        moved: dict[int, int] = {}
        for section in self._tables[pid].feed(payload, starts=bool(word & UNIT_START)):
            if pid == PAT_PID:
                listed = listed_programs(section)
                self._listed = frozenset(number for number, _ in listed)
                self._tables.update({each: SectionAssembler() for _, each in listed if each not in self._tables})
            elif program := read_program(section):
                moved |= self._compare(program, streams)
        return moved

    def _compare(self, program: Program, streams: Mapping[int, Medium]) -> dict[int, int]:
        """Compare a map with those before it; the maps of other programs are ignored.

        A stream that a map does not list may be listed again by the next one.
        """
        listed = {each.pid: each for each in program.streams}
        media = set(streams.values())
        if self._number is None and listed.keys() & streams.keys():
            self._number = program.number
        if program.number != self._number and (len(self._listed) > 1 or self._number in self._listed):
            return {}
        new_codec = any(self._codecs.setdefault(pid, each.codec) != each.codec for pid, each in listed.items() if pid in streams)
        if new_codec or any(each.medium not in media for each in program.streams):
            raise ProgramChangedError("A segment announces other streams than the segment before it.")
        moved = {}
        for pid in streams.keys() - listed.keys():
            others = [each.pid for each in program.streams if each.medium is streams[pid] and each.pid not in streams]
            others = [other for other in others if listed[other].codec == self._codecs.get(pid, listed[other].codec)]
            if others:
                moved[pid] = others[0]
                self._codecs[others[0]] = listed[others[0]].codec
        return moved
