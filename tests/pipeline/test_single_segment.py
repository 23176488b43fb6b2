"""A file that is one segment, without a playlist: how long it is, and that nothing of it is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.application import Answered, ask
from peers.origin import Origin, Rule
from peers.single_files import single_files

from transcoder.settings import Settings

SETTINGS = Settings(allow_private=True, retry_seconds=0.01, attempts=1)
Media = Callable[[str], Path]
Files = dict[str, bytes]


@pytest.fixture
def files(media: Media) -> Files:
    """Return files of each container, and two more: one with a long box before its media, and one that begins with a broken box."""
    files = single_files(media)
    return {**files, "/long.m4s": b"\0\1\0\0free" + bytes(65528) + files["/one.m4s"], "/damaged.m4s": b"\0\0\0\4moof" + bytes(100)}


def report(origin: Origin, path: str) -> Answered:
    return ask(f"/info?url={origin.url(path)}?token=x", settings=SETTINGS)


@pytest.mark.parametrize("path", ["/one.ts", "/all.ts", "/whole.aac", "/all.m4s", "/long.m4s"])
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_the_media_of_a_file_show_how_long_it_is(path: str, files: Files, serve: Serve, tmp_path: Path, *, ranges: bool) -> None:
    origin, source = serve(files), tmp_path / path[1:]
    origin.rules[path] = Rule(ignore_range=not ranges)
    source.write_bytes(files[path])
    answer = report(origin, path)
    assert answer.document["seconds"] == pytest.approx(media_reader.duration(source), abs=0.05)


@pytest.mark.parametrize("path", ["/all.ts", "/whole.aac", "/all.m4s"])
def test_nothing_of_a_file_is_lost(path: str, files: Files, serve: Serve, tmp_path: Path) -> None:
    source, output = tmp_path / path[1:], tmp_path / "output.mp4"
    source.write_bytes(files[path])
    answer = ask(f"/download?layout=fragmented&url={serve(files).url(path)}", settings=SETTINGS)
    output.write_bytes(answer.body)
    assert media_reader.is_whole(output)
    assert media_reader.packet_counts(output) == media_reader.packet_counts(source)


def test_a_segment_that_cannot_be_read_alone_is_refused(files: Files, serve: Serve) -> None:
    status, slug, detail = report(serve(files), "/bare.m4s").problem
    assert (status, slug) == (422, "unsupported-source")
    assert detail.startswith("bare.m4s is one segment of a video, without the initialization section")


def test_a_damaged_file_is_a_failure_of_its_origin(files: Files, serve: Serve) -> None:
    assert report(serve(files), "/damaged.m4s").problem[:2] == (502, "upstream-failed")
