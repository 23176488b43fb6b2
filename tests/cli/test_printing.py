"""What a command prints, where nobody can read it: the exit code says so, without a traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.command_line import CLOSED, SECONDS, run, run_text
from peers.origin import Origin

COMMAND = (sys.executable, "-m", "transcoder")
ENVIRON = {**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_SIGNING_KEYS": "sixteen characters"}
Media = Callable[[str], Path]
Files = tuple[dict[str, bytes], Path]
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


@contextmanager
def left_pipe() -> Iterator[int]:
    """Return a pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def without_a_reader(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `transcoder` with a pipe as standard output whose reader has left."""
    with left_pipe() as writer:
        return run(*arguments, environ=ENVIRON, output=writer)


def without_output(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `transcoder` with its standard output closed."""
    return run(*arguments, environ=ENVIRON, output=CLOSED)


def by_itself_without_a_reader(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Do as `without_a_reader` in an interpreter of its own, which flushes standard output itself at its end."""
    with left_pipe() as writer:
        return subprocess.run([*COMMAND, *arguments], check=False, stdout=writer, stderr=subprocess.PIPE, env=ENVIRON, timeout=SECONDS)


def by_itself_without_output(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Do as `without_output` in an interpreter of its own, which finds standard output closed."""
    shell = ["sh", "-c", 'exec "$@" >&-', "sh"]
    return subprocess.run([*shell, *COMMAND, *arguments], check=False, stderr=subprocess.PIPE, env=ENVIRON, timeout=SECONDS)


def words(name: str, source: Origin, output: Path) -> list[str]:
    return [word.format(url=source.url("/main.m3u8"), output=output) for word in PRINTING[name]]


@pytest.mark.parametrize(("name", "run"), [("a link", by_itself_without_a_reader), *((name, without_a_reader) for name in PRINTING)])
def test_a_reader_that_has_left_ends_a_command_in_silence(name: str, run: Run, source: Origin, tmp_path: Path) -> None:
    completed = run(*words(name, source, tmp_path / "video.mp4"))
    assert (completed.returncode, completed.stderr) == (6, b"")
    assert name != "get as JSON" or media_reader.is_whole(tmp_path / "video.mp4")


@pytest.mark.parametrize(("name", "run"), [("completion", by_itself_without_output), *((name, without_output) for name in PRINTING)])
def test_a_result_that_nobody_can_have_got_is_no_success(name: str, run: Run, source: Origin, tmp_path: Path) -> None:
    completed = run(*words(name, source, tmp_path / "video.mp4"))
    assert completed.returncode == 6
    assert completed.stderr == b"transcoder: standard output: it is closed.\n"


@pytest.mark.parametrize("run", [without_a_reader, without_output])
def test_a_failure_keeps_its_exit_code_where_its_json_cannot_be_printed(run: Run, source: Origin, tmp_path: Path) -> None:
    completed = run("get", source.url("/none.m3u8"), "--json", "-o", str(tmp_path / "video.mp4"))
    assert completed.returncode == 4
    assert completed.stderr.count(b"\n") == 1
    assert b"404" in completed.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_name_that_is_no_text_is_shown_all_the_same(encoding: str, serve: Serve, muxed: Files, tmp_path: Path) -> None:
    url = serve(muxed[0]).url("/main.m3u8")
    path = tmp_path / os.fsdecode(b"caf\xe9-\xc3\xa9.mp4")
    words, environ = ["get", "--json", url, "-o", str(path)], os.environ | {"PYTHONIOENCODING": encoding}
    completed = run(*words, environ=environ)
    assert (completed.returncode, len(completed.stderr.splitlines())) == (0, 1)
    assert json.loads(completed.stdout.decode(encoding))["path"] == str(path)
    assert media_reader.is_whole(path)
    again = run(*words, environ=environ)
    assert (again.returncode, b"exists already" in again.stderr) == (6, True)
    assert json.loads(again.stdout.decode(encoding))["slug"] == "output-failed"


def test_a_playlist_in_a_folder_whose_name_is_no_text_is_read(muxed: Files, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    for name, content in muxed[0].items():
        (folder / name.strip("/")).write_bytes(content)
    completed = run_text("get", str(folder / "main.m3u8"), "-o", str(tmp_path / "video.mp4"))
    assert (completed.returncode, media_reader.is_whole(tmp_path / "video.mp4")) == (0, True)


@pytest.mark.parametrize(
    "word", [b"caf\xe9", b"https://h/caf\xe9", b"https://caf\xe9/", b"https://u:\xe9@h/", b"\xff\xfe", b"file:///caf\xe9"]
)
def test_an_argument_that_is_no_text_is_refused_with_a_sentence(word: bytes, tmp_path: Path) -> None:
    for command in ("get", "info", "subtitles", "sign"):
        completed = run_text(command, os.fsdecode(word), environ=os.environ | {"TRANSCODER_SIGNING_KEYS": "x" * 16})
        assert (completed.returncode, completed.stderr.count("\n")) == (3 if word.startswith(b"file") and command != "sign" else 2, 1)
        assert completed.stderr.startswith("transcoder: ")
    completed = run_text("get", "https://127.0.0.1:9/", "--filename", os.fsdecode(b"caf\xe9"))
    assert (completed.returncode, completed.stderr.startswith("transcoder: filename: must be a text")) == (2, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["a%00b.ts", "%00"])
def test_a_playlist_with_a_path_that_no_file_has_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "main.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{path}\n#EXT-X-ENDLIST\n")
    completed = run_text("get", str(tmp_path / "main.m3u8"), "-o", str(tmp_path / "video.mp4"))
    assert (completed.returncode, "no path has such a character" in completed.stderr) == (3, True)


def test_what_is_told_goes_nowhere_if_standard_error_is_closed(source: Origin) -> None:
    whole = run("get", source.url("/main.m3u8"), "-q", "-o", "-")
    for name, code, output in (("main", 0, whole.stdout), ("none", 4, b"")):
        completed = run("get", source.url(f"/{name}.m3u8"), "-o", "-", environ=ENVIRON, errors=CLOSED)
        assert (completed.returncode, completed.stdout) == (code, output)
    shell = ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND]
    assert subprocess.run([*shell, "get", "nothing"], check=False, env=ENVIRON, timeout=SECONDS).returncode == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["get", "{url}", "-o", "{output}"], 0),
        (["get", "{url}", "-o", "{output}", "--progress", "-v"], 0),
        (["get", "{url}", "{url}x", "-P", "{output}"], 4),
        (["get", "nothing"], 2),
        ([], 2),
    ],
    ids=["get", "progress", "several", "a failure", "no words"],
)
def test_a_reader_of_standard_error_that_has_left_changes_nothing(words: list[str], code: int, source: Origin, tmp_path: Path) -> None:
    arguments = [word.format(url=source.url("/main.m3u8"), output=tmp_path / "video.mp4") for word in words]
    with left_pipe() as writer:
        completed = run(*arguments, environ=ENVIRON, errors=writer)
    assert (completed.returncode, completed.stdout) == (code, b"")
    assert code or not words or media_reader.is_whole(tmp_path / "video.mp4")


@pytest.mark.parametrize("command", [[], ["get"], ["info"]])
@pytest.mark.parametrize("name", ["x" * 300, f"{'x' * 300}.com/a.m3u8", "x/" * 3000])
def test_a_name_that_no_file_can_have_is_neither_file_nor_address(command: list[str], name: str) -> None:
    completed = run_text(*command, name)
    assert completed.returncode == (4 if ".com/" in name else 2)
    assert "internal" not in completed.stderr
    assert "Traceback" not in completed.stderr
