"""Values as people write them on a command line, and what is written in place of what cannot be had."""

from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.command_line import run
from peers.get_command import get
from peers.running_emulator import emulated

from transcoder.cli.arguments import service_address
from transcoder.core.request.output_format import FileFormat
from transcoder.emulator import Options
from transcoder.errors import BadRequestError
from transcoder.local.output_name import check_output_name
from transcoder.local.source import web_address


def test_an_address_needs_no_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my.videos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert web_address("example.com/a.m3u8") == "https://example.com/a.m3u8"
    assert web_address("EXAMPLE.com:8443/a/b?c=d") == "https://EXAMPLE.com:8443/a/b?c=d"
    assert web_address("http://example.com/a.m3u8") == "http://example.com/a.m3u8"
    for path in ("my.videos/none.m3u8", "main.m3u8", "videos/main.m3u8", "./a.b/main.m3u8"):
        assert web_address(path) == path


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("video.example.com", "https://video.example.com"),
        ("video.example.com/download", "https://video.example.com/download"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000/", "http://127.0.0.1:8000/"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("127.0.0.1.example.com", "https://127.0.0.1.example.com"),
        ("http://video.example.com", "http://video.example.com"),
        ("https://localhost:8000", "https://localhost:8000"),
        ("nas:8000/x", "https://nas:8000/x"),
        ("nonsense", "nonsense"),
    ],
)
def test_the_address_of_a_function_needs_no_scheme(text: str, address: str) -> None:
    assert service_address(text) == address


def test_a_function_on_this_machine_is_called_without_a_scheme(serve: Serve, muxed: tuple[dict[str, bytes], Path], tmp_path: Path) -> None:
    url = serve(muxed[0]).url("/main.m3u8")
    with emulated(Options(environ={"TRANSCODER_ALLOW_PRIVATE": "1"})) as running:
        address = running.url.removeprefix("http://")
        assert get(url, tmp_path / "get.mp4", "--via", address).returncode == 0
        assert run("invoke", url, "--url", address, "-o", str(tmp_path / "invoke.mp4")).returncode == 0
    assert media_reader.is_whole(tmp_path / "get.mp4")
    assert (tmp_path / "get.mp4").read_bytes() == (tmp_path / "invoke.mp4").read_bytes()


def test_height_and_size_are_read_as_people_write_them(serve: Serve, muxed: tuple[dict[str, bytes], Path], tmp_path: Path) -> None:
    url = serve(muxed[0]).url("/main.m3u8")
    assert get(url, tmp_path / "video.mp4", "--height", "720p").returncode == 0
    refused = get(url, tmp_path / "small.mp4", "--height", "tall")
    assert (refused.returncode, b"'tall' is not a number of pixels, such as 720." in refused.stderr) == (2, True)
    refused = get(url, tmp_path / "small.mp4", "--fit", "8MX")
    assert (refused.returncode, b"write it like 8MB (10^6 bytes) or 8MiB (2^20)." in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "file_format", "remedy"),
    [
        ("x.mkv", FileFormat.MP4, "MP4 is written, not MKV; name it x.mp4."),
        ("a/x.y.WEBM", FileFormat.MP4, "MP4 is written, not WEBM; name it a/x.y.mp4."),
        ("x.mp3", FileFormat.MP4, "MP4 is written, not MP3; use --format mp3."),
        ("x.m4a", FileFormat.MP4, "MP4 is written, not M4A; use --format m4a."),
        ("x.mp4", FileFormat.MP3, "MP3 is written, not MP4; leave out --format mp3."),
        ("x.wav", FileFormat.MP3, "MP3 is written, not WAV; name it x.mp3."),
    ],
)
def test_a_name_that_promises_another_format_is_refused(name: str, file_format: FileFormat, remedy: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        check_output_name(name, file_format)
    assert str(refused.value) == f"-o {name}: {remedy}"


@pytest.mark.parametrize(
    ("name", "file_format"),
    [
        ("x.mp4", FileFormat.MP4),
        ("x.M4V", FileFormat.MP4),
        ("x", FileFormat.MP4),
        ("x.part", FileFormat.MP4),
        ("x.mp4", FileFormat.M4A),
        ("x.webm", FileFormat.FILE),
    ],
)
def test_other_names_are_the_users_own(name: str, file_format: FileFormat) -> None:
    check_output_name(name, file_format)


def test_get_writes_nothing_under_a_name_of_another_format(serve: Serve, muxed: tuple[dict[str, bytes], Path], tmp_path: Path) -> None:
    origin = serve(muxed[0])
    completed = get(origin.url("/main.m3u8"), tmp_path / "x.mkv")
    assert (completed.returncode, b"MP4 is written, not MKV" in completed.stderr) == (2, True)
    assert not list(tmp_path.glob("*x.m*"))
    assert not [request for request in origin.requests if request.path.endswith(".ts")]
    assert get(origin.url("/main.m3u8"), tmp_path / "x.mp3", "--format", "mp3").returncode == 0


def test_a_file_that_is_saved_as_it_is_keeps_its_extension(serve: Serve, tmp_path: Path) -> None:
    content = b"\x1a\x45\xdf\xa3" + bytes(1000)  # as a WebM begins
    origin = serve({"/v.webm": content})
    assert get(origin.url("/v.webm"), tmp_path / "x.webm").returncode == 0
    assert (tmp_path / "x.webm").read_bytes() == content


def test_audio_that_cannot_be_selected_is_refused(serve: Serve, muxed: tuple[dict[str, bytes], Path], tmp_path: Path) -> None:
    completed = get(serve(muxed[0]).url("/main.m3u8"), tmp_path / "x.mp4", "--audio", "de")
    assert (completed.returncode, b"none can be selected; leave out --audio" in completed.stderr) == (3, True)
    assert not list(tmp_path.glob("*x.m*"))
    assert get(serve(muxed[0]).url("/main.m3u8"), tmp_path / "x.mp4").returncode == 0
    assert media_reader.is_whole(tmp_path / "x.mp4")
