"""Which ffmpeg is asked for its version again: one that has changed, one that did not work, and one that a name alone leads to."""

import asyncio
import os
from pathlib import Path

import pytest

from transcoder.edge.ffmpeg import find_ffmpeg
from transcoder.errors import TranscodeError


def program(path: Path, version: str) -> str:
    """Write a program that says it is this version of ffmpeg, and keeps a line for each time that it was asked."""
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\necho asked >> {path}.log\necho 'ffmpeg version {version} Copyright'\n")
    path.chmod(0o755)
    return str(path)


def times_asked(path: str) -> int:
    return Path(f"{path}.log").read_text().count("asked")


def test_a_program_that_works_is_asked_once(tmp_path: Path) -> None:
    path = program(tmp_path / "ffmpeg", "9.0.2")
    for _ in range(3):
        assert asyncio.run(find_ffmpeg(path)) == path
    assert times_asked(path) == 1


def test_a_program_that_has_changed_is_asked_again(tmp_path: Path) -> None:
    path = program(tmp_path / "ffmpeg", "9.0.2")
    asyncio.run(find_ffmpeg(path))
    program(tmp_path / "ffmpeg", "6.0.2")
    with pytest.raises(TranscodeError, match="version 7 or newer is needed"):
        asyncio.run(find_ffmpeg(path))
    (tmp_path / "ffmpeg").unlink()
    with pytest.raises(TranscodeError, match="No such file"):
        asyncio.run(find_ffmpeg(path))


def test_a_program_that_does_not_work_is_asked_each_time(tmp_path: Path) -> None:
    path = program(tmp_path / "ffmpeg", "6.0.2")
    for _ in range(2):
        with pytest.raises(TranscodeError):
            asyncio.run(find_ffmpeg(path))
    assert times_asked(path) == 2


def test_a_name_is_looked_for_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The PATH may have changed since."""
    path = program(tmp_path / "ffmpeg", "9.0.2")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for _ in range(2):
        assert asyncio.run(find_ffmpeg("ffmpeg")) == "ffmpeg"
    assert times_asked(path) == 2


def test_the_packaged_one_is_found_again(ffmpeg: str) -> None:
    assert [asyncio.run(find_ffmpeg("")) for _ in range(2)] == [ffmpeg, ffmpeg]
