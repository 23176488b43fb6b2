"""Segments in containers that HLS does not use: a refusal that names the container, and not a fault of the origin."""

from pathlib import Path

import pytest
from conftest import Serve
from generated_video import run_ffmpeg
from peers.application import ask
from peers.get_command import get

from transcoder.settings import Settings

CLUSTER = b"\x1f\x43\xb6\x75"
PICTURES, SOUND = ("-f", "lavfi", "-i", "testsrc2=s=64x36:r=10:d=1"), ("-f", "lavfi", "-i", "sine=d=1")


def encode(file: Path, *arguments: str) -> bytes:
    run_ffmpeg(*arguments, file)
    return file.read_bytes()


def media_playlist(*lines: str) -> bytes:
    return "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:1", *lines, "#EXT-X-ENDLIST", ""]).encode()


def assert_refused(files: dict[str, bytes], name: str, serve: Serve, tmp_path: Path) -> None:
    origin = serve(files)
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert (result.returncode, f"The source's segments are {name}" in result.stderr.decode()) == (3, True), result.stderr.decode()
    answer = ask(f"/download?url={origin.url('/main.m3u8')}", settings=Settings(allow_private=True))
    assert answer.problem[:2] == (422, "unsupported-source")
    assert not (tmp_path / "output.mp4").exists()


@pytest.fixture
def webm(tmp_path: Path) -> bytes:
    """Return a WebM of one second, with video and audio."""
    return encode(tmp_path / "whole.webm", *PICTURES, *SOUND, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus")


def test_webm_with_an_initialization_section(webm: bytes, serve: Serve, tmp_path: Path) -> None:
    at = webm.index(CLUSTER)
    playlist = media_playlist('#EXT-X-MAP:URI="init.webm"', "#EXTINF:1.0,", "0.webm")
    assert_refused({"/main.m3u8": playlist, "/init.webm": webm[:at], "/0.webm": webm[at:]}, "WebM", serve, tmp_path)


def test_webm_as_byte_ranges(webm: bytes, serve: Serve, tmp_path: Path) -> None:
    at = webm.index(CLUSTER)
    section = f'#EXT-X-MAP:URI="all.webm",BYTERANGE="{at}@0"'
    playlist = media_playlist(section, "#EXTINF:1.0,", f"#EXT-X-BYTERANGE:{len(webm) - at}@{at}", "all.webm")
    assert_refused({"/main.m3u8": playlist, "/all.webm": webm}, "WebM", serve, tmp_path)


def test_webm_in_each_segment(webm: bytes, serve: Serve, tmp_path: Path) -> None:
    playlist = media_playlist("#EXTINF:1.0,", "0.webm", "#EXTINF:1.0,", "1.webm")
    assert_refused({"/main.m3u8": playlist, "/0.webm": webm, "/1.webm": webm}, "WebM", serve, tmp_path)


@pytest.mark.parametrize(
    ("suffix", "arguments", "name"),
    [
        ("mkv", (*PICTURES, "-c:v", "libx264"), "WebM or Matroska"),
        ("flv", (*PICTURES, "-c:v", "libx264"), "FLV"),
        ("avi", (*PICTURES, "-c:v", "libx264"), "AVI"),
        ("ogg", (*SOUND, "-c:a", "libvorbis"), "Ogg"),
        ("wav", SOUND, "WAV"),
        ("asf", (*PICTURES, "-c:v", "wmv2"), "ASF"),
        ("mpg", (*PICTURES, "-r", "25", "-c:v", "mpeg1video"), "an MPEG program stream"),
        ("m2v", (*PICTURES, "-r", "25", "-c:v", "mpeg2video"), "MPEG video without a container"),
    ],
)
def test_each_other_container_is_named(suffix: str, arguments: tuple[str, ...], name: str, serve: Serve, tmp_path: Path) -> None:
    body = encode(tmp_path / f"whole.{suffix}", *arguments)
    assert_refused({"/main.m3u8": media_playlist("#EXTINF:1.0,", f"0.{suffix}"), f"/0.{suffix}": body}, name, serve, tmp_path)


def test_webm_as_separate_audio(webm: bytes, serve: Serve, tmp_path: Path) -> None:
    video = encode(tmp_path / "video.ts", *PICTURES, "-c:v", "libx264", "-f", "mpegts")
    main = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="audio.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nvideo.m3u8\n'
    playlists = {
        "/main.m3u8": main.encode(),
        "/video.m3u8": media_playlist("#EXTINF:1.0,", "0.ts"),
        "/audio.m3u8": media_playlist("#EXTINF:1.0,", "0.webm"),
    }
    assert_refused({**playlists, "/0.ts": video, "/0.webm": webm}, "WebM", serve, tmp_path)
