"""`transcoder get` with several sources."""

import json
from pathlib import Path

from conftest import Serve
from peers import media_reader
from peers.command_line import run_text

Files = tuple[dict[str, bytes], Path]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_that_fails_does_not_stop_the_others(serve: Serve, muxed: Files, tmp_path: Path) -> None:
    origin, folder = serve(muxed[0]), tmp_path / "new" / "folder"
    good, bad = origin.url("/main.m3u8"), origin.url("/none.m3u8")
    completed = run_text("get", good, bad, "-P", str(folder), "neither", f"{good}?other", "--filename", "x")
    assert completed.returncode == 4
    assert names(folder) == ["x.mp4"]
    assert media_reader.is_whole(folder / "x.mp4")
    lines = completed.stderr.splitlines()
    assert lines[0].startswith(f"{folder}/x.mp4: ")
    assert lines[1].startswith(f"transcoder: {bad}: ")
    assert lines[2] == "transcoder: neither: url: 'neither' is neither an address nor a file."
    assert "x.mp4 exists already" in lines[3]
    assert lines[4:] == ["1 of 4 saved"]


def test_a_list_of_sources_is_read(serve: Serve, muxed: Files, tmp_path: Path) -> None:
    origin = serve(muxed[0] | {"/other.m3u8": muxed[0]["/main.m3u8"]})
    one, two = origin.url("/main.m3u8"), origin.url("/other.m3u8")
    listed = tmp_path / "list.txt"
    listed.write_text(f"# films\n\n  {one}  \n{two}\n")
    completed = run_text("get", "-a", str(listed), "--force", "-P", str(tmp_path), "--json", "-q")
    assert (completed.returncode, completed.stderr) == (0, "")
    assert [json.loads(line)["url"] for line in completed.stdout.splitlines()] == [one, two]


def test_only_a_newline_ends_a_line_of_a_list(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_bytes("one\u2028file.m3u8\r\nanother\x0bfile.m3u8\r\n".encode())
    completed = run_text("get", "-a", str(listed), "-P", str(tmp_path), "--json")
    assert [json.loads(line)["url"] for line in completed.stdout.strip().split("\n")] == ["one\u2028file.m3u8", "another\x0bfile.m3u8"]


def test_an_output_that_replaces_another_one_is_a_failure(serve: Serve, muxed: Files, tmp_path: Path) -> None:
    origin, folder = serve(muxed[0]), tmp_path / "out"
    one, two = (origin.url(f"/main.m3u8?{number}") for number in (1, 2))
    completed = run_text("get", one, two, "--force", "--filename", "x", "-P", str(folder))
    assert (completed.returncode, names(folder)) == (6, ["x.mp4"])
    assert f"{two}: {folder}/x.mp4: this has replaced what was saved of {one}" in completed.stderr
    assert completed.stderr.endswith("1 of 2 saved\n")


def test_failures_are_json_with_their_source(serve: Serve, muxed: Files, tmp_path: Path) -> None:
    origin = serve(muxed[0])
    completed = run_text("get", origin.url("/none.m3u8"), origin.url("/main.m3u8"), "-P", str(tmp_path), "--json")
    failed, saved = [json.loads(line) for line in completed.stdout.splitlines()]
    assert (completed.returncode, failed["url"], failed["slug"]) == (4, origin.url("/none.m3u8"), "upstream-failed")
    assert media_reader.is_whole(Path(saved["path"]))


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    for words, message in [
        (["get", "a", "b", "-o", "x.mp4"], "use -P FOLDER"),
        (["get", "-a", str(tmp_path / "none")], "No such file"),
        (["get"], "name a source"),
    ]:
        completed = run_text(*words)
        assert (completed.returncode, message in completed.stderr) == (2, True)
    (tmp_path / "file").write_text("")
    completed = run_text("get", "a", "-P", str(tmp_path / "file"))
    assert (completed.returncode, "File exists" in completed.stderr) == (6, True)
