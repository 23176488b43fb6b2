"""Program maps of transport streams that change: they list the audio late, or give streams other PIDs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from conftest import Serve
from generated_video import GeneratedVideo
from packager import media_playlist, pack_ts
from peers import media_reader
from peers.get_command import get
from peers.program_map_edits import edited, is_program_map, not_in_force, of_program, packets_of, pid_of, with_pid, with_pids, without_audio

LATE = GeneratedVideo(seconds=6, size="160x90", b_frames=0, audio_start=0.5)
EARLY = replace(LATE, audio_start=0.0)
MOVED = {0x100: 0x200, 0x101: 0x201}
EditPackets = Callable[[int, Sequence[bytes]], Iterator[bytes]]
"""Edits the packets of a segment, given its number."""


def grows(number: int, packets: Sequence[bytes]) -> Iterator[bytes]:
    """Let each segment begin with a map that lists the video alone."""
    del number
    maps = count()
    for packet in packets:
        yield edited(packet, without_audio) if is_program_map(packet) and next(maps) < 1 else packet


def grows_once(number: int, packets: Sequence[bytes]) -> Iterator[bytes]:
    """Do the same in the first segment only."""
    return grows(number, packets) if number == 0 else iter(packets)


def announces(_number: int, packets: Sequence[bytes]) -> Iterator[bytes]:
    """Put a map with other PIDs that is not in force before each map."""
    for packet in packets:
        if is_program_map(packet):
            yield edited(packet, lambda section: not_in_force(with_pids(section, {0x100: 0x300, 0x101: 0x301})))
        yield packet


def strays(_number: int, packets: Sequence[bytes]) -> Iterator[bytes]:
    """Put the map of a program that no PAT lists before each map, on the same PID."""
    for packet in packets:
        if is_program_map(packet):
            yield edited(packet, lambda section: of_program(with_pids(section, {0x100: 0x300, 0x101: 0x301}), 9))
        yield packet


def moves(number: int, packets: Sequence[bytes]) -> Iterator[bytes]:
    """Move the streams to other PIDs from the second map of the second segment on."""
    half = {0: len(packets), 1: 20}.get(number, 0)
    start = next((at for at in range(half, len(packets)) if is_program_map(packets[at])), len(packets))
    for at, packet in enumerate(packets):
        if at < start:
            yield packet
        elif is_program_map(packet):
            yield edited(packet, lambda section: with_pids(section, MOVED))
        else:
            yield with_pid(packet, MOVED.get(pid_of(packet), pid_of(packet)))


def alternates(number: int, packets: Sequence[bytes]) -> Iterator[bytes]:
    """Let every second segment have other PIDs."""
    return moves(2, packets) if number % 2 else iter(packets)


@pytest.mark.parametrize("edit", [grows, grows_once, announces, strays, moves, alternates])
@pytest.mark.parametrize("video", [EARLY, LATE], ids=["audio at once", "audio later"])
def test_every_packet_comes_out_however_the_maps_change(edit: EditPackets, video: GeneratedVideo, serve: Serve, tmp_path: Path) -> None:
    period = pack_ts(tmp_path, "segment", video)
    (tmp_path / "main.m3u8").write_text(media_playlist([period]))
    source = media_reader.concatenate(tmp_path / "main.m3u8", tmp_path / "source.ts")
    for number in range(len(period.segments)):
        file = tmp_path / f"segment-{number}.ts"
        file.write_bytes(b"".join(edit(number, packets_of(file.read_bytes()))))
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.hashes(output) == media_reader.source_hashes(source)
    assert media_reader.is_whole(output)


def test_video_that_moves_and_loses_a_segment_is_not_whole(serve: Serve, tmp_path: Path) -> None:
    """Renaming packets does not hide that some are missing."""
    (tmp_path / "main.m3u8").write_text(media_playlist([pack_ts(tmp_path, "segment", EARLY)]))
    for number in range(3):
        file = tmp_path / f"segment-{number}.ts"
        packets = list(moves(number, packets_of(file.read_bytes())))
        file.write_bytes(b"".join(packets[: len(packets) * 3 // 4] if number == 1 else packets))
    result = get(serve(tmp_path).url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 4, result.stderr.decode()
