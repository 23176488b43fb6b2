"""A file that is one segment, without a playlist, becomes an MP4 as if a playlist had it alone."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import get
from peers.origin import Rule
from peers.running_emulator import emulated, http
from peers.single_files import single_files
from peers.source_files import download, files_in

from transcoder.emulator import Options, Running

Media = Callable[[str], Path]


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with emulated(Options(environ={**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1"})) as running:
        yield running


@pytest.fixture
def files(media: Media) -> dict[str, bytes]:
    return single_files(media)


WHOLE = ["/one.ts", "/all.ts", "/one.aac", "/whole.aac", "/one.m4s", "/all.m4s"]
RULES = {
    "": Rule(),
    "without ranges": Rule(ignore_range=True, headers={"Accept-Ranges": ""}),
    "without a length": Rule(ignore_range=True, chunked=True),
    "with a type that says nothing": Rule(headers={"Content-Type": "application/octet-stream"}),
}


@pytest.mark.parametrize(
    ("path", "rule"),
    [*((path, "") for path in WHOLE), *((path, rule) for path in ("/all.ts", "/whole.aac", "/all.m4s") for rule in RULES if rule)],
)
def test_the_mp4_has_every_packet_and_says_how_long_it_is(
    path: str, rule: str, files: dict[str, bytes], serve: Serve, tmp_path: Path
) -> None:
    origin, source, output = serve(files), tmp_path / f"source{Path(path).suffix}", tmp_path / "output.mp4"
    origin.rules[path] = RULES[rule]
    source.write_bytes(files[path])
    download(origin.url(f"{path}?token=x"), output)
    assert media_reader.is_whole(output)
    assert media_reader.packet_counts(output) == media_reader.packet_counts(source)
    assert media_reader.header_duration(output) == pytest.approx(media_reader.duration(output), abs=0.05)


def test_a_local_file_and_a_clip(files: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "all.ts").write_bytes(files["/all.ts"])
    assert media_reader.packet_counts(download(str(tmp_path / "all.ts"), tmp_path / "a.mp4")) == {"video": 150, "audio": 269}
    clip = download(str(tmp_path / "all.ts"), tmp_path / "b.mp4", "--start", "2", "--end", "4", "--exact")
    assert media_reader.header_duration(clip) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("path", WHOLE)
def test_the_service_makes_one_too(path: str, files: dict[str, bytes], service: Running, serve: Serve, tmp_path: Path) -> None:
    url = serve(files).url(path)
    response = http.get(service.url + "/download", params={"url": url})
    (tmp_path / "v.mp4").write_bytes(response.content)
    assert (response.status_code, response.headers["content-type"]) == (200, "video/mp4")
    assert media_reader.is_whole(tmp_path / "v.mp4")
    report = http.get(service.url + "/info", params={"url": url}).json()
    assert report["seconds"] == pytest.approx(float(response.headers["x-content-duration"]), abs=0.1)
    unchanged = http.get(service.url + "/download", params={"url": url, "format": "file"}, headers={"Range": "bytes=0-9"})
    assert (unchanged.status_code, unchanged.content) == (206, files[path][:10])


def test_a_long_file_without_ranges_has_an_estimated_length(media: Media, serve: Serve, tmp_path: Path) -> None:
    segments = files_in(media("ts-large"))
    numbered = sorted((path for path in segments if path.endswith(".ts")), key=lambda path: (len(path), path))
    origin = serve({"/long.ts": b"".join(map(segments.__getitem__, numbered))})
    origin.rules["*"] = Rule(ignore_range=True)
    output = download(origin.url("/long.ts"), tmp_path / "v.mp4")
    assert media_reader.header_duration(output) == pytest.approx(media_reader.duration(output), rel=0.01)


@pytest.mark.parametrize("at", ["local", "origin"])
def test_a_segment_without_its_initialization_section_is_named(at: str, files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "bare.m4s").write_bytes(files["/bare.m4s"])
    result = get(serve(files).url("/bare.m4s") if at == "origin" else str(tmp_path / "bare.m4s"), tmp_path / "v.mp4")
    assert result.returncode == 3
    assert b"bare.m4s is one segment of a video, without the initialization section (moov)" in result.stderr
    assert not (tmp_path / "v.mp4").exists()


@pytest.mark.parametrize("path", ["/one.ts", "/one.aac", "/one.m4s"])
@pytest.mark.parametrize("lost", [1, 50, 0.5])
def test_a_file_that_is_cut_is_a_failure(path: str, lost: float, files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    body = files[path]
    body = body[: len(body) // 2 + 11] if lost < 1 else body[: -int(lost)]
    result = get(serve({path: body}).url(path), tmp_path / "v.mp4")
    assert (result.returncode, list(tmp_path.iterdir())) == (4, [])


@pytest.mark.parametrize("path", ["/all.ts", "/whole.aac", "/all.m4s"])
def test_a_transfer_that_stops_is_a_failure(path: str, files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    """Also where the bytes that arrive end between two packets."""
    origin = serve(files)
    origin.rules[path] = Rule(cut_after=188 * 400 if path.endswith(".ts") else len(files[path]) // 2, ignore_range=True)
    result = get(origin.url(path), tmp_path / "v.mp4")
    assert (result.returncode, list(tmp_path.iterdir())) == (4, [])


def test_packets_that_are_missing_inside_are_a_failure(files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    body = files["/all.ts"]
    lacking = body[: 188 * 300] + body[188 * 330 :]
    result = get(serve({"/a.ts": lacking}).url("/a.ts"), tmp_path / "v.mp4")
    assert (result.returncode, list(tmp_path.iterdir())) == (4, [])


def test_an_initialization_section_alone_has_no_media(files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    result = get(serve(files).url("/init.m4s"), tmp_path / "v.mp4")
    assert (result.returncode, list(tmp_path.iterdir())) == (3, [])
