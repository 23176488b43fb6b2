"""What tests share: streams to read, a place to serve them from, and a look at what was left behind."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import make_media
import pytest
from generated_video import ffmpeg_path
from peers.leaks import nothing_left
from peers.origin import Files, Origin, origin

Serve = Callable[[Files], Origin]


@pytest.fixture(scope="session")
def media() -> Callable[[str], Path]:
    """Give the folder of a set of HLS media by its name, as fixtures/make_media.py has it; its entry is `main.m3u8`."""
    return make_media.media


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """Give the path of the ffmpeg that the package uses by default."""
    return ffmpeg_path()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a folder, or paths and bytes, from an origin on loopback until the test is over."""
    with ExitStack() as open_origins:
        yield lambda files: open_origins.enter_context(origin(files))


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give this test, and the programs that it starts, a folder of their own for temporary files."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def no_leaks(temp: Path) -> Iterator[None]:
    """Fail the test if it leaves a child process, a descriptor or a temporary file. List it after what the test may keep open."""
    with nothing_left(temp):
        yield
