"""Fixtures for all tests: generated media, an origin to serve them, and checks for leaked resources."""

import os
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import hypothesis
import make_media
import pytest
from generated_video import ffmpeg_path
from peers import command_line, media_reader
from peers.drawn_inputs import USUAL
from peers.leaks import assert_no_leaks
from peers.origin import Files, Origin, origin
from peers.running_emulator import RETRY_SECONDS
from peers.source_files import download, files_in

from transcoder.edge.garbage_collection import importing

Serve = Callable[[Files], Origin]
LargeSource = Callable[[int], dict[str, bytes]]
"""Takes a number of segments, of about two megabytes each, and returns the files of a source that has so many."""
UsualOutput = Callable[..., Path]
"""Takes the name of a set and options of `transcoder get`, and returns the file."""

# How long an example takes says more about what else the machine does than about the program.
hypothesis.settings.register_profile("untimed", deadline=None, max_examples=USUAL)
hypothesis.settings.register_profile("fast", deadline=None, max_examples=8)
hypothesis.settings.load_profile("untimed")

# Peers are on loopback: a proxy of the machine that runs the tests must not be asked for them.
for _name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)
# Nor do the tests depend on the certificates that the machine trusts.
os.environ.pop("SSL_CERT_FILE", None)
# A shell that starts pytest in the background lets it ignore SIGINT, and so would each program that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The pauses before further attempts are a setting; tests of what fails for good would wait for them for minutes.
os.environ["TRANSCODER_RETRY_SECONDS"] = RETRY_SECONDS


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector: it would go through ten thousand tests, which all stay, again and again, in each process."""
    with importing():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long tests at the beginning and in the middle, where different processes come to them early: none is left for the end."""
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if not item.get_closest_marker("long")]
    (first, second), (third, fourth) = ((each[: len(each) // 2], each[len(each) // 2 :]) for each in (long, others))
    items[:] = [*first, *third, *second, *fourth]


@pytest.fixture(scope="session", autouse=True)
def _command_line() -> None:
    command_line.start()


@pytest.fixture(scope="session")
def media() -> Callable[[str], Path]:
    """Return the folder of a set of HLS media by its name in fixtures/make_media.py; its entry is `main.m3u8`."""
    return make_media.media


@pytest.fixture(scope="session")
def usual_output(media: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> UsualOutput:
    """Return what makes the MP4 of a set as it is, with these options: once in each process, since many tests compare with it."""

    @cache
    def make(name: str, *options: str) -> Path:
        with origin(media(name)) as served:
            return download(served.url("/main.m3u8"), tmp_path_factory.mktemp("usual") / "output.mp4", *options)

    return make


@pytest.fixture(scope="session")
def large_source(media: Callable[[str], Path]) -> LargeSource:
    """Return what gives a large transport stream. Its pictures are large rather than many: these take the time to read."""

    def first(segments: int) -> dict[str, bytes]:
        folder = media("ts-large")
        lines = (folder / "main.m3u8").read_text(encoding="utf-8").splitlines()
        names = [line for line in lines if not line.startswith("#")][:segments]
        playlist = "\n".join([*lines[: lines.index(names[-1]) + 1], "#EXT-X-ENDLIST", ""]).encode()
        return {"/main.m3u8": playlist} | {f"/{name}": (folder / name).read_bytes() for name in names}

    return first


@pytest.fixture
def muxed(tmp_path: Path) -> tuple[dict[str, bytes], Path]:
    """Return the files of a set of three muxed MPEG-TS segments, and one file with all of its segments."""
    folder = make_media.media("ts-muxed")
    return files_in(folder), media_reader.concatenate(folder / "main.m3u8", tmp_path / "source.ts")


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """Return the path of the ffmpeg that the package uses by default."""
    return ffmpeg_path()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a folder, or bytes by path, from an origin on loopback until the test ends."""
    with ExitStack() as open_origins:
        yield lambda files: open_origins.enter_context(origin(files))


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test, and the programs that it starts, their own folder for temporary files."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def no_leaks(temp: Path) -> Iterator[None]:
    """Fail the test if it leaks a child process, a descriptor or a temporary file. List it after the fixtures that may keep some open."""
    with assert_no_leaks(temp):
        yield
