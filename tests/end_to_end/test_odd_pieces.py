"""Pieces that carry something beside their media, or no media at all: the output is exact, or the source is refused with a sentence."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve, UsualOutput
from generated_video import run_ffmpeg
from peers import media_reader
from peers.get_command import get
from peers.origin import Request, Rule
from peers.source_files import assert_exact, download, edited, files_in

from transcoder.core.media.audio_headers import HEADER_READERS
from transcoder.core.media.audio_tags import tags_length

Media = Callable[[str], Path]
Muxed = tuple[dict[str, bytes], Path]
PACKET_BYTES = 188
TRAILERS = [
    pytest.param(bytes(50), id="zeros"),
    pytest.param(b"\n<!-- cached -->\n", id="text"),
    pytest.param(bytes(20_000), id="many zeros"),
]


def segments_of(files: dict[str, bytes], *, suffix: str = ".ts") -> list[str]:
    """Return the paths of the segments, in order."""
    return sorted((path for path in files if path.endswith(suffix)), key=lambda path: (len(path), path))


def is_for_all(request: Request) -> bool:
    """Tell whether a request is for a whole segment, and not for its first or last bytes."""
    return "range" not in request.headers


def refusal(url: str, output: Path, *options: str) -> str:
    """Run `transcoder get`, which must refuse the source before it writes anything; return what it says."""
    result = get(url, output, *options)
    assert result.returncode == 3, result.stderr.decode()
    assert not output.exists()
    return result.stderr.decode()


def failure(url: str, output: Path) -> str:
    """Run `transcoder get`, which must fail because the origin has not the whole source; return what it says."""
    result = get(url, output)
    assert result.returncode == 4, result.stderr.decode()
    assert not output.exists()
    return result.stderr.decode()


@pytest.mark.parametrize("trailer", TRAILERS)
@pytest.mark.parametrize("which", [slice(None), slice(1, 2), slice(-1, None)], ids=["all", "one", "the last"])
def test_bytes_after_the_last_packet_are_left_out(trailer: bytes, which: slice, muxed: Muxed, serve: Serve, tmp_path: Path) -> None:
    files, source = muxed
    names = segments_of(files)
    origin = serve(files | {path: files[path] + trailer for path in names[which]})
    assert_exact(origin, tmp_path / "output.mp4", source)
    assert len(list(filter(is_for_all, origin.requests_of(names[which][0])))) == 3


def test_a_segment_with_bytes_after_its_last_packet_is_fetched_again(muxed: Muxed, serve: Serve, tmp_path: Path) -> None:
    files, source = muxed
    origin = serve(files)
    second = segments_of(files)[1]
    origin.rules[second] = Rule(body=files[second] + bytes(50), times=1, when=is_for_all)
    assert_exact(origin, tmp_path / "output.mp4", source)
    assert len(list(filter(is_for_all, origin.requests_of(second)))) == 2


def test_a_last_segment_that_is_longer_than_the_playlist_says_is_fetched_once(muxed: Muxed, serve: Serve, tmp_path: Path) -> None:
    """As in every playlist of ffmpeg's whose frames are decoded in another order than they are shown in."""
    files, source = muxed
    origin = serve(edited(files, "/main.m3u8", r"2\.000000,(?=\n.*\n#EXT-X-ENDLIST)", "1.920000,"))
    assert_exact(origin, tmp_path / "output.mp4", source)
    assert len(list(filter(is_for_all, origin.requests_of(segments_of(files)[-1])))) == 1


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(lambda body: body[:-PACKET_BYTES] + body[-PACKET_BYTES:-50], id="a cut packet"),
        pytest.param(lambda body: body[:-20_000] + bytes(20_000), id="zeros in the place of the end"),
        pytest.param(lambda body: body[: len(body) // 2] + b"<p>Out of memory</p>", id="a message in the place of the rest"),
        pytest.param(lambda body: body + bytes(50) + body[-PACKET_BYTES:], id="a packet after other bytes"),
    ],
)
def test_a_part_that_is_missing_before_other_bytes_is_found(
    damaged: Callable[[bytes], bytes], number: int, muxed: Muxed, serve: Serve, tmp_path: Path
) -> None:
    files, _ = muxed
    path = segments_of(files)[number]
    failure(serve(files | {path: damaged(files[path])}).url("/main.m3u8"), tmp_path / "output.mp4")


def test_transport_packets_of_another_length_are_named(muxed: Muxed, serve: Serve, tmp_path: Path) -> None:
    files, _ = muxed
    names = segments_of(files)
    split = {path: [files[path][at : at + PACKET_BYTES] for at in range(0, len(files[path]), PACKET_BYTES)] for path in names}
    timed = {path: b"".join(number.to_bytes(4, "big") + packet for number, packet in enumerate(packets)) for path, packets in split.items()}
    assert "packets have 192 bytes" in refusal(serve(files | timed).url("/main.m3u8"), tmp_path / "output.mp4")


TITLE = b"ID3\4\0\0\0\0\0\x19TXXX\0\0\0\x0f\0\0\3title\0On air!!"
ID3V1 = b"TAG" + bytes(125)


def with_tags(codec: str, segment: bytes) -> bytes:
    """Return a packed audio segment with a tag after its first frame, and two after its last one."""
    tags = tags_length(segment, whole=True) or 0
    header = HEADER_READERS[codec](segment, tags)
    assert header
    at = tags + header.length
    return segment[:at] + TITLE + segment[at:] + TITLE + ID3V1


@pytest.mark.parametrize("name", ["packed-aac", "packed-aac-untimed", "packed-mp3", "packed-ac3", "packed-eac3"])
def test_packed_audio_may_have_tags_between_its_frames_and_after_them(
    name: str, media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    files, codec = files_in(media(name)), name.split("-")[1]
    expected = media_reader.hashes(usual_output(name))
    tagged = {path: with_tags(codec, body) for path, body in files.items() if re.match(r"/audio-\d", path)}
    assert len(tagged) > 2
    output = download(serve(files | tagged).url("/main.m3u8"), tmp_path / "output.mp4")
    assert media_reader.hashes(output) == expected
    assert media_reader.is_whole(output)


@pytest.mark.parametrize("number", [0, 1])
def test_packed_audio_with_the_next_segment_in_it_is_found(number: int, media: Media, serve: Serve, tmp_path: Path) -> None:
    files = files_in(media("packed-aac"))
    doubled = files[f"/audio-{number}.aac"] + files[f"/audio-{number + 1}.aac"]
    failure(serve(files | {f"/audio-{number}.aac": doubled}).url("/main.m3u8"), tmp_path / "output.mp4")


def beyond_its_file(files: dict[str, bytes], more: int, *, playlist: str = "/main.m3u8") -> dict[str, bytes]:
    """Return the files with a last byte range that is longer by `more` bytes than what the file has of it."""
    last = re.findall(r"BYTERANGE:(\d+)", files[playlist].decode())[-1]
    return edited(files, playlist, rf"BYTERANGE:{last}\b", f"BYTERANGE:{int(last) + more}")


RANGES, NO_VALIDATORS, NO_RANGES = Rule(), Rule(etag=""), Rule(ignore_range=True)


# All pairs: how far, how the origin answers, and what is in the file are looked at in different places.
@pytest.mark.parametrize(
    ("name", "rule", "more"),
    [
        *(("ts-byterange", RANGES, 1), ("ts-byterange", NO_VALIDATORS, 1000), ("ts-byterange", NO_RANGES, 1_000_000)),
        *(("ts-byterange", RANGES, 1000), ("ts-byterange", NO_RANGES, 1)),
        *(("fmp4-byterange", NO_VALIDATORS, 1), ("fmp4-byterange", NO_RANGES, 1000), ("fmp4-byterange", RANGES, 1_000_000)),
        ("fmp4-byterange", NO_VALIDATORS, 1_000_000),
    ],
)
def test_the_last_byte_range_may_reach_beyond_the_end_of_the_file(  # what, how far, how, and three fixtures
    name: str, rule: Rule, more: int, media: Media, serve: Serve, tmp_path: Path
) -> None:
    source = media_reader.concatenate(media(name) / "main.m3u8", tmp_path / "source")
    files = files_in(media(name))
    origin = serve(beyond_its_file(files, more))
    origin.rules |= {path: rule for path in files if not path.endswith(".m3u8")}
    assert_exact(origin, tmp_path / "output.mp4", source)


def test_the_last_byte_range_of_packed_audio_may_reach_beyond_the_end_too(
    media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    files = files_in(media("packed-aac-byterange"))
    expected = media_reader.hashes(usual_output("packed-aac-byterange"))
    origin = serve(beyond_its_file(files, 500, playlist="/audio.m3u8"))
    assert media_reader.hashes(download(origin.url("/main.m3u8"), tmp_path / "output.mp4")) == expected


@pytest.mark.parametrize(
    ("name", "kept", "more"),
    [("ts-byterange", 0.2, 1), ("ts-byterange", 0.99, 1000), ("fmp4-byterange", 0.9, 1), ("fmp4-byterange", 0.99, 1000)],
)
def test_a_file_that_lacks_its_end_is_found(name: str, kept: float, more: int, media: Media, serve: Serve, tmp_path: Path) -> None:
    """The last byte range reaches beyond the end of a part, too; what is there of it is no whole segment."""
    files = files_in(media(name))
    (path,) = (path for path in files if path.endswith((".ts", ".mp4")))
    last = int(re.findall(r"BYTERANGE:(\d+)", files["/main.m3u8"].decode())[-1])
    end = len(files[path]) - round(last * (1 - kept))
    for cut in {end, end // PACKET_BYTES * PACKET_BYTES}:
        origin = serve(beyond_its_file(files, more) | {path: files[path][:cut]})
        failure(origin.url("/main.m3u8"), tmp_path / "output.mp4")


@pytest.mark.parametrize("times", [1, 3])
def test_a_byte_range_that_is_cut_is_fetched_again(times: int, media: Media, serve: Serve, tmp_path: Path) -> None:
    files = files_in(media("ts-byterange"))
    source = media_reader.concatenate(media("ts-byterange") / "main.m3u8", tmp_path / "source")
    (path,) = (path for path in files if path.endswith((".ts", ".mp4")))
    origin = serve(beyond_its_file(files, 1000))
    last = len(files[path]) - int(re.findall(r"BYTERANGE:(\d+)", files["/main.m3u8"].decode())[-1])
    # Only responses for the last range: if those for others told another length of the file after the output began, it would have changed.
    begins = re.compile(rf"bytes={last}-")
    origin.rules[path] = Rule(body=files[path][:-50_000], times=times, when=lambda request: bool(begins.match(request.headers["range"])))
    assert_exact(origin, tmp_path / "output.mp4", source)


@pytest.mark.parametrize("sample_rate", [8000, 11025, 12000, 16000])
def test_mp3_of_low_sampling_rates_is_copied(sample_rate: int, serve: Serve, tmp_path: Path) -> None:
    """Those below 16 kHz are MPEG-2.5, which ffmpeg writes into an MP4 only if it may deviate from the standard."""
    source = tmp_path / "segment.mp3"
    words = ("-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3")
    run_ffmpeg("-f", "lavfi", "-i", f"sine=440:r={sample_rate}:d=3", *words, source)
    listed = b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nsegment.mp3\n#EXT-X-ENDLIST\n"
    origin = serve({"/main.m3u8": listed, "/segment.mp3": source.read_bytes()})
    for extension in ("mp4", "mp3"):
        output = download(origin.url("/main.m3u8"), tmp_path / f"output.{extension}", "--format", extension)
        assert media_reader.hashes(output) == media_reader.hashes(source)
        assert media_reader.duration(output) == pytest.approx(3, abs=0.2)
    output = download(origin.url("/main.m3u8"), tmp_path / "output.m4a", "--format", "m4a")
    assert media_reader.duration(output) == pytest.approx(3, abs=0.4)
