"""The program map that applies to a segment: maps may grow within it, when the audio begins."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from transcoder.core.media.mpegts.packets import payloads
from transcoder.core.media.mpegts.program_tables import (
    PAT_PID,
    Program,
    SectionAssembler,
    listed_programs,
    read_program,
    section_packets,
)


class FoundProgram(NamedTuple):
    """A program map of a segment."""

    program: Program
    tables: bytes = b""
    """Packets with this map, if it is not the segment's first: what reads the segment must know it from the start."""


def find_program(packets: bytes, is_wanted: Callable[[Program], bool]) -> FoundProgram | None:
    """Return the program map that applies: the first one that `is_wanted`, or else the one with the most media; None if there is none.

    Of several programs the one counts that the PAT lists first, or if it has no map, the one whose map comes first.
    """
    maps: dict[int, list[tuple[bytes, Program]]] = {}
    numbers: list[int] = []
    first: Program | None = None
    for tables, program in _programs(packets, numbers):
        first = first or program
        maps.setdefault(program.number, []).append((tables if program is not first else b"", program))
        if program.number in numbers[:1] and is_wanted(program):
            break
    number = next((each for each in numbers if each in maps), first.number if first else None)
    if number is None:
        return None
    tables, program = next((each for each in maps[number] if is_wanted(each[1])), None) or max(
        maps[number], key=lambda each: len(each[1].media)
    )
    return FoundProgram(program, tables)


def _programs(packets: bytes, numbers: list[int]) -> Iterator[tuple[bytes, Program]]:
    """Yield each program map that announces video or audio, and differs from the one before it, with packets that say the same.

    `numbers` gets those of the programs that the first PAT lists.
    """
    assemblers, tables, last = {PAT_PID: SectionAssembler()}, b"", b""
    for pid, starts, payload in (each for each in payloads(packets) if each[0] in assemblers):
        for section in assemblers[pid].feed(payload, starts=starts):
            if pid == PAT_PID:
                listed = listed_programs(section)
                numbers.extend(() if numbers else (number for number, _ in listed))
                assemblers.update({each: SectionAssembler() for _, each in listed if each not in assemblers})
                tables = section_packets(section, PAT_PID)
            elif section != last and (program := read_program(section)) and program.streams:
                last = section
                yield tables + section_packets(section, pid), program
