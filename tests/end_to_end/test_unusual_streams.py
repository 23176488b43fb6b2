"""Unusual streams as found in the wild, such as encrypted segments and packed audio: the output is exact, or the stream is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve, UsualOutput
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from fuzz.media_pieces import ADTS, timestamp
from fuzz.registry import PARSERS
from peers import media_reader
from peers.av_sync import beep_delays, beeps
from peers.get_command import get
from peers.origin import Rule
from peers.source_files import assert_exact, download, edited, files_in

LIST_OF_ONE = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("name", ["aes-ts", "aes-fmp4"])
def test_aes_128_with_rotating_keys_is_decrypted(name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    source = media_reader.concatenate(folder / "clear.m3u8", tmp_path / "source")
    assert_exact(serve(folder), tmp_path / "output.mp4", source)


def test_keys_may_be_behind_redirects_and_in_data_urls(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder = media("aes-ts")
    key = (folder / "b.key").read_bytes().hex()
    percent = "".join(f"%{key[at : at + 2]}" for at in range(0, 32, 2))
    files = edited(files_in(folder), "/main.m3u8", 'URI="b.key"', f'URI="data:application/octet-stream,{percent}"')
    origin = serve(files)
    origin.rules["/a.key"] = Rule(redirect="/moved.key")
    origin.files = {**files, "/moved.key": files["/a.key"]}
    assert_exact(origin, tmp_path / "output.mp4", media_reader.concatenate(folder / "clear.m3u8", tmp_path / "source"))


@pytest.mark.parametrize("key", [b"", b"too short", b"k" * 17, b"wrong, 16 bytes."])
def test_an_invalid_or_wrong_key_is_a_failure(key: bytes, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve({**files_in(media("aes-ts")), "/b.key": key})
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode in {3, 4}
    assert not (tmp_path / "output.mp4").exists()


def test_encrypted_segments_of_several_fragments_are_fetched_to_their_end(
    media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    """The first bytes of an encrypted segment are shorter once decrypted, which does not mean that they are a whole segment."""
    files, key, iv = files_in(media("fmp4-flac")), bytes(range(16)), bytes(range(16, 32))
    encrypted = {path: encrypt(key, iv, data) if path.endswith(".m4s") else data for path, data in files.items()}
    tag = f'#EXT-X-KEY:METHOD=AES-128,URI="a.key",IV=0x{iv.hex()}'
    origin = serve(edited({**encrypted, "/a.key": key}, "/main.m3u8", "(?<=\n)#EXTINF", f"{tag}\n#EXTINF"))
    assert_exact(origin, tmp_path / "output.mp4", media_reader.concatenate(media("fmp4-flac") / "main.m3u8", tmp_path / "source.mp4"))


def encrypt(key: bytes, iv: bytes, clear: bytes) -> bytes:
    """Encrypt with AES-128 in CBC mode, with the padding that HLS requires."""
    padder, cipher = PKCS7(128).padder(), Cipher(AES(key), CBC(iv)).encryptor()
    return cipher.update(padder.update(clear) + padder.finalize()) + cipher.finalize()


@pytest.mark.parametrize("name", ["packed-aac", "packed-aac-byterange", "packed-mp3", "packed-ac3", "packed-eac3"])
def test_packed_audio_is_placed_by_its_id3_timestamp(name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder, output = media(name), tmp_path / "output.mp4"
    result = get(serve(folder).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    video = media_reader.concatenate(folder / "video.m3u8", tmp_path / "video.ts")
    (audio,) = folder.glob("audio.whole.*")
    assert media_reader.hashes(output)["video"] == media_reader.source_hashes(video)["video"]
    assert media_reader.hashes(output)["audio"] == media_reader.source_hashes(audio)["audio"]
    assert max(map(abs, beep_delays(output))) < 0.012
    assert media_reader.is_whole(output)


def with_timestamps_moved(files: dict[str, bytes], *seconds: float) -> dict[str, bytes]:
    """Return the files with the ID3 timestamp of each segment of packed audio moved."""
    owner, moved = b"com.apple.streaming.transportStreamTimestamp\0", dict(files)
    for path, body in files.items():
        if match := re.fullmatch(r"/audio-(\d+)\.\w+", path):
            at = body.index(owner) + len(owner)
            ticks = int.from_bytes(body[at : at + 8]) + round(seconds[int(match[1])] * 90_000)
            moved[path] = body[:at] + ticks.to_bytes(8) + body[at + 8 :]
    return moved


@pytest.mark.parametrize("name", ["packed-aac", "packed-mp3", "packed-ac3", "packed-eac3"])
@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        pytest.param((0.0, 0.1, 0.2), (0.0, 0.1, 0.2), id="holes at each border"),
        pytest.param((0.0, 0.0, 1.9), (0.0, 0.0, 1.9), id="a long hole"),
        pytest.param((0.0, 0.04, 0.0), (0.0, 0.0, 0.0), id="times that are not exact"),
    ],
)
def test_time_that_packed_audio_leaves_out_stays(  # noqa: PLR0913  # a set, a case, and four fixtures
    name: str,
    moved: tuple[float, ...],
    expected: tuple[float, ...],
    *,
    media: Callable[[str], Path],
    usual_output: UsualOutput,
    serve: Serve,
    tmp_path: Path,
) -> None:
    files = files_in(media(name))
    usual = media_reader.presentation_times(usual_output(name))
    output = download(serve(with_timestamps_moved(files, *moved)).url("/main.m3u8"), tmp_path / "output.mp4")
    times = media_reader.presentation_times(output)
    assert times["video"] == usual["video"]
    first = len(times["audio"]) * 2 // 5  # well inside the second segment
    for index, later in ((0, expected[0]), (first, expected[1]), (-1, expected[2])):
        assert times["audio"][index] - usual["audio"][index] == pytest.approx(later, abs=0.001)
    assert len(times["audio"]) == len(usual["audio"])
    assert media_reader.header_duration(output) == pytest.approx(media_reader.duration(output), abs=0.1)


@pytest.mark.parametrize("options", [("--exact", "--start", "0", "--end", "6"), ("--format", "mp3"), ("--format", "m4a")])
def test_time_that_packed_audio_leaves_out_stays_in_other_formats(
    options: tuple[str, ...], media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    files = with_timestamps_moved(files_in(media("packed-aac")), 0.0, 0.0, 0.5)
    output = download(serve(files).url("/main.m3u8"), tmp_path / f"output.{'mp3' if 'mp3' in options else 'mp4'}", *options)
    expected = [beep - (0.3 if "--format" in options else 0.0) + (0.5 if beep > 4.2 else 0.0) for beep in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert beeps(output)[:5] == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("moved", [(0.0, -0.1, -0.2), (0.0, -0.3, -0.3), (0.0, 0.0, -0.6)])
def test_packed_audio_that_overlaps_beside_video_is_refused(
    moved: tuple[float, ...], media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    origin = serve(with_timestamps_moved(files_in(media("packed-aac")), *moved))
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert (result.returncode, b"do not restart at the same place" in result.stderr) == (4, True), result.stderr.decode()


def test_packed_audio_without_video_is_downloaded(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder, output = media("packed-aac-only"), tmp_path / "output.mp4"
    result = get(serve(folder).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    (audio,) = folder.glob("audio.whole.*")
    assert media_reader.hashes(output) == media_reader.source_hashes(audio)


def without(segment: bytes, *pids: int) -> bytes:
    """Return a transport stream without the packets of some PIDs."""
    packets = (segment[at : at + 188] for at in range(0, len(segment), 188))
    return b"".join(packet for packet in packets if (packet[1] & 0x1F) << 8 | packet[2] not in pids)


TABLE_PIDS = (0x00, 0x11, 0x1000)
VIDEO_PID, AUDIO_PID = 0x100, 0x101


@pytest.mark.parametrize("late", [VIDEO_PID, AUDIO_PID])
def test_a_stream_that_starts_in_a_later_segment_is_in_the_output(
    late: int, muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path
) -> None:
    files, _ = muxed
    first = next(path for path in sorted(files) if path.endswith(".ts"))
    files = {**files, first: without(files[first], late)}
    for path, content in files.items():
        (tmp_path / path[1:]).write_bytes(content)
    assert_exact(serve(files), tmp_path / "output.mp4", media_reader.concatenate(tmp_path / "main.m3u8", tmp_path / "source"))


def test_a_stream_that_starts_too_late_is_a_failure(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    files = files_in(media("ts-muxed"))
    names = sorted(path for path in files if path.endswith(".ts"))
    silent = {f"/silent-{number}.ts": without(files[names[0]], AUDIO_PID) for number in range(9)}
    listed = "".join(f"#EXTINF:2.0,\n{path[1:]}\n" for path in [*silent, names[1]])
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{listed}#EXT-X-ENDLIST\n"
    result = get(serve({**files, **silent, "/late.m3u8": text.encode()}).url("/late.m3u8"), tmp_path / "output.mp4")
    assert result.returncode in {3, 4}, result.stderr.decode()
    assert not (tmp_path / "output.mp4").exists()


def test_each_segment_may_have_its_own_initialization_section(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder = media("fmp4-byterange")
    text = (folder / "main.m3u8").read_text()
    name = re.findall(r"^[^#].*$", text, re.MULTILINE)[0]
    whole = (folder / name).read_bytes()
    ranges = [(int(length), int(start)) for length, start in re.findall(r"BYTERANGE:(\d+)@(\d+)", text)]
    # Each segment is longer than the part of its end that is probed for its last timestamps.
    segments = [whole[: ranges[0][1]] + whole[start : start + length] + b"\0\4\0\0free" + bytes(0x40000 - 8) for length, start in ranges]
    listed = "".join(f"#EXTINF:2.0,\n{number}.m4s\n" for number in range(len(segments)))
    files = {f"/{number}.m4s": segment for number, segment in enumerate(segments)}
    files["/main.m3u8"] = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{listed}#EXT-X-ENDLIST\n".encode()
    assert_exact(serve(files), tmp_path / "output.mp4", media_reader.concatenate(folder / "main.m3u8", tmp_path / "source"))


@pytest.mark.parametrize("in_map", [True, False])
def test_program_tables_may_occur_only_once(in_map: bool, muxed: tuple[dict[str, bytes], Path], serve: Serve, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    files, source = muxed
    names = sorted(path for path in files if path.endswith(".ts"))
    tables = files[names[0]][: 3 * 188]
    without_tables = {path: without(files[path], *TABLE_PIDS) for path in names[0 if in_map else 1 :]}
    files = {**files, **without_tables, "/tables.ts": tables}
    if in_map:
        files = edited(files, "/main.m3u8", r"\A((?:#.*\n)*?)#EXTINF", '\\1#EXT-X-MAP:URI="tables.ts"\n#EXTINF')
    assert_exact(serve(files), tmp_path / "output.mp4", source)


def test_a_timestamp_wraparound_is_not_a_discontinuity(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder, output = media("ts-wrap"), tmp_path / "output.mp4"
    result = get(serve(folder).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    source = media_reader.concatenate(folder / "main.m3u8", tmp_path / "source.ts")
    assert media_reader.hashes(output) == media_reader.source_hashes(source)
    assert media_reader.header_duration(output) == pytest.approx(media_reader.duration(output), abs=0.1)
    assert max(map(abs, beep_delays(output))) < 0.012


@pytest.mark.parametrize(("requested", "served"), [(1, 0), (1, 2), (2, 0), (2, 4)])
def test_a_segment_with_the_content_of_another_is_a_failure(
    requested: int, served: int, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    """The origin serves another segment of the same stream, and more segments follow."""
    files = files_in(media("ts-large"))
    text = files["/main.m3u8"].decode()
    head, *entries = re.split(r"(?=#EXTINF)", text)
    names = re.findall(r"^[^#\n]+\.ts$", text, re.MULTILINE)
    short = {f"/{name}": files[f"/{name}"] for name in names[:6]}
    playlist = head + "".join(entries[:6]) + "#EXT-X-ENDLIST\n"
    swapped = {**short, f"/{names[requested]}": short[f"/{names[served]}"], "/main.m3u8": playlist.encode()}
    result = get(serve(swapped).url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 4
    assert not (tmp_path / "output.mp4").exists()


def test_audio_of_which_no_frame_is_found_is_the_sources_fault(serve: Serve, tmp_path: Path) -> None:
    body = PARSERS["ts"].runs["audio that never has a frame"](100_000)
    result = get(serve({"/main.m3u8": LIST_OF_ONE, "/a.ts": body}).url("/main.m3u8"), tmp_path / "output.mp4")
    assert (result.returncode, list(tmp_path.iterdir())) == (3, [])
    assert b"nothing that says how to decode it" in result.stderr


def test_audio_that_cannot_be_decoded_is_the_sources_fault(serve: Serve, tmp_path: Path) -> None:
    body = timestamp() + 200 * (ADTS[:7] + b"\xff" * (len(ADTS) - 7))
    playlist = LIST_OF_ONE.replace(b"a.ts", b"a.aac")
    result = get(serve({"/main.m3u8": playlist, "/a.aac": body}).url("/main.m3u8"), tmp_path / "output.mp3", "--format", "mp3")
    assert (result.returncode, list(tmp_path.iterdir())) == (4, [])
    assert b"most of it cannot be decoded" in result.stderr
