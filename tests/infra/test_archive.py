"""Zips that depend on their content only."""

import os
import zipfile
from pathlib import Path

from infra.packages.archive import unpack, unpacked_size, write_zip


def write_files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\n" * 100, encoding="utf-8")
    return folder


def test_order_times_and_umask_do_not_change_the_zip(tmp_path: Path) -> None:
    one = write_files(tmp_path / "one", "a", "b/c", "b/d")
    other = write_files(tmp_path / "other", "b/d", "b/c", "a")
    os.utime(other / "a", (10**9, 10**9))
    (other / "b" / "c").chmod(0o600)
    (other / "empty").mkdir()
    for folder in (one, other):
        write_zip(folder, folder.with_suffix(".zip"))
    assert one.with_suffix(".zip").read_bytes() == other.with_suffix(".zip").read_bytes()


def test_executable_files_stay_executable(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "folder", "program", "text")
    (folder / "program").chmod(0o700)
    write_zip(folder, tmp_path / "a.zip")
    unpack(tmp_path / "a.zip", tmp_path / "out")
    assert [(tmp_path / "out" / name).stat().st_mode & 0o777 for name in ("program", "text")] == [0o755, 0o644]
    assert (tmp_path / "out" / "text").read_bytes() == (folder / "text").read_bytes()


def test_unpacked_size_is_the_size_of_the_files(tmp_path: Path) -> None:
    write_zip(write_files(tmp_path / "folder", "a", "b/c"), tmp_path / "a.zip")
    assert unpacked_size(tmp_path / "a.zip") == 100 * len("a\n") + 100 * len("b/c\n")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None


def test_an_existing_zip_is_replaced_completely(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"an older zip")
    write_zip(write_files(tmp_path / "folder", "a"), tmp_path / "a.zip")
    assert zipfile.is_zipfile(tmp_path / "a.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "folder"]
