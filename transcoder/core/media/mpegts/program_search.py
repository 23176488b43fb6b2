"""The program map that applies to a segment: maps may grow within it, when the audio begins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transcoder.core.media.mpegts.packets import payloads
from transcoder.core.media.mpegts.program_tables import (
    PAT_PID,
    Program,
    SectionAssembler,
    program_map_pids,
    read_program,
    section_packets,
)


@dataclass(frozen=True, slots=True)
class FoundProgram:
    """A program map of a segment."""

    program: Program
    tables: bytes = b""
    """Packets with this map, if it is not the segment's first: what reads the segment must know it from the start."""


def find_program(packets: bytes, is_wanted: Callable[[Program], bool]) -> FoundProgram | None:
    """Return the first program map that `is_wanted`, or else the one with the most media, the first of several; None if there is none."""
    first: Program | None = None
    best: FoundProgram | None = None
    for tables, program in _programs(packets):
        first = first or program
        # Maps of other programs are none of this one's.
        found = FoundProgram(program, tables if program is not first else b"") if program.number == first.number else None
        if found and is_wanted(program):
            return found
        if found and (best is None or len(program.media) > len(best.program.media)):
            best = found
    return best


def _programs(packets: bytes) -> Iterator[tuple[bytes, Program]]:
    """Yield each program map that announces video or audio, and differs from the one before it, with packets that say the same."""
    assemblers, tables, last = {PAT_PID: SectionAssembler()}, b"", b""
    for pid, starts, payload in (each for each in payloads(packets) if each[0] in assemblers):
        for section in assemblers[pid].feed(payload, starts=starts):
            if pid == PAT_PID:
                assemblers.update({each: SectionAssembler() for each in program_map_pids(section) if each not in assemblers})
                tables = section_packets(section, PAT_PID)
            elif section != last and (program := read_program(section)) and program.streams:
                last = section
                yield tables + section_packets(section, pid), program
