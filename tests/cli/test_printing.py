"""What a command prints, where nobody can read it: the exit code says so, without a traceback."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.command_line import SECONDS
from peers.origin import Origin

COMMAND = (sys.executable, "-m", "transcoder")
ENVIRON = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_SIGNING_KEYS": "sixteen characters"}
Media = Callable[[str], Path]
Run = Callable[..., subprocess.CompletedProcess[bytes]]
PRINTING = {
    "completion": ["completion", "bash"],
    "info": ["info", "{url}"],
    "info as JSON": ["info", "{url}", "--json"],
    "a link": ["sign", "{url}"],
    "get as JSON": ["get", "{url}", "-q", "--json", "-o", "{output}"],
}


@pytest.fixture
def source(media: Media, serve: Serve) -> Origin:
    return serve(media("ts-muxed"))


def without_a_reader(*arguments: str, environ: Mapping[str, str] = ENVIRON) -> subprocess.CompletedProcess[bytes]:
    """Run `transcoder` with a pipe as standard output whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run([*COMMAND, *arguments], check=False, stdout=writer, stderr=subprocess.PIPE, env=environ, timeout=SECONDS)
    finally:
        os.close(writer)


def without_output(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `transcoder` with its standard output closed."""
    shell = ["sh", "-c", 'exec "$@" >&-', "sh"]
    return subprocess.run([*shell, *COMMAND, *arguments], check=False, stderr=subprocess.PIPE, env=ENVIRON, timeout=SECONDS)


def words(name: str, source: Origin, output: Path) -> list[str]:
    return [word.format(url=source.url("/main.m3u8"), output=output) for word in PRINTING[name]]


@pytest.mark.parametrize("name", PRINTING)
def test_a_reader_that_has_left_ends_a_command_in_silence(name: str, source: Origin, tmp_path: Path) -> None:
    completed = without_a_reader(*words(name, source, tmp_path / "video.mp4"))
    assert (completed.returncode, completed.stderr) == (6, b"")
    assert name != "get as JSON" or media_reader.is_whole(tmp_path / "video.mp4")


@pytest.mark.parametrize("name", PRINTING)
def test_a_result_that_nobody_can_have_got_is_no_success(name: str, source: Origin, tmp_path: Path) -> None:
    completed = without_output(*words(name, source, tmp_path / "video.mp4"))
    assert completed.returncode == 6
    assert completed.stderr == b"transcoder: standard output: it is closed.\n"


@pytest.mark.parametrize("run", [without_a_reader, without_output])
def test_a_failure_keeps_its_exit_code_where_its_json_cannot_be_printed(run: Run, source: Origin, tmp_path: Path) -> None:
    completed = run("get", source.url("/none.m3u8"), "--json", "-o", str(tmp_path / "video.mp4"))
    assert completed.returncode == 4
    assert completed.stderr.count(b"\n") == 1
    assert b"404" in completed.stderr
