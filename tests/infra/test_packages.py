"""How the making of packages refuses what would not run; what comes out of it, tests/infra/test_lambda_package.py shows."""

import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest
from generated_video import ffmpeg_path

from infra.packages import elf
from infra.packages.archive import write_zip
from infra.packages.function import ROOT, sizes
from infra.packages.target import TARGETS, UnfitError

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads a program for Linux")


def package(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.packages.function", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        pytest.param("", "none was found", id="none"),
        pytest.param("/nowhere/python3.13", "cannot be run", id="one that is not there"),
        pytest.param(shutil.which("false") or "false", "cannot be run", id="one that is something else"),
        pytest.param(
            sys.executable,
            "not 3.13",
            id="another version",
            marks=pytest.mark.skipif(sys.version_info[:2] == (3, 13), reason="this is that version"),
        ),
    ],
)
def test_a_python_that_will_not_do_is_said_in_a_sentence(python: str, sentence: str) -> None:
    ended = package("--python", python)
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert "make package PYTHON313=" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sizes_are_said_and_held_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "zeros").write_bytes(bytes(1000))
    made, layer = tmp_path / "function.zip", tmp_path / "layer.zip"
    write_zip(tmp_path / "folder", made)
    assert "1,000 laid out, without layer.zip" in sizes(made, layer, limit=1000)
    write_zip(tmp_path / "folder", layer)
    assert "1,000 laid out, 2,000 with the layer" in sizes(made, layer, limit=2000)
    with pytest.raises(UnfitError, match=r"2,000 bytes laid out; Lambda takes 1,999\."):
        sizes(made, layer, limit=1999)


@LINUX
def test_a_program_for_another_processor_is_refused() -> None:
    program = Path(ffmpeg_path())
    found = elf.needs(program)
    assert found is not None
    (other,) = (target for target in TARGETS.values() if target.elf != found.machine)
    with pytest.raises(UnfitError, match=f"not for {other.name}"):
        elf.check(program, other)


@LINUX
def test_a_program_that_needs_what_the_runtime_has_not_is_refused() -> None:
    # What PyAV is made of needs the libraries that come with it, which would have to be packed as well.
    path = next(Path(av.__file__).parent.rglob("*.so"))
    found = elf.needs(path)
    assert found is not None
    (own,) = (target for target in TARGETS.values() if target.elf == found.machine)
    with pytest.raises(UnfitError, match="which the managed runtime does not have"):
        elf.check(path, own)


def test_a_text_is_no_program() -> None:
    assert elf.needs(Path(__file__)) is None
