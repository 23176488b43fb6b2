"""A segment that cannot be used is named, whatever is wrong with it and however it is read."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers.get_command import get

Media = Callable[[str], Path]
Files = dict[str, bytes]
PACKET = 188


def names(files: Files) -> list[str]:
    return sorted(name for name in files if name.startswith("/segment-") and name.endswith((".ts", ".m4s")))


def cut(files: Files, at: Callable[[int], int]) -> Files:
    name = names(files)[1]
    return files | {name: files[name][: at(len(files[name]))]}


def without_middle(files: Files) -> Files:
    name = names(files)[1]
    data, middle = files[name], len(files[name]) // PACKET // 2 * PACKET
    return files | {name: data[:middle] + data[middle + 20 * PACKET :]}


def flipped(files: Files) -> Files:
    name = names(files)[1]
    data = bytearray(files[name])
    data[len(data) // PACKET // 2 * PACKET] ^= 0xFF
    return files | {name: bytes(data)}


FAULTS: dict[str, Callable[[Files], Files]] = {
    "cut inside a packet": lambda files: cut(files, lambda length: length // 2 // PACKET * PACKET + 100),
    "cut between packets": lambda files: cut(files, lambda length: length // 2 // PACKET * PACKET),
    "packets lost inside": without_middle,
    "a byte changed": flipped,
    "a web page": lambda files: files | {names(files)[1]: b"<html><body>Not here</body></html>" * 100},
    "other bytes": lambda files: files | {names(files)[1]: bytes(range(1, 256)) * 1000},
    "no bytes": lambda files: files | {names(files)[1]: b""},
    "the one before it": lambda files: files | {names(files)[1]: files[names(files)[0]]},
    "the one after it": lambda files: files | {names(files)[1]: files[names(files)[2]]},
    "itself twice": lambda files: files | {names(files)[1]: files[names(files)[1]] * 2},
    "itself and the next one": lambda files: files | {names(files)[1]: files[names(files)[1]] + files[names(files)[2]]},
    "the last one cut": lambda files: (
        files | {names(files)[2]: files[names(files)[2]][: len(files[names(files)[2]]) // 2 // PACKET * PACKET]}
    ),
    "a lack of it": lambda files: {name: content for name, content in files.items() if name != names(files)[1]},
}


def files_of(folder: Path) -> Files:
    return {f"/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("kind", "layout"), [("ts-muxed", "auto"), ("fmp4-muxed", "plain"), ("fmp4-muxed", "fragmented")])
def test_the_segment_is_named(fault: str, kind: str, layout: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    files = files_of(media(kind))
    first, second, third = (name.strip("/") for name in names(files)[:3])
    origin = serve(FAULTS[fault](files))
    completed = get(origin.url("/main.m3u8"), tmp_path / "video.mp4", "--layout", layout)
    message = completed.stderr.decode()
    assert completed.returncode in {3, 4}, message
    assert any(f"{name} at 127.0.0.1: " in message for name in (first, second, third)), message
    assert message.count(" at 127.0.0.1") == 1, message
    assert not (tmp_path / "video.mp4").exists()


@pytest.mark.parametrize("kind", ["ts-byterange", "fmp4-byterange"])
def test_a_byte_range_is_named_with_its_bytes(kind: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    files = files_of(media(kind))
    name = next(name for name in files if name.endswith((".ts", ".mp4", ".m4s")))
    data = bytearray(files[name])
    at = data.find(b"traf", len(data) // 2) if kind.startswith("fmp4") else len(data) // 2
    data[at : at + 20 * PACKET] = b"\x55" * 20 * PACKET
    completed = get(serve(files | {name: bytes(data)}).url("/main.m3u8"), tmp_path / "video.mp4", "--layout", "fragmented")
    message = completed.stderr.decode()
    assert completed.returncode == 4, message
    assert f"{name.strip('/')} at 127.0.0.1, bytes " in message
