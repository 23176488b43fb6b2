"""In Firefox: the same page plays and saves a stream, and a file with ranges."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Serve
from peers.browsers import SECONDS, Media, packages, program
from peers.get_command import get
from peers.running_emulator import emulated

from transcoder.emulator import Options

DRIVER = Path(__file__).parent / "node" / "firefox.mjs"


@pytest.fixture(scope="module")
def firefox() -> tuple[str, str]:
    """Return the paths of Firefox and of Node."""
    packages()
    return program("firefox-esr"), program("node")


@pytest.fixture(scope="module")
def address(firefox: tuple[str, str]) -> Iterator[str]:  # noqa: ARG001  # without a browser nothing is started
    with emulated(Options(environ={**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1"}, concurrency=2)) as running:
        yield running.url + "/"


@pytest.fixture
def drive(firefox: tuple[str, str], address: str, tmp_path: Path) -> Callable[[str], dict[str, object]]:
    """Return what has Firefox look at a link on the page, play and save it, and what it has seen then."""
    return lambda url: _drive(firefox, tmp_path, address, url)


@pytest.mark.parametrize(("source", "layout"), [("ts-separate-audio", "fragmented"), ("fmp4-separate-audio", "auto")])
def test_firefox_plays_and_saves(
    source: str, layout: str, drive: Callable[[str], dict[str, object]], media: Media, serve: Serve, tmp_path: Path
) -> None:
    url = serve(media(source)).url("/main.m3u8")
    seen = drive(url)
    assert seen["duration"] == pytest.approx(6.0, abs=0.15)
    assert (seen["language"], seen["heading"], seen["errors"]) == ("de", "Video speichern", [])
    assert str(seen["done"]).startswith("Gespeichert und vollständig")
    assert get(url, tmp_path / "expected", "--layout", layout).returncode == 0
    assert (tmp_path / "saved" / "video.mp4").read_bytes() == (tmp_path / "expected").read_bytes()


def _drive(firefox: tuple[str, str], folder: Path, address: str, url: str) -> dict[str, object]:
    """Run the driver beside its packages, and return what it has seen."""
    path, node = firefox
    (folder / "saved").mkdir()
    driver = packages().parent / DRIVER.name
    shutil.copy(DRIVER, driver)
    command = [node, str(driver), path, address, url, str(folder / "saved")]
    environ = {**os.environ, "HOME": str(folder), "MOZ_HEADLESS": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=3 * SECONDS, env=environ)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert isinstance(seen, dict)
    return seen
