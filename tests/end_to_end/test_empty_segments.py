"""A last segment that has no media, and next to no time: the output is that of the segments before it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Serve, UsualOutput
from fault_sets import encrypt
from peers import media_reader
from peers.get_command import get
from peers.origin import Origin, Rule
from peers.source_files import assert_exact, download, edited, files_in

from transcoder.core.media.mp4.boxes import box, full_box

Media = Callable[[str], Path]
PACKET_BYTES = 188
TINY = 0.02
NULL_PACKET = b"G\x1f\xff\x10" + 184 * b"\xff"
EMPTY_FRAGMENT = box(
    b"moof",
    full_box(b"mfhd", 0, 0, (99).to_bytes(4)),
    box(b"traf", full_box(b"tfhd", 0, 0x20000, (1).to_bytes(4)), full_box(b"tfdt", 1, 0, bytes(8)), full_box(b"trun", 0, 1, bytes(8))),
)
TAG = b"ID3\4\0\0\0\0\0\x0a" + bytes(10)


def with_last(files: Mapping[str, bytes], body: bytes, *, seconds: float = TINY, playlist: str = "/main.m3u8") -> dict[str, bytes]:
    """Return the files with one more segment at the end of a playlist."""
    return edited({**files, "/last": body}, playlist, "#EXT-X-ENDLIST", f"#EXTINF:{seconds},\nlast\n#EXT-X-ENDLIST")


def tables_of(media: Media) -> bytes:
    return (media("ts-muxed") / "segment-0.ts").read_bytes()[: 3 * PACKET_BYTES]


@pytest.mark.parametrize("packets", [b"", NULL_PACKET], ids=["nothing", "a null packet"])
@pytest.mark.parametrize("before", ["#EXTINF", "segment-1.ts", "#EXT-X-ENDLIST"], ids=["first", "in between", "last"])
def test_a_period_without_media_is_left_out(packets: bytes, before: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    files = {**files_in(media("ts-muxed")), "/empty.ts": packets}
    lines = files["/main.m3u8"].decode().splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith(before))
    at -= before.endswith(".ts")
    lines[at:at] = ["#EXT-X-DISCONTINUITY", f"#EXTINF:{TINY},", "empty.ts", "#EXT-X-DISCONTINUITY"]
    files["/main.m3u8"] = "\n".join(lines).encode()
    source = media_reader.concatenate(media("ts-muxed") / "main.m3u8", tmp_path / "source.ts")
    output = download(serve(files).url("/main.m3u8"), tmp_path / "output.mp4")
    assert media_reader.packet_counts(output) == media_reader.packet_counts(source)
    assert media_reader.is_whole(output)


@pytest.mark.parametrize(("packets", "seconds"), [(b"", 0), (b"", TINY), (NULL_PACKET, 0), (NULL_PACKET, 0.1)])
def test_an_empty_last_segment_is_left_out(packets: bytes, seconds: float, media: Media, serve: Serve, tmp_path: Path) -> None:
    source = media_reader.concatenate(media("ts-muxed") / "main.m3u8", tmp_path / "source.ts")
    assert_exact(serve(with_last(files_in(media("ts-muxed")), packets, seconds=seconds)), tmp_path / "output.mp4", source)


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(status=204, body=b"", headers={"Content-Length": ""}), id="204"),
        pytest.param(Rule(ignore_range=True), id="no ranges"),
        pytest.param(Rule(chunked=True, ignore_range=True), id="chunked"),
        pytest.param(Rule(gzip=True, ignore_range=True), id="compressed"),
        pytest.param(Rule(etag="", ignore_range=True, no_length=True), id="no length"),
    ],
)
def test_an_origin_may_say_in_any_way_that_there_is_nothing(rule: Rule, media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(with_last(files_in(media("ts-muxed")), b""))
    origin.rules["/last"] = rule
    source = media_reader.concatenate(media("ts-muxed") / "main.m3u8", tmp_path / "source.ts")
    assert_exact(origin, tmp_path / "output.mp4", source)
    assert len(origin.requests_of("/last")) >= 3


def test_several_segments_and_a_byte_range_may_be_empty(media: Media, serve: Serve, tmp_path: Path) -> None:
    files = with_last(with_last(files_in(media("ts-muxed")), b"", seconds=0), b"")
    entry = "#EXTINF:0.02,\n#EXT-X-BYTERANGE:0@500\nsegment-2.ts\n"
    source = media_reader.concatenate(media("ts-muxed") / "main.m3u8", tmp_path / "source.ts")
    origin = serve(edited(files, "/main.m3u8", "#EXT-X-ENDLIST", f"{entry}#EXT-X-ENDLIST"))
    assert_exact(origin, tmp_path / "output.mp4", source)


def test_tables_alone_are_fetched_again_before_they_are_believed(media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(with_last(files_in(media("ts-muxed")), tables_of(media)))
    source = media_reader.concatenate(media("ts-muxed") / "main.m3u8", tmp_path / "source.ts")
    assert_exact(origin, tmp_path / "output.mp4", source)
    assert len(origin.requests_of("/last")) == 3


def shortened(files: Mapping[str, bytes], *, times: int) -> tuple[dict[str, bytes], bytes]:
    """Return the set with a last segment that has only the last frames, and that segment."""
    last = files["/segment-2.ts"]
    starts = [at for at in range(0, len(last), PACKET_BYTES) if (last[at + 1], last[at + 2]) == (0x41, 0)]
    split = starts[-times]
    tail = last[: 3 * PACKET_BYTES] + last[split:]
    return with_last({**files, "/segment-2.ts": last[:split]}, tail, seconds=0.04 * times), tail


@pytest.mark.parametrize("odd", [b"", NULL_PACKET])
def test_a_last_segment_with_a_frame_is_in_the_output_if_it_comes_at_last(odd: bytes, media: Media, serve: Serve, tmp_path: Path) -> None:
    files, tail = shortened(files_in(media("ts-video-only")), times=2)
    origin = serve(files)
    expected = media_reader.hashes(download(origin.url("/main.m3u8"), tmp_path / "expected.mp4"))
    assert len(tail) < len(files["/segment-2.ts"])
    origin.rules["/last"] = Rule(body=odd, times=2, ignore_range=True)
    assert media_reader.hashes(download(origin.url("/main.m3u8"), tmp_path / "output.mp4")) == expected


@pytest.mark.parametrize(
    "last", [b"", EMPTY_FRAGMENT, EMPTY_FRAGMENT + box(b"mdat"), box(b"styp", b"msdh")], ids=["nothing", "moof", "moof and mdat", "styp"]
)
def test_a_last_segment_of_fragmented_mp4_may_be_empty(last: bytes, media: Media, serve: Serve, tmp_path: Path) -> None:
    source = media_reader.concatenate(media("fmp4-muxed") / "main.m3u8", tmp_path / "source.mp4")
    assert_exact(serve(with_last(files_in(media("fmp4-muxed")), last)), tmp_path / "output.mp4", source)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_empty_fragment_may_stand_beside_full_ones(number: int, media: Media, serve: Serve, tmp_path: Path) -> None:
    files, path = files_in(media("fmp4-muxed")), f"/segment-{number}.m4s"
    source = media_reader.concatenate(media("fmp4-muxed") / "main.m3u8", tmp_path / "source.mp4")
    second = files[path].index(b"moof", files[path].index(b"moof") + 4) - 4
    for at in (0, second, len(files[path])):
        body = files[path][:at] + EMPTY_FRAGMENT + files[path][at:]
        assert_exact(serve(files | {path: body}), tmp_path / f"output-{at}.mp4", source)


@pytest.mark.parametrize("playlist", ["/audio.m3u8", "/large.m3u8"])
@pytest.mark.parametrize(
    ("name", "last"), [("ts-separate-audio", b""), ("ts-separate-audio", NULL_PACKET), ("fmp4-separate-audio", EMPTY_FRAGMENT)]
)
def test_either_rendition_may_end_with_one(name: str, last: bytes, playlist: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    sources = [media_reader.concatenate(media(name) / f"{each}.m3u8", tmp_path / each) for each in ("large", "audio")]
    assert_exact(serve(with_last(files_in(media(name)), last, playlist=playlist)), tmp_path / "output.mp4", *sources)


@pytest.mark.parametrize("last", [b"", TAG])
def test_packed_audio_may_end_with_one(last: bytes, media: Media, serve: Serve, tmp_path: Path) -> None:
    (audio,) = media("packed-aac-only").glob("audio.whole.*")
    origin = serve(with_last(files_in(media("packed-aac-only")), last))
    output = download(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert media_reader.hashes(output) == media_reader.source_hashes(audio)
    assert media_reader.is_whole(output)


@pytest.mark.parametrize("clear", [None, b"", "tables"], ids=["nothing", "padding only", "tables"])
def test_an_encrypted_one_is_decrypted_first(
    clear: bytes | str | None, media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    files = files_in(media("faults-aes-ts"))
    expected = media_reader.hashes(usual_output("faults-aes-ts"))
    body = b"" if clear is None else encrypt(tables_of(media) if clear == "tables" else b"", number=6)
    origin = serve(with_last(files, body))
    assert media_reader.hashes(download(origin.url("/main.m3u8"), tmp_path / "output.mp4")) == expected


def test_one_before_a_discontinuity_is_left_out(media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path) -> None:
    files, expected = files_in(media("join-ts")), usual_output("join-ts")
    entry = f"#EXTINF:{TINY},\nlast\n#EXT-X-DISCONTINUITY\n"
    origin = serve(edited({**files, "/last": b""}, "/main.m3u8", "#EXT-X-DISCONTINUITY\n", entry))
    output = download(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert media_reader.hashes(output) == media_reader.hashes(expected)
    assert media_reader.header_duration(output) == pytest.approx(media_reader.header_duration(expected), abs=0.001)


def fails(origin: Origin, output: Path) -> str:
    result = get(origin.url("/main.m3u8"), output)
    assert result.returncode == 4, result.stderr.decode()
    assert not output.exists()
    return result.stderr.decode()


@pytest.mark.parametrize(("last", "seconds"), [(b"", 0.021), (b"", 2.0), (NULL_PACKET, 0.11), (NULL_PACKET, 2.0)])
def test_a_segment_that_should_last_longer_is_lost(last: bytes, seconds: float, media: Media, serve: Serve, tmp_path: Path) -> None:
    fails(serve(with_last(files_in(media("ts-muxed")), last, seconds=seconds)), tmp_path / "output.mp4")


def test_several_that_should_last_longer_together_are_lost(media: Media, serve: Serve, tmp_path: Path) -> None:
    files = with_last(with_last(files_in(media("ts-muxed")), NULL_PACKET, seconds=0.06), NULL_PACKET, seconds=0.06)
    fails(serve(files), tmp_path / "output.mp4")


def test_an_empty_segment_in_the_middle_is_lost(media: Media, serve: Serve, tmp_path: Path) -> None:
    files = {**files_in(media("ts-muxed")), "/empty": b""}
    origin = serve(edited(files, "/main.m3u8", r"#EXTINF:2.000000,\nsegment-1.ts", f"#EXTINF:{TINY},\nempty\n\\g<0>"))
    assert "sent nothing" in fails(origin, tmp_path / "output.mp4")


@pytest.mark.parametrize("status", [404, 410, 500])
def test_a_missing_last_segment_is_lost(status: int, media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(with_last(files_in(media("ts-muxed")), b""))
    origin.rules["/last"] = Rule(status=status)
    fails(origin, tmp_path / "output.mp4")
