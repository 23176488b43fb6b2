"""AES-128 without padding: the output is that of the clear segments, and a segment that is cut off is found all the same."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from conftest import Serve
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fault_sets import KEY
from peers import media_reader
from peers.get_command import get
from peers.origin import Rule
from peers.source_files import assert_exact, download, files_in

Media = Callable[[str], Path]
NAME = "faults-aes-ts"
BLOCK_BYTES, PACKET_BYTES = 16, 188
NULL_PACKET = b"G\x1f\xff\x10" + 184 * b"\xff"
BOTH = 752
"""The least multiple of both."""


def encrypt_unpadded(clear: bytes, *, number: int) -> bytes:
    encryptor = Cipher(algorithms.AES(KEY), modes.CBC(number.to_bytes(16))).encryptor()
    return encryptor.update(clear) + encryptor.finalize()


def zero_filled(clear: bytes) -> bytes:
    return clear + bytes(-len(clear) % BLOCK_BYTES)


def with_null_packets(clear: bytes) -> bytes:
    return clear + NULL_PACKET * (-len(clear) % BOTH // PACKET_BYTES)


def ending_like_padding(clear: bytes) -> bytes:
    return clear + (-len(clear) % BOTH // PACKET_BYTES or 4) * (NULL_PACKET[:-1] + b"\1")


def clear_segments(media: Media) -> list[bytes]:
    return [path.read_bytes() for path in sorted(media(NAME).glob("clear-*.ts"))]


def unpadded_set(media: Media, fill: Callable[[bytes], bytes], *, numbers: Sequence[int] = range(6)) -> dict[str, bytes]:
    """Return the set with segments of those numbers encrypted without padding."""
    clear = clear_segments(media)
    return files_in(media(NAME)) | {f"/segment-{number}.ts": encrypt_unpadded(fill(clear[number]), number=number) for number in numbers}


def source_of(media: Media, into: Path) -> Path:
    into.write_bytes(b"".join(clear_segments(media)))
    return into


def failure(url: str, output: Path) -> str:
    result = get(url, output)
    assert result.returncode == 4, result.stderr.decode()
    assert not output.exists()
    return result.stderr.decode()


@pytest.mark.parametrize("fill", [zero_filled, with_null_packets, ending_like_padding])
def test_segments_without_padding_are_taken_as_they_are(fill: Callable[[bytes], bytes], media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(unpadded_set(media, fill))
    assert_exact(origin, tmp_path / "output.mp4", source_of(media, tmp_path / "source.ts"))
    assert len(origin.requests_of("/segment-0.ts")) >= 3, "it was not fetched again"


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("number", [0, 3, 5])
def test_one_that_lacks_its_padding_once_is_fetched_again(number: int, times: int, media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(files_in(media(NAME)))
    body = files_in(media(NAME))[f"/segment-{number}.ts"]
    origin.rules[f"/segment-{number}.ts"] = Rule(body=body[:-BLOCK_BYTES], times=times)
    assert_exact(origin, tmp_path / "output.mp4", source_of(media, tmp_path / "source.ts"))


def cut_inside_a_packet(body: bytes) -> bytes:
    cut = body[: len(body) // 3 // BLOCK_BYTES * BLOCK_BYTES]
    return cut if len(cut) % PACKET_BYTES else cut[:-BLOCK_BYTES]


def cut_between_packets(body: bytes) -> bytes:
    return body[: len(body) // 3 // BOTH * BOTH]


def without_its_last_packets(body: bytes) -> bytes:
    return body[: (len(body) - 1) // BOTH * BOTH]


CUTS = [cut_inside_a_packet, cut_between_packets, without_its_last_packets]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("number", [0, 1, 3, 5])
def test_a_cut_segment_among_padded_ones_is_found(
    cut: Callable[[bytes], bytes], number: int, media: Media, serve: Serve, tmp_path: Path
) -> None:
    files = files_in(media(NAME))
    path = f"/segment-{number}.ts"
    assert len(cut(files[path])) % BLOCK_BYTES == 0
    failure(serve(files | {path: cut(files[path])}).url("/main.m3u8"), tmp_path / "output.mp4")


@pytest.mark.parametrize("cut", [cut_inside_a_packet, cut_between_packets])
@pytest.mark.parametrize("number", [0, 1, 3, 5])
def test_a_cut_segment_among_unpadded_ones_is_found(
    cut: Callable[[bytes], bytes], number: int, media: Media, serve: Serve, tmp_path: Path
) -> None:
    files = unpadded_set(media, zero_filled)
    path = f"/segment-{number}.ts"
    failure(serve(files | {path: cut(files[path])}).url("/main.m3u8"), tmp_path / "output.mp4")


@pytest.mark.parametrize("cut", CUTS)
def test_the_only_segment_is_found_if_it_is_cut(cut: Callable[[bytes], bytes], media: Media, serve: Serve, tmp_path: Path) -> None:
    number = next(number for number, clear in enumerate(clear_segments(media)) if len(clear) % BLOCK_BYTES)
    path, files = f"/segment-{number}.ts", files_in(media(NAME))
    head = f'#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{number}\n#EXT-X-KEY:METHOD=AES-128,URI="video.key"\n'
    files["/main.m3u8"] = f"{head}#EXTINF:2,\n{path[1:]}\n#EXT-X-ENDLIST\n".encode()
    right = download(serve(files).url("/main.m3u8"), tmp_path / "right.mp4")
    failure(serve(files | {path: cut(files[path])}).url("/main.m3u8"), tmp_path / "output.mp4")
    unpadded = download(serve(files | {path: unpadded_set(media, zero_filled)[path]}).url("/main.m3u8"), tmp_path / "unpadded.mp4")
    assert media_reader.hashes(unpadded) == media_reader.hashes(right)


@pytest.mark.parametrize("lost", [1, 5, 15])
def test_a_length_of_no_whole_blocks_is_cut_off(lost: int, media: Media, serve: Serve, tmp_path: Path) -> None:
    files = unpadded_set(media, zero_filled)
    short = {path: body[:-lost] for path, body in files.items() if path.startswith("/segment-")}
    assert "does not decrypt" in failure(serve(files | short).url("/main.m3u8"), tmp_path / "output.mp4")
