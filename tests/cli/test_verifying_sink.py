"""What `get` has made is looked at once more before it is kept."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from transcoder.cli import main
from transcoder.cli.verifying_sink import VerifyingSink
from transcoder.core.output.announcement import Announcement
from transcoder.errors import TranscodeError


class Kept:
    def __init__(self) -> None:
        self.body = b""

    async def start(self, _film: Announcement) -> None:
        pass

    async def write(self, chunk: bytes) -> None:
        self.body += chunk


@pytest.fixture(scope="module")
def made(media: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    assert main(["get", str(media("ts-muxed") / "main.m3u8"), "-o", str(path)]) == 0
    return path.read_bytes()


def test_a_whole_film_passes_unchanged(made: bytes) -> None:
    kept = Kept()
    verified = VerifyingSink(kept)
    asyncio.run(verified.write(made))
    assert verified.end().length == len(kept.body)
    assert kept.body == made


def test_a_film_without_its_index_is_none(made: bytes) -> None:
    verified = VerifyingSink(Kept())
    asyncio.run(verified.write(made[: -int.from_bytes(made[-4:])]))
    with pytest.raises(TranscodeError, match="no index"):
        verified.end()


def test_what_is_no_film_is_stopped_at_once() -> None:
    with pytest.raises(TranscodeError):
        asyncio.run(VerifyingSink(Kept()).write(b"<!DOCTYPE html><html></html>"))
