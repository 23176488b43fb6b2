"""`transcoder get` as a person and as a script use it."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import SECONDS, get
from peers.leaks import children
from peers.origin import Rule

COMMAND = [sys.executable, "-m", "transcoder"]


def started(url: str, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, "get", url, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_result_is_quiet_and_readable_by_others(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    done = get(serve(media("ts-muxed")).url("/main.m3u8"), tmp_path / "ours.mp4")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "ours.mp4").stat().st_mode & 0o777 == 0o666 & ~umask
    assert [path.name for path in tmp_path.iterdir()] == ["ours.mp4"]


def test_file_is_overwritten_only_by_force(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin, ours = serve(media("ts-muxed")), tmp_path / "ours.mp4"
    ours.write_text("precious")
    done = get(origin.url("/main.m3u8"), ours)
    assert done.returncode == 6
    assert "--force" in done.stderr.decode()
    assert ours.read_text() == "precious"
    assert not origin.requests
    assert get(origin.url("/main.m3u8"), ours, "--force").returncode == 0
    assert media_reader.is_whole(ours)


def test_force_keeps_the_old_file_when_the_new_one_fails(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin, ours = serve(media("ts-muxed")), tmp_path / "ours.mp4"
    origin.rules["/segment-2.ts"] = Rule(status=404)
    ours.write_text("precious")
    assert get(origin.url("/main.m3u8"), ours, "--force").returncode == 4
    assert ours.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["ours.mp4"]


def test_headers_reach_the_origin_with_every_request(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-separate-audio"))
    words = ["--header", "X-Token: abc", "--referer", "https://site.example/", "--user-agent", "Player/1.0"]
    assert get(origin.url("/main.m3u8"), tmp_path / "ours.mp4", *words).returncode == 0
    assert len(origin.requests) > 5
    for request in origin.requests:
        assert request.headers["x-token"] == "abc"
        assert request.headers["referer"] == "https://site.example/"
        assert request.headers["user-agent"] == "Player/1.0"


def test_standard_output_is_the_film(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    done = subprocess.run([*COMMAND, "get", origin.url("/main.m3u8"), "-o", "-"], check=True, capture_output=True, timeout=SECONDS)
    (tmp_path / "piped.mp4").write_bytes(done.stdout)
    with (tmp_path / "redirected.mp4").open("wb") as file:
        subprocess.run([*COMMAND, "get", origin.url("/main.m3u8"), "-o", "-"], check=True, stdout=file, timeout=SECONDS)
    assert media_reader.is_whole(tmp_path / "piped.mp4")
    assert (tmp_path / "redirected.mp4").read_bytes() == done.stdout


def test_a_reader_that_leaves_ends_it_with_a_sentence(media: Callable[[str], Path], serve: Serve) -> None:
    process = started(serve(media("ts-large")).url("/main.m3u8"), "-o", "-")
    assert process.stdout
    assert process.stderr
    assert process.stdout.read(10) != b""
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(SECONDS) == 6
    assert "reader left" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_no_file_and_no_ffmpeg(
    number: signal.Signals, code: int, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    origin = serve(media("ts-muxed"))
    origin.rules["/segment-2.ts"] = [Rule(when=lambda asked: "range" in asked.headers), Rule(stall_after=1000)]
    process = started(origin.url("/main.m3u8"), "-o", str(tmp_path / "ours.mp4"))
    deadline = time.monotonic() + 20
    while not (begun := [path for path in tmp_path.iterdir() if path.stat().st_size]) and time.monotonic() < deadline:
        time.sleep(0.05)
    its_children = children(process.pid)
    process.send_signal(number)
    _, said = process.communicate(timeout=SECONDS)
    assert begun
    assert its_children
    assert process.returncode == code
    assert b"Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    assert not any(is_running(child) for child in its_children)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_terminal_gets_a_progress_bar(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    parent, child = pty.openpty()
    url = serve(media("ts-muxed")).url("/main.m3u8")
    process = subprocess.Popen([*COMMAND, "get", url, "-o", str(tmp_path / "ours.mp4")], stderr=child, env={**os.environ, "TERM": "xterm"})
    os.close(child)
    seen = b""
    try:
        while piece := os.read(parent, 65536):
            seen += piece
    except OSError:  # how Linux says that the other end of a terminal is closed
        pass
    finally:
        os.close(parent)
    assert process.wait(SECONDS) == 0
    assert b"6.0 s" in seen
    assert "━".encode() in seen


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["get", "nothing.m3u8"], 2, "neither an address nor a file"),
        (["get", "ftp://a.example/v.m3u8"], 2, "not an http or https address"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--height", "tall", "-o", "x.mp4"], 2, "number of pixels"),
        (["get", "http://127.0.0.1:9/v.m3u8", "--header", "nonsense", "-o", "x.mp4"], 2, "NAME: VALUE"),
        (["get", "http://127.0.0.1:9/v.m3u8", "-o", "no/such/folder/x.mp4"], 6, "No such file"),
        (["get"], 2, "URL"),
        ([], 2, "COMMAND"),
    ],
)
def test_a_wrong_word_is_named(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, *words], check=False, capture_output=True, text=True, timeout=SECONDS, cwd=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["get", "--help"]])
def test_help_lists_the_exit_codes(words: list[str]) -> None:
    done = subprocess.run([*COMMAND, *words], check=True, capture_output=True, text=True, timeout=SECONDS)
    assert "exit codes:" in done.stdout
    assert "130" in done.stdout


def test_version_is_told() -> None:
    done = subprocess.run([*COMMAND, "--version"], check=True, capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout.startswith("transcoder ")


def test_an_unreachable_origin_is_named(tmp_path: Path) -> None:
    done = get("http://127.0.0.1:9/v.m3u8", tmp_path / "ours.mp4")
    assert done.returncode == 4
    assert "127.0.0.1" in done.stderr.decode()
