"""An origin that sends a wrong body once, with a correct length, and the right one when it is asked again: the output is whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from fault_sets import encrypt
from peers import media_reader
from peers.get_command import get
from peers.origin import Origin, Rule, garbage
from peers.source_files import download

Media = Callable[[str], Path]
Wrong = Callable[[Path, int], bytes]
"""Returns what is sent instead of a segment, from the folder of the set and the segment's number."""
PACKET_BYTES = 188
AFTER_OTHERS = 0.5
"""Seconds by which a wrong segment is delayed, so that the others are checked first."""


def _path(folder: Path, number: int) -> Path:
    return next(folder.glob(f"segment-{number}.*"))


def _right(folder: Path, number: int) -> bytes:
    return _path(folder, number).read_bytes()


def _half(folder: Path, number: int) -> bytes:
    body = _right(folder, number)
    return body[: len(body) // PACKET_BYTES // 2 * PACKET_BYTES]


def _without_a_packet(folder: Path, number: int) -> bytes:
    body = _right(folder, number)
    middle = len(body) // PACKET_BYTES // 2 * PACKET_BYTES
    return body[:middle] + body[middle + PACKET_BYTES :]


def _noise(folder: Path, number: int) -> bytes:
    return garbage(len(_right(folder, number)))


def _noise_inside(folder: Path, number: int) -> bytes:
    body = _right(folder, number)
    third = len(body) // PACKET_BYTES // 3 * PACKET_BYTES
    return body[:third] + garbage(third) + body[2 * third :]


def _next_one(folder: Path, number: int) -> bytes:
    return _right(folder, number + 1)


def _doubled(folder: Path, number: int) -> bytes:
    return 2 * _right(folder, number)


def _with_the_next_one(folder: Path, number: int) -> bytes:
    return _right(folder, number) + _right(folder, number + 1)


def _first_fragment(folder: Path, number: int) -> bytes:
    body = _right(folder, number)
    return body[: body.index(b"moof", body.index(b"moof") + 4) - 4]


def _half_encrypted(folder: Path, number: int) -> bytes:
    body = _right(folder, number)
    return body[: len(body) // 32 * 16]


def _next_one_encrypted(folder: Path, number: int) -> bytes:
    return encrypt((folder / f"clear-{number + 1}.ts").read_bytes(), number=number)


def hashes_of(origin: Origin, into: Path) -> dict[str, str]:
    output = download(origin.url("/main.m3u8"), into)
    assert media_reader.is_whole(output)
    return media_reader.hashes(output)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        pytest.param("faults-ts-muxed", _half, id="half a transport stream"),
        pytest.param("faults-ts-muxed", _without_a_packet, id="a transport stream without one packet"),
        pytest.param("faults-ts-muxed", _noise, id="noise"),
        pytest.param("faults-ts-muxed", _noise_inside, id="noise inside"),
        pytest.param("faults-ts-muxed", _next_one, id="another segment"),
        pytest.param("faults-ts-muxed", _doubled, id="a segment twice"),
        pytest.param("faults-ts-muxed", _with_the_next_one, id="two segments"),
        pytest.param("faults-fragments", _first_fragment, id="one of two fragments"),
        pytest.param("faults-fragments", _next_one, id="another fragmented segment"),
        pytest.param("faults-fragments", _with_the_next_one, id="two fragmented segments"),
        pytest.param("faults-aes-ts", _half_encrypted, id="half an encrypted segment"),
        pytest.param("faults-aes-ts", _next_one_encrypted, id="another encrypted segment"),
    ],
)
def test_a_wrong_segment_that_comes_once_is_fetched_again(name: str, wrong: Wrong, media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    origin = serve(folder)
    expected = hashes_of(origin, tmp_path / "expected.mp4")
    origin.requests.clear()
    path = f"/{_path(folder, 3).name}"
    origin.rules[path] = Rule(body=wrong(folder, 3), times=1, delay=AFTER_OTHERS)
    assert hashes_of(origin, tmp_path / "output.mp4") == expected
    assert len(origin.requests_of(path)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        _half,
        _without_a_packet,
        _noise,
        _noise_inside,
    ],
)
def test_the_second_segment_of_a_track_is_checked(wrong: Wrong, media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("faults-ts-muxed")
    origin = serve(folder)
    expected = hashes_of(origin, tmp_path / "expected.mp4")
    origin.rules["/segment-1.ts"] = Rule(body=wrong(folder, 1), times=1)
    assert hashes_of(origin, tmp_path / "output.mp4") == expected


@pytest.mark.parametrize("name", ["faults-ts-muxed", "faults-fragments", "faults-aes-ts"])
def test_right_segments_are_fetched_once(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    origin = serve(folder)
    hashes_of(origin, tmp_path / "output.mp4")
    inner = [f"/{_path(folder, number).name}" for number in range(1, 5)]
    assert [len(origin.requests_of(path)) for path in inner] == [1] * len(inner)


@pytest.mark.parametrize("wrong", [_half, _without_a_packet, _noise, _noise_inside, _next_one, _doubled, _with_the_next_one])
def test_a_wrong_segment_that_always_comes_is_a_failure(wrong: Wrong, media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("faults-ts-muxed")
    origin = serve(folder)
    origin.rules["/segment-3.ts"] = Rule(body=wrong(folder, 3), delay=AFTER_OTHERS)
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 4, result.stderr.decode()
    assert list(tmp_path.iterdir()) == []
