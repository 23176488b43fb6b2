"""The configuration file of the command line."""

import os
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.command_line import run_text

from transcoder.cli.command_line import parse
from transcoder.cli.configuration import configuration_path

Files = tuple[dict[str, bytes], Path]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / ".config").mkdir(parents=True)
    return tmp_path / "home"


def environ_of(home: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "XDG_CONFIG_HOME"} | {"HOME": str(home)}


def configure(home: Path, text: str) -> dict[str, str]:
    (home / ".config" / "transcoder.toml").write_text(text)
    return environ_of(home)


def test_options_of_the_file_come_before_those_of_the_command_line(home: Path) -> None:
    environ = configure(
        home, 'height = 720\nlayout = "plain"\n[get]\nfolder = "/videos"\nforce = true\nprogress = false\n[serve]\nport = 1'
    )
    parsed = parse(["get", "u", "--layout", "fragmented"], environ)
    assert (parsed.height, parsed.layout, parsed.folder, parsed.force, parsed.progress) == ("720", "fragmented", "/videos", True, False)
    assert parse(["./u"], environ).height == "720"
    assert parse(["serve"], environ).port == 1
    assert parse(["info", "u"], environ).height == "720"
    assert parse(["get", "u", "--no-config"], environ).height is None


def test_lists_are_options_that_are_repeated(home: Path) -> None:
    environ = configure(home, 'header = ["A: b", "C: d"]\nheader-for = [["h.example", "E: f"]]\n')
    parsed = parse(["get", "u", "--header", "G: h"], environ)
    assert (parsed.header, parsed.header_for) == (["A: b", "C: d", "G: h"], [["h.example", "E: f"]])


def test_the_file_lies_where_the_environment_says() -> None:
    assert configuration_path({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}) == Path("/x/transcoder.toml")
    assert configuration_path({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}) == Path("/h/.config/transcoder.toml")
    assert configuration_path({"HOME": "/h"}) == Path("/h/.config/transcoder.toml")
    assert configuration_path({}) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("heigth = 720", "there is no option 'heigth'; did you mean height?"),
        ("[get]\nport = 1", "there is no option 'port'"),
        ("[gte]\nheight = 1", "there is no command 'gte'; did you mean get?"),
        ("no-config = true", "there is no option 'no-config'"),
        ("height = ", "Invalid value"),
        ("height = 1979-05-27", "height is neither a text"),
    ],
)
def test_a_mistake_in_the_file_is_named(text: str, message: str, home: Path) -> None:
    completed = run_text("get", "u", environ=configure(home, text))
    assert completed.returncode == 2
    assert str(home / ".config" / "transcoder.toml") in completed.stderr
    assert message in completed.stderr


def test_the_file_counts_when_a_video_is_saved(home: Path, serve: Serve, muxed: Files, tmp_path: Path) -> None:
    url = serve(muxed[0]).url("/main.m3u8")
    environ = configure(home, f'[get]\nfolder = "{tmp_path / "videos"}"\nfilename = "film"\nquiet = true\n')
    completed = run_text("get", url, environ=environ)
    assert (completed.returncode, completed.stderr) == (0, "")
    assert media_reader.is_whole(tmp_path / "videos" / "film.mp4")
    assert run_text("--help", environ=configure(home, "nonsense")).returncode == 0
