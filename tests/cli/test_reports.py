"""What `get` and `invoke` say of their work: a line, JSON, details, or nothing."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Serve
from peers.command_line import run_text
from peers.origin import GOOD, Rule
from peers.running_emulator import emulated

from transcoder.emulator import Options, Running

Files = tuple[dict[str, bytes], Path]
WEBM = b"\x1a\x45\xdf\xa3" + bytes(1000)
OBJECT = {"url", "path", "bytes", "duration", "seconds"}


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with emulated(Options(environ={"TRANSCODER_ALLOW_PRIVATE": "1"})) as running:
        yield running


@pytest.mark.parametrize("layout", ["plain", "fragmented"])
def test_json_says_what_was_saved(layout: str, serve: Serve, muxed: Files, tmp_path: Path) -> None:
    url, output = serve(muxed[0]).url("/main.m3u8"), tmp_path / "x.mp4"
    completed = run_text("get", url, "-o", str(output), "--json", "--quiet", "--layout", layout)
    assert (completed.returncode, completed.stderr, completed.stdout.count("\n")) == (0, "", 1)
    document = json.loads(completed.stdout)
    assert set(document) == OBJECT
    assert (document["url"], document["path"], document["bytes"]) == (url, str(output), output.stat().st_size)
    assert document["duration"] == pytest.approx(6.0, abs=0.2)
    assert 0 < document["seconds"] < 60


def test_json_of_a_map_and_of_a_file(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    output = tmp_path / "x.mp4"
    completed = run_text("get", serve(media("fmp4-separate-audio")).url("/main.m3u8"), "-o", str(output), "--json")
    document = json.loads(completed.stdout)
    assert (document["bytes"], document["duration"]) == (output.stat().st_size, pytest.approx(6.0, abs=0.2))
    completed = run_text("get", serve({"/v.webm": WEBM}).url("/v.webm"), "-P", str(tmp_path), "--json")
    document = json.loads(completed.stdout)
    assert (document["bytes"], document["duration"]) == (len(WEBM), None)
    assert Path(document["path"]).read_bytes() == WEBM


@pytest.mark.parametrize("way", ["get", "invoke"])
def test_json_of_what_a_function_made(way: str, service: Running, serve: Serve, muxed: Files, tmp_path: Path) -> None:
    url, output = serve(muxed[0]).url("/main.m3u8"), tmp_path / "x.mp4"
    completed = run_text(way, url, "--via" if way == "get" else "--url", service.url, "-o", str(output), "--json")
    assert completed.returncode == 0, completed.stderr
    document = json.loads(completed.stdout)
    assert set(document) == OBJECT
    assert (document["path"], document["bytes"]) == (str(output), output.stat().st_size)
    assert f"{output}: " in completed.stderr.splitlines()[-1]


def test_invoke_says_where_the_file_is(service: Running, serve: Serve, muxed: Files, tmp_path: Path) -> None:
    command = ["invoke", serve(muxed[0]).url("/main.m3u8"), "--url", service.url, "-o", str(tmp_path / "x.mp4")]
    completed = run_text(*command)
    assert completed.stdout.startswith("whole: ")
    assert completed.stderr.startswith(f"{tmp_path}/x.mp4: ")
    completed = run_text(*command, "--force", "--quiet")
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "code", "slug"),
    [
        (["get", "none.m3u8", "--json"], 2, "bad-request"),
        (["get", "http://127.0.0.1:9/v.m3u8", "-o", "no/such/x.mp4", "--json"], 6, "output-failed"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--json"], 4, "upstream-failed"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--jso", "--json"], 2, "bad-request"),
        (["invoke", "http://a.example/v.m3u8", "--url", "http://127.0.0.1:9/", "-o", "x.mp4", "--json"], 7, "invocation-failed"),
    ],
)
def test_errors_are_json_too(words: list[str], code: int, slug: str) -> None:
    completed = run_text(*words)
    document = json.loads(completed.stdout)
    assert (completed.returncode, document["slug"], set(document)) == (code, slug, {"slug", "message"})
    assert document["message"] in completed.stderr


def test_a_configuration_file_may_ask_for_json(tmp_path: Path) -> None:
    (tmp_path / "transcoder.toml").write_text("json = true")
    for words, code in ((["get", "none.m3u8"], 2), (["invoke", "http://a.example/v.m3u8", "--url", "http://127.0.0.1:9/"], 7)):
        completed = run_text(*words, environ=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)})
        assert (completed.returncode, set(json.loads(completed.stdout))) == (code, {"slug", "message"})


def test_quiet_is_silent_but_for_errors(serve: Serve, muxed: Files, tmp_path: Path) -> None:
    origin = serve(muxed[0])
    completed = run_text("get", origin.url("/main.m3u8"), "-o", str(tmp_path / "x.mp4"), "-q")
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")
    completed = run_text("get", origin.url("/main.m3u8"), "-o", str(tmp_path / "x.mp4"), "-q")
    assert (completed.returncode, "exists already" in completed.stderr) == (6, True)


def test_verbose_says_what_is_made(serve: Serve, muxed: Files, tmp_path: Path) -> None:
    completed = run_text("get", serve(muxed[0]).url("/main.m3u8"), "-o", str(tmp_path / "x.mp4"), "-v")
    lines = completed.stderr.splitlines()
    assert "6.0 s in 3 segments" in lines[0]
    assert lines[1] == "plain MP4, made in a temporary file first"
    assert len(lines) == 3


def test_progress_is_lines_where_there_is_no_terminal(serve: Serve, muxed: Files, tmp_path: Path) -> None:
    origin = serve(muxed[0])
    origin.decide = lambda request, _earlier: Rule(delay=0.7) if request.path.endswith(".ts") else GOOD
    command = ["get", origin.url("/main.m3u8"), "-o", str(tmp_path / "x.mp4"), "--layout", "fragmented", "--force"]
    slow = {"TRANSCODER_CONNECTIONS": "1", "TRANSCODER_AHEAD_BYTES": "1"}
    shown = run_text(*command, "--progress", environ=slow).stderr.splitlines()
    assert len(shown) >= 2
    assert all(" MB" in line for line in shown)
    assert len(run_text(*command, "--no-progress", environ=slow).stderr.splitlines()) == 1


@pytest.mark.parametrize("options", [["-q", "-v"], ["-q", "--progress"], ["--json", "-o", "-"]])
def test_options_that_contradict_each_other_are_refused(options: list[str]) -> None:
    assert run_text("get", "http://127.0.0.1:9/v.m3u8", *options).returncode == 2
