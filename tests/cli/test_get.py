"""`transcoder get` as people and scripts use it."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import command_line, media_reader
from peers.get_command import SECONDS, get
from peers.leaks import children
from peers.origin import Origin, Rule

COMMAND = [sys.executable, "-m", "transcoder"]


def test_success_is_a_line_and_the_file_has_the_usual_mode(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    completed = get(serve(media("ts-muxed")).url("/main.m3u8"), tmp_path / "video.mp4")
    assert (completed.returncode, completed.stdout) == (0, b"")
    assert re.fullmatch(rf"{tmp_path}/video.mp4: 0\.[1-9] MB, 6\.0 s of media, in \d+\.\d s\n", completed.stderr.decode())
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "video.mp4").stat().st_mode & 0o777 == 0o666 & ~umask
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


def test_a_file_is_overwritten_only_with_force(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin, output = serve(media("ts-muxed")), tmp_path / "video.mp4"
    output.write_text("precious")
    completed = get(origin.url("/main.m3u8"), output)
    assert completed.returncode == 6
    assert "--force" in completed.stderr.decode()
    assert output.read_text() == "precious"
    assert not origin.requests
    assert get(origin.url("/main.m3u8"), output, "--force").returncode == 0
    assert media_reader.is_whole(output)


def test_force_keeps_the_old_file_when_the_new_one_fails(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin, output = serve(media("ts-muxed")), tmp_path / "video.mp4"
    origin.rules["/segment-2.ts"] = Rule(status=404)
    output.write_text("precious")
    assert get(origin.url("/main.m3u8"), output, "--force").returncode == 4
    assert output.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


def test_headers_reach_the_origin_with_every_request(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-separate-audio"))
    options = ["--header", "X-Token: abc", "--referer", "https://site.example/", "--user-agent", "Player/1.0"]
    assert get(origin.url("/main.m3u8"), tmp_path / "video.mp4", *options).returncode == 0
    assert len(origin.requests) > 5
    for request in origin.requests:
        assert request.headers["x-token"] == "abc"
        assert request.headers["referer"] == "https://site.example/"
        assert request.headers["user-agent"] == "Player/1.0"


def test_dash_writes_the_mp4_to_standard_output(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    completed = subprocess.run([*COMMAND, "get", origin.url("/main.m3u8"), "-o", "-"], check=True, capture_output=True, timeout=SECONDS)
    (tmp_path / "piped.mp4").write_bytes(completed.stdout)
    with (tmp_path / "redirected.mp4").open("wb") as file:
        assert command_line.run("get", origin.url("/main.m3u8"), "-o", "-", output=file.fileno()).returncode == 0
    assert media_reader.is_whole(tmp_path / "piped.mp4")
    assert (tmp_path / "redirected.mp4").read_bytes() == completed.stdout


def test_a_reader_that_leaves_ends_get_in_silence(media: Callable[[str], Path], serve: Serve) -> None:
    with command_line.piped("get", serve(media("ts-large")).url("/main.m3u8"), "-o", "-") as (command, pipe):
        assert pipe.read(10) != b""
        pipe.close()
        completed = command.end()
    assert (completed.returncode, completed.stderr) == (6, b"")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("layout", ["plain", "fragmented"])
def test_a_signal_leaves_no_file_and_no_ffmpeg(
    layout: str, number: signal.Signals, code: int, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    origin, folder, printed = serve(media("ts-muxed")), tmp_path / "folder", tmp_path / "printed"
    folder.mkdir()
    origin.rules["/segment-2.ts"] = [Rule(when=lambda request: "range" in request.headers), Rule(stall_after=1000)]
    arguments = ["get", origin.url("/main.m3u8"), "-o", str(folder / "video.mp4"), "--layout", layout]
    process = command_line.start_process(*arguments, environ=os.environ, output=printed, errors=printed)
    assert process.pid
    deadline = time.monotonic() + 20
    child_pids = set[int]()
    while not (begun := has_begun(layout, origin, folder) and child_pids) and time.monotonic() < deadline:
        time.sleep(0.05)
        child_pids = children(process.pid)
    os.kill(process.pid, number)
    process.join(SECONDS)
    assert begun
    assert child_pids
    assert process.exitcode == code
    process.close()
    assert "Traceback" not in printed.read_text()
    assert list(folder.iterdir()) == []
    assert not any(is_running(pid) for pid in child_pids)


def has_begun(layout: str, origin: Origin, folder: Path) -> bool:
    """Return whether a part of the output has been written; in the plain layout into a file without a name, so the origin is looked at."""
    if layout == "fragmented":
        return any(path.stat().st_size for path in folder.iterdir())
    return any(request.path == "/segment-2.ts" and "range" not in request.headers for request in origin.requests)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_terminal_gets_a_progress_bar(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    parent, child = pty.openpty()
    url = serve(media("ts-muxed")).url("/main.m3u8")
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with command_line.started("get", url, "-o", str(tmp_path / "video.mp4"), environ=environ, errors=child) as command:
        os.close(child)
        shown = b""
        try:
            while piece := os.read(parent, 65536):
                shown += piece
        except OSError:  # Linux reports EIO when the other end of a terminal is closed
            pass
        finally:
            os.close(parent)
        assert command.end().returncode == 0
    assert "━".encode() in shown
    assert re.search(r"video.mp4 .*100 %.* 0\.\d of 0\.\d MB, \d+\.\d MB/s, 0:00 left, 3/3 segments", shown.decode(), re.DOTALL)


@pytest.mark.parametrize(("options", "is_shown"), [([], False), (["--progress"], True)])
def test_a_program_that_reads_standard_output_has_the_terminal_for_itself(
    options: list[str], *, is_shown: bool, media: Callable[[str], Path], serve: Serve
) -> None:
    parent, child = pty.openpty()
    url = serve(media("ts-muxed")).url("/main.m3u8")
    completed = command_line.run_piped("get", url, "-o", "-", *options, environ={**os.environ, "TERM": "xterm"}, errors=child)
    shown = os.read(parent, 65536).decode()
    os.close(child)
    os.close(parent)
    assert (completed.returncode, completed.stdout[4:8]) == (0, b"ftyp")
    assert ("━" in shown) is is_shown
    assert "standard output: 0." in shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["get", "nothing.m3u8"], 2, "neither an address nor a file"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--header-for", "http://a.example/", "A: b", "-o", "x.mp4"], 2, "the name of a host alone"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--header-for", "127.0.0.1:9", "A: b", "-o", "x.mp4"], 2, "the name of a host alone"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--header-for", "a.example:9", "A: b", "-o", "x.mp4"], 2, "the name of a host alone"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--header-for", "[::1]:9", "A: b", "-o", "x.mp4"], 2, "the name of a host alone"),
        (["serve", "--port", "99999"], 2, "not from 0 to 65535"),
        (["serve", "--port", "one"], 2, "not a number"),
        (["serve", "--concurrency", "0"], 2, "not from 1 to 1000"),
        (["serve", "--timeout", "-5"], 2, "not from 0.1"),
        (["serve", "--timeout", "nan"], 2, "not from 0.1"),
        (["get", "ftp://a.example/v.m3u8"], 2, "not an http or https address"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--height", "tall", "-o", "x.mp4"], 2, "number of pixels"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--header", "nonsense", "-o", "x.mp4"], 2, "NAME: VALUE"),
        (["get", "http://127.0.0.1:9/v.m3u8", "-o", ""], 2, "the name of the file is empty"),
        (["get", "http://127.0.0.1:9/v.m3u8", "-o", "sub/"], 6, "sub/ is a folder"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--exact"], 2, "give --start or --end"),
        (["info", "http://127.0.0.1:9/v.m3u8", "--exact"], 2, "give --start or --end"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--connections", "2"], 2, "--via"),
        (["invoke", "http://a.example/v", "--url", "http://127.0.0.1:9/", "--endpoint-url", "http://127.0.0.1:9"], 2, "--function"),
        (["invoke", "http://a.example/v", "--url", "http://127.0.0.1:9/", "--region", "eu-west-1"], 2, "--sign-aws"),
        (["invoke", "http://a.example/v", "--function", "f", "--sign-aws"], 2, "always signed"),
        (["invoke", "http://a.example/v", "--url", "http://127.0.0.1:9/", "-o", "x.mkv"], 2, "MP4 is written, not MKV"),
        (["get", "http://127.0.0.1:9/v.m3u8", "-o", "no/such/folder/x.mp4"], 6, "No such file"),
        (["get"], 2, "URL"),
        ([], 2, "COMMAND"),
    ],
)
def test_an_invalid_argument_is_named(
    arguments: list[str], code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    completed = command_line.run_text(*arguments)
    assert completed.returncode == code
    assert message in completed.stderr
    assert "Traceback" not in completed.stderr


def test_version_is_printed() -> None:
    completed = subprocess.run([*COMMAND, "--version"], check=True, capture_output=True, text=True, timeout=SECONDS)
    assert completed.stdout.startswith("transcoder ")


def test_an_unreachable_origin_is_named(tmp_path: Path) -> None:
    completed = get("http://127.0.0.1:9/v.m3u8", tmp_path / "video.mp4")
    assert completed.returncode == 4
    assert "127.0.0.1" in completed.stderr.decode()
