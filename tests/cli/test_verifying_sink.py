"""`get` verifies its output before it keeps the file."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from transcoder.cli import main
from transcoder.core.output.announcement import Announcement
from transcoder.errors import TranscodeError
from transcoder.local.verifying_sink import VerifyingSink


class KeepingSink:
    def __init__(self) -> None:
        self.body = b""

    async def start(self, _announcement: Announcement) -> None:
        pass

    async def write(self, chunk: bytes) -> None:
        self.body += chunk


@pytest.fixture(scope="module")
def mp4(media: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("mp4") / "made.mp4"
    assert main(["get", str(media("ts-muxed") / "main.m3u8"), "-o", str(path), "--layout", "fragmented"]) == 0
    return path.read_bytes()


def test_a_whole_mp4_passes_unchanged(mp4: bytes) -> None:
    kept = KeepingSink()
    sink = VerifyingSink(kept)
    asyncio.run(sink.write(mp4))
    assert sink.finish().length == len(kept.body)
    assert kept.body == mp4


def test_an_mp4_without_its_index_is_not_whole(mp4: bytes) -> None:
    sink = VerifyingSink(KeepingSink())
    asyncio.run(sink.write(mp4[: -int.from_bytes(mp4[-4:])]))
    with pytest.raises(TranscodeError, match="no index"):
        sink.finish()


def test_other_bytes_are_refused_at_once() -> None:
    with pytest.raises(TranscodeError):
        asyncio.run(VerifyingSink(KeepingSink()).write(b"<!DOCTYPE html><html></html>"))
