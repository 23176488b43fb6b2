"""The configuration file of the command line."""

import json
import os
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.command_line import run_text

from transcoder.cli.command_line import parse
from transcoder.cli.configuration import configuration_path
from transcoder.cli.origin_options import origin_choices
from transcoder.errors import BadRequestError

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
        ("get = 5", "get is a command; its options belong under the heading [get]"),
        ("[[get]]\nheight = 720", "get is a command; its options belong under the heading [get]"),
        ("no-config = true", "there is no option 'no-config'"),
        ("height = ", "Invalid value"),
        ("height = 1979-05-27", "height must be a text or a number, not 1979-05-27"),
        ("height = [180, 360]", "height must be one value, not a list"),
        ('folder = ["/a"]', "folder must be one value, not a list"),
        ("[get]\nquiet = [true]", "quiet must be true or false"),
        ('quiet = "yes"', "quiet must be true or false, not 'yes'"),
        ("layout = true", "layout must be a text or a number, not true"),
        ('header-for = ["h.example", "E: f"]', "each entry of header-for must be a list of 2 texts"),
        ("progress = true\nno-progress = true", "no-progress and its opposite are both there"),
        ('height = "tall"', "height: 'tall' is not a number of pixels"),
        ("header = 'Referer'", "--header: a header must have the form"),
        ("cookies = '/none.txt'", "--cookies /none.txt: No such file"),
        ("ca-file = '/none.pem'", "--ca-file /none.pem: No such file"),
        ("proxy = 'socks5://a'", "--proxy: SOCKS proxies"),
        ("folder = '/proc/none'", "-P /proc/none: "),
        ("start = 3\nend = 2", "start: 3 s is not before the end at 2 s"),
        ("quiet = true\nverbose = true", "--quiet: it cannot be combined with --verbose"),
        ("height = 1\n[get]\nlayout = 3\n", "layout: '3' is not one of"),
    ],
)
def test_a_mistake_in_the_file_is_named(text: str, message: str, home: Path) -> None:
    completed = run_text("get", "https://127.0.0.1:9/u", environ=configure(home, text))
    assert completed.returncode == (6 if "folder = '" in text else 2)
    assert f"{home}/.config/transcoder.toml: " in completed.stderr
    assert message in completed.stderr


def test_a_mistake_of_the_command_line_is_not_blamed_on_the_file(home: Path) -> None:
    environ = configure(home, 'height = "tall"\nheader = ["A: b"]\n[serve]\nport = 1')
    completed = run_text("info", "https://127.0.0.1:9/u", "--height", "large", environ=environ)
    assert (completed.returncode, completed.stderr) == (2, "transcoder: height: 'large' is not a number of pixels, such as 720.\n")
    completed = run_text("info", "https://127.0.0.1:9/u", "--height", "2", "--header", "none", environ=environ)
    assert f"{home}/.config/transcoder.toml or the command line: --header: a header must have" in completed.stderr
    assert "usage: transcoder serve" in run_text("serve", "--port", "x", environ=environ).stderr
    completed = run_text("serve", environ=configure(home, "[serve]\nport = 'x'"))
    assert (completed.returncode, completed.stderr) == (
        2,
        f"transcoder: {home}/.config/transcoder.toml: argument --port: 'x' is not a number\n",
    )


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("quiet = true", ["get", "u", "-v"], {"quiet": False, "verbose": True}),
        ("quiet = true", ["get", "u", "--progress"], {"quiet": False, "progress": True}),
        ("verbose = true\nprogress = true", ["get", "u", "-q"], {"quiet": True, "verbose": False, "progress": None}),
        ("json = true", ["get", "u", "-o", "-"], {"json": False, "output": "-"}),
        ("json = true", ["get", "u", "-qo-"], {"json": False, "output": "-", "quiet": True}),
        ('output = "-"', ["get", "u", "--json"], {"json": True, "output": None}),
        ('output = "a.mp4"', ["get", "u", "v"], {"output": None}),
        ('format = "mp3"', ["get", "u", "-o", "a.mp4"], {"format": None}),
        ("mute = true\nvideo = 'h264'", ["get", "u", "--format", "m4a"], {"mute": None, "video": None, "format": "m4a"}),
        ('format = "file"', ["get", "u", "--start", "3"], {"format": None, "start": "3"}),
        ("exact = true", ["get", "u"], {"exact": None}),
        ("exact = true", ["get", "u", "--start", "3"], {"exact": "1", "start": "3"}),
        ("fit = 1000\nexact = true", ["get", "u", "--fit", "8MB", "--end", "3"], {"fit": "8MB", "exact": None}),
        ("start = 9", ["get", "u", "--end", "3"], {"start": None, "end": "3"}),
        ("connections = 8\ndeliver = 's3'", ["get", "u"], {"connections": None, "deliver": None}),
        ("connections = 8", ["get", "u", "--via", "localhost:1"], {"connections": 8, "via": "localhost:1"}),
        ("cookies = 'c'\nreferer = 'r'", ["get", "u", "--via", "localhost:1"], {"cookies": None, "referer": None, "header": []}),
        ("via = 'localhost:1'", ["get", "u", "--cookies", "c"], {"cookies": "c", "via": None}),
        ("progress = true", ["get", "u", "--via", "localhost:1", "--layout", "fragmented"], {"progress": None}),
        ('function = "f"', ["invoke", "u", "--url", "localhost:1"], {"function": None, "url": "localhost:1"}),
        ('function = "f"\nsign-aws = true', ["invoke", "u"], None),
        ('url = "localhost:1"\nendpoint-url = "e"', ["invoke", "u", "--function", "f"], {"url": None, "endpoint_url": "e"}),
        ("height = 1", ["get", "u", "--height=2"], {"height": "2"}),
    ],
)
def test_the_command_line_wins(text: str, words: list[str], expected: dict[str, object] | None, home: Path) -> None:
    environ = configure(home, text)
    if expected is None:
        with pytest.raises(BadRequestError, match=r"transcoder\.toml: --sign-aws: it goes with --url"):
            parse(words, environ)
        return
    parsed = parse(words, environ)
    assert {name: getattr(parsed, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ('referer = "file"', ["--header", "referer: line"], {"referer": "line"}),
        ('header = ["Referer: file"]', ["--referer", "line"], {"Referer": "line"}),
        ('user-agent = "file"', ["--user-agent", "line"], {"User-Agent": "line"}),
    ],
)
def test_a_header_of_the_command_line_wins_however_it_is_given(text: str, words: list[str], expected: dict[str, str], home: Path) -> None:
    assert origin_choices(parse(["get", "u", *words], configure(home, text)))["headers"] == expected


def test_a_video_is_saved_with_what_the_file_would_forbid(home: Path, serve: Serve, muxed: Files, tmp_path: Path) -> None:
    environ = configure(home, "quiet = true\njson = true\nexact = true\nconnections = 3\n")
    completed = run_text("get", serve(muxed[0]).url("/main.m3u8"), "-v", "-o", str(tmp_path / "a.mp4"), environ=environ)
    assert (completed.returncode, "segments" in completed.stderr) == (0, True)
    assert json.loads(completed.stdout)["path"] == str(tmp_path / "a.mp4")


def test_a_file_that_is_no_text_is_a_mistake_of_its_user(home: Path, tmp_path: Path) -> None:
    not_utf_8 = b"# Netscape HTTP Cookie File\n# caf\xe9\n"
    file, configuration = tmp_path / "file", home / ".config" / "transcoder.toml"
    file.write_bytes(not_utf_8)
    for words, about in ((["-a", str(file)], f"-a {file}"), (["https://127.0.0.1:9/u", "--cookies", str(file)], f"--cookies {file}")):
        completed = run_text("get", *words, environ=environ_of(home))
        assert completed.returncode == 2
        assert f"{about}: it is not a text in UTF-8; see line 2." in completed.stderr
        assert len(completed.stderr.splitlines()) == 1
    configuration.write_bytes(b"height = 1\n# caf\xe9\n")
    completed = run_text("get", "u", environ=environ_of(home))
    assert (completed.returncode, completed.stderr) == (2, f"transcoder: {configuration}: it is not a text in UTF-8; see line 2.\n")
    configuration.write_bytes(b"\xef\xbb\xbfheight = 1\n")
    assert parse(["get", "u"], environ_of(home)).height == "1"
    configuration.unlink()
    configuration.mkdir()
    completed = run_text("get", "u", environ=environ_of(home))
    assert (completed.returncode, completed.stderr) == (2, f"transcoder: {configuration}: Is a directory.\n")


def test_the_file_counts_when_a_video_is_saved(home: Path, serve: Serve, muxed: Files, tmp_path: Path) -> None:
    url = serve(muxed[0]).url("/main.m3u8")
    environ = configure(home, f'[get]\nfolder = "{tmp_path / "videos"}"\nfilename = "film"\nquiet = true\n')
    completed = run_text("get", url, environ=environ)
    assert (completed.returncode, completed.stderr) == (0, "")
    assert media_reader.is_whole(tmp_path / "videos" / "film.mp4")
    assert run_text("--help", environ=configure(home, "nonsense")).returncode == 0


@pytest.mark.parametrize(
    "text", [f"height = {'1' * 5000}", f"height = 0x{'f' * 5000}", f"height = {'[' * 5000}"], ids=["decimal", "hex", "nested"]
)
def test_what_python_cannot_read_is_a_mistake_in_the_file(text: str, home: Path) -> None:
    with pytest.raises(BadRequestError, match=r"transcoder\.toml: "):
        parse(["get", "u"], configure(home, text))
