"""`transcoder completion`: real shells complete the words of a command line."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from peers.command_line import run_text

SECONDS = 20.0
PROMPT = "ready> "


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the script of each shell, and a command to complete."""
    folder = tmp_path_factory.mktemp("completion")
    for shell, name in (("bash", "script.bash"), ("zsh", "_transcoder")):
        completed = run_text("completion", shell)
        assert (completed.returncode, completed.stderr) == (0, "")
        (folder / name).write_text(completed.stdout)
    (folder / "transcoder").write_text("#!/bin/sh\n")
    (folder / "transcoder").chmod(0o755)
    return folder


class Shell:
    """A shell on a terminal of its own."""

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self.wait_for(PROMPT)

    def complete(self, words: str) -> str:
        """Type words and two tabs, and return what is shown from there on; then empty the line."""
        os.write(self._leader, words.encode() + b"\t")
        shown = self._until_silence()
        os.write(self._leader, b"\t")
        shown += self._until_silence()
        os.write(self._leader, b"\x15\r")
        self._until_silence()
        return shown

    def run(self, line: str) -> None:
        os.write(self._leader, line.encode() + b"\r")
        self._until_silence()

    def wait_for(self, text: str) -> None:
        shown, deadline = "", time.monotonic() + SECONDS
        while text not in shown:
            assert time.monotonic() < deadline, shown
            shown += self._read(0.1)
        self._until_silence()

    def _until_silence(self) -> str:
        shown, deadline = "", time.monotonic() + SECONDS
        while (piece := self._read(0.7)) and time.monotonic() < deadline:
            shown += piece
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x07", "", shown)

    def _read(self, seconds: float) -> str:
        if not select.select([self._leader], [], [], seconds)[0]:
            return ""
        return os.read(self._leader, 65536).decode("utf-8", "replace")


@contextmanager
def shell(program: str, *options: str, folder: Path) -> Iterator[Shell]:
    """Start a shell whose folder has two files."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    leader, follower = pty.openpty()
    environ = {"PATH": f"{folder}:{os.environ['PATH']}", "PS1": PROMPT, "TERM": "dumb", "HOME": str(folder), "COLUMNS": "200"}
    process = subprocess.Popen([program, *options], stdin=follower, stdout=follower, stderr=follower, env=environ, start_new_session=True)
    os.close(follower)
    try:
        yield Shell(leader)
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def check(it: Shell, folder: Path) -> None:
    """Check what a shell offers."""
    (folder / "list-of-urls.txt").write_text("")
    assert it.complete("transcoder get --he").startswith("transcoder get --he")
    shown = it.complete("transcoder get --he")
    assert all(option in shown for option in ("--header", "--header-for", "--height", "--help"))
    assert "transcoder get --height" in it.complete("transcoder get --heig")
    assert "transcoder --height" in it.complete("transcoder --heig")
    assert "transcoder subtitles" in it.complete("transcoder subt")
    assert "--language" in it.complete("transcoder subtitles --lan")
    shown = it.complete("transcoder get --format ")
    assert all(choice in shown for choice in ("mp4", "m4a", "mp3", "file"))
    assert "fragmented" in it.complete("transcoder info --layout frag")
    assert "list-of-urls.txt" in it.complete("transcoder get -a list-of")
    assert "list-of-urls.txt" in it.complete("transcoder get --mute list-of")
    for option in ("--header", "--header-for", "--fit"):
        shown = it.complete(f"transcoder get {option} ")
        assert not any(word in shown for word in ("error", "not found", "command"))


@pytest.mark.long
def test_bash_completes(scripts: Path) -> None:
    with shell("bash", "--norc", "--noprofile", "-i", folder=scripts) as it:
        it.run(f"cd {scripts}; bind 'set enable-bracketed-paste off'; source script.bash")
        check(it, scripts)


@pytest.mark.long
def test_zsh_completes(scripts: Path) -> None:
    with shell("zsh", "-f", "-i", folder=scripts) as it:
        it.run(f"cd {scripts}; fpath=({scripts} $fpath); autoload -U compinit && compinit -u")
        check(it, scripts)


def test_only_known_shells_have_a_script() -> None:
    completed = run_text("completion", "fish")
    assert (completed.returncode, completed.stdout, "'bash', 'zsh'" in completed.stderr) == (2, "", True)
