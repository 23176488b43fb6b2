"""Files of this machine that are no playlists are passed through as they are, or converted if that is asked for."""

from pathlib import Path

import pytest
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from peers import media_reader
from peers.command_line import run

import transcoder
from transcoder.core.media.mp4.boxes import box
from transcoder.errors import BadRequestError, UnsupportedSourceError


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same film with its `moov` in front of its media, and after them."""
    folder, made = tmp_path_factory.mktemp("films"), {}
    for name, options in {"front": ("-movflags", "+faststart"), "end": ()}.items():
        run_ffmpeg(*encoder_arguments(GeneratedVideo(seconds=1, timestamp_offset=0)), *options, folder / f"{name}.mp4")
        made[name] = (folder / f"{name}.mp4").read_bytes()
    return made


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("source", ["./film.mp4", "film.mp4", "{folder}/film.mp4", "file://{folder}/film.mp4"])
@pytest.mark.parametrize("place", ["front", "end"])
def test_a_file_is_passed_through_as_it_is(source: str, place: str, films: dict[str, bytes], folder: Path) -> None:
    (folder / "film.mp4").write_bytes(films[place])
    saved = transcoder.save_sync(source.format(folder=folder), "copy.mp4")
    assert (folder / "copy.mp4").read_bytes() == films[place]
    assert saved.bytes == len(films[place])
    assert (folder / "film.mp4").read_bytes() == films[place]


def test_the_command_passes_a_file_through_as_it_is(films: dict[str, bytes], folder: Path) -> None:
    (folder / "film.mp4").write_bytes(films["end"])
    completed = run("get", f"{folder}/film.mp4", "-o", f"{folder}/copy.mp4")
    assert (completed.returncode, completed.stdout) == (0, b"")
    assert (folder / "copy.mp4").read_bytes() == films["end"]


@pytest.mark.parametrize("place", ["front", "end"])
def test_a_file_is_converted_if_that_is_asked_for_and_its_index_is_in_its_first_bytes(
    place: str, films: dict[str, bytes], folder: Path
) -> None:
    (folder / "film.mp4").write_bytes(films[place])
    transcoder.save_sync("film.mp4", "copy.m4a", format="m4a")
    assert media_reader.is_whole(folder / "copy.m4a")


def test_a_longer_file_whose_index_is_at_its_end_is_not_converted(films: dict[str, bytes], folder: Path) -> None:
    moov = films["end"].rindex(b"moov") - 4
    (folder / "film.mp4").write_bytes(films["end"][:moov] + box(b"free", bytes(8_000_000)) + films["end"][moov:])
    with pytest.raises(UnsupportedSourceError, match="index"):
        transcoder.save_sync("film.mp4", "copy.m4a", format="m4a")
    assert [path.name for path in folder.iterdir()] == ["film.mp4"]


def test_a_file_that_is_not_there_is_no_source(folder: Path) -> None:
    with pytest.raises(BadRequestError, match="neither an address nor a file"):
        transcoder.save_sync("./film.mp4", "copy.mp4")
    assert list(folder.iterdir()) == []
