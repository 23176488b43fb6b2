"""An origin that sends a wrong body once, with a correct length, and the right one when it is asked again: the output is whole."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from conftest import Serve, UsualOutput
from fault_sets import encrypt
from peers import media_reader
from peers.get_command import get
from peers.origin import Origin, Rule, garbage, html
from peers.source_files import download

from transcoder.edge.prefetch import MAX_FETCHES

Media = Callable[[str], Path]
UsualHashes = Callable[[str], dict[str, str]]
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
    """Return the hashes of the fragmented output, for which each segment is fetched once; a plain one needs its head before."""
    output = download(origin.url("/main.m3u8"), into, "--layout", "fragmented")
    assert media_reader.is_whole(output)
    return media_reader.hashes(output)


@pytest.fixture(scope="module")
def usual_hashes(usual_output: UsualOutput) -> UsualHashes:
    """Return what returns the hashes of a set that nothing is wrong with."""
    return cache(lambda name: media_reader.hashes(usual_output(name, "--layout", "fragmented")))


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
def test_a_wrong_segment_that_comes_once_is_fetched_again(
    name: str, wrong: Wrong, media: Media, usual_hashes: UsualHashes, serve: Serve, tmp_path: Path
) -> None:
    folder = media(name)
    origin = serve(folder)
    expected = usual_hashes(name)
    path = f"/{_path(folder, 3).name}"
    origin.rules[path] = Rule(body=wrong(folder, 3), times=1, delay=AFTER_OTHERS)
    assert hashes_of(origin, tmp_path / "output.mp4") == expected
    assert len(origin.requests_of(path)) == 2


SEEN_ANYWHERE = [
    ("faults-ts-muxed", _half),
    ("faults-ts-muxed", _without_a_packet),
    ("faults-ts-muxed", _noise),
    ("faults-ts-muxed", _noise_inside),
    ("faults-ts-muxed", _doubled),
    ("faults-fragments", _first_fragment),
    ("faults-fragments", _doubled),
    ("faults-aes-ts", _half_encrypted),
]
PLACES = (0, 1, 5)


# Each of them in each place, every other one twice: how often a body is doubted does not depend on what is wrong with it.
@pytest.mark.parametrize(
    ("name", "wrong", "number", "times"),
    [(*what, number, 1 + (row + place) % 2) for row, what in enumerate(SEEN_ANYWHERE) for place, number in enumerate(PLACES)],
)
def test_the_first_and_the_last_segments_are_checked_too(  # noqa: PLR0913  # what is wrong, where, how often, and three fixtures
    name: str, wrong: Wrong, *, number: int, times: int, media: Media, usual_hashes: UsualHashes, serve: Serve, tmp_path: Path
) -> None:
    folder = media(name)
    origin = serve(folder)
    expected = usual_hashes(name)
    origin.rules[f"/{_path(folder, number).name}"] = Rule(body=wrong(folder, number), times=times)
    assert hashes_of(origin, tmp_path / "output.mp4") == expected


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        pytest.param("faults-fragments", "/segment-init.mp4", lambda right: right[: len(right) // 2], id="half an initialization section"),
        pytest.param("faults-fragments", "/segment-init.mp4", lambda right: garbage(len(right)), id="noise for an initialization section"),
        pytest.param("faults-aes-ts", "/video.key", lambda _: html(2000), id="a web page for a key"),
        pytest.param("faults-aes-ts", "/video.key", lambda right: right[:7], id="half a key"),
    ],
)
def test_what_segments_are_read_with_is_asked_for_again(  # noqa: PLR0913  # what is wrong, how often, and three fixtures
    name: str,
    path: str,
    body: Callable[[bytes], bytes],
    *,
    times: int,
    media: Media,
    usual_hashes: UsualHashes,
    serve: Serve,
    tmp_path: Path,
) -> None:
    folder = media(name)
    origin = serve(folder)
    expected = usual_hashes(name)
    origin.rules[path] = Rule(body=body((folder / path[1:]).read_bytes()), times=times)
    assert hashes_of(origin, tmp_path / "output.mp4") == expected


def _without_a_frame(folder: Path, number: int) -> bytes:
    """Leave out the packets of one video frame in the middle of a segment, and nothing else."""
    body = _right(folder, number)
    packets = [body[at : at + PACKET_BYTES] for at in range(0, len(body), PACKET_BYTES)]
    video = [(index, bool(packet[1] & 0x40)) for index, packet in enumerate(packets) if (packet[1] & 0x1F, packet[2]) == (1, 0)]
    starts = [place for place, (_, begins) in enumerate(video) if begins]
    lost = {index for index, _ in video[starts[20] : starts[21]]}
    assert lost
    return b"".join(packet for index, packet in enumerate(packets) if index not in lost)


def _without_the_end_of_the_last_frame(folder: Path, number: int) -> bytes:
    """Cut a segment inside its last audio frame, at the border of a packet; the audio comes last."""
    body = _right(folder, number)
    assert (body[-PACKET_BYTES + 1] & 0x1F, body[-PACKET_BYTES + 2]) == (1, 1)
    return body[:-PACKET_BYTES]


@pytest.mark.parametrize("times", [1, 2, None])
def test_the_rest_of_a_frame_between_two_segments_is_missed(
    times: int | None, media: Media, usual_hashes: UsualHashes, serve: Serve, tmp_path: Path
) -> None:
    """Nothing says how long a video frame is, but its last packet is stuffed, and the counters of these segments go on."""
    origin = serve(media("faults-ts-separate"))
    expected = usual_hashes("faults-ts-separate")
    right = (media("faults-ts-separate") / "large-3.ts").read_bytes()
    assert right[-PACKET_BYTES + 3] & 0x20
    assert not right[-2 * PACKET_BYTES + 3] & 0x20
    origin.rules["/large-3.ts"] = Rule(body=right[:-PACKET_BYTES], times=times)
    if times is not None:
        assert hashes_of(origin, tmp_path / "output.mp4") == expected
        return
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert (result.returncode, b"does not continue its video" in result.stderr) == (4, True), result.stderr.decode()


@pytest.mark.parametrize(
    ("number", "wrong", "words"),
    [(3, _without_a_frame, "frames of the video"), (5, _without_the_end_of_the_last_frame, "ends inside a packet of the audio")],
)
def test_a_part_of_a_segment_that_no_distance_shows_is_missed(
    number: int, wrong: Wrong, words: str, media: Media, serve: Serve, tmp_path: Path
) -> None:
    folder = media("faults-ts-muxed")
    origin = serve(folder)
    origin.rules[f"/segment-{number}.ts"] = Rule(body=wrong(folder, number))
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 4
    assert words in result.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["faults-ts-muxed", "faults-fragments", "faults-aes-ts"])
def test_right_segments_are_fetched_once(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    origin = serve(folder)
    hashes_of(origin, tmp_path / "output.mp4")
    inner = [f"/{_path(folder, number).name}" for number in range(1, 5)]
    shared = [f"/{path.name}" for pattern in ("*init*", "*.key") for path in folder.glob(pattern)]
    assert {path: len(origin.requests_of(path)) for path in inner + shared} == dict.fromkeys(inner + shared, 1)


@pytest.mark.parametrize("wrong", [_half, _without_a_packet, _noise, _noise_inside, _next_one, _doubled, _with_the_next_one])
def test_a_wrong_segment_that_always_comes_is_a_failure(wrong: Wrong, media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("faults-ts-muxed")
    origin = serve(folder)
    origin.rules["/segment-3.ts"] = Rule(body=wrong(folder, 3), delay=AFTER_OTHERS)
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 4, result.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["faults-ts-muxed", "faults-fragments"])
def test_a_first_segment_that_is_always_damaged_is_fetched_as_often_as_any_other(
    name: str, media: Media, serve: Serve, tmp_path: Path
) -> None:
    """Nothing is gained by beginning again: it was the same each time."""
    folder = media(name)
    origin = serve(folder)
    path = f"/{_path(folder, 0).name}"
    origin.rules[path] = Rule(body=_right(folder, 0)[:-7])
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4", "--layout", "fragmented")
    assert result.returncode == 4, result.stderr.decode()
    assert b"cut off" in result.stderr
    assert sum("range" not in request.headers for request in origin.requests_of(path)) == MAX_FETCHES
    assert list(tmp_path.iterdir()) == []
