"""The package build refuses what would not run on Lambda; tests/infra/test_lambda_package.py checks the finished packages."""

import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest
from generated_video import ffmpeg_path

from infra.packages import elf
from infra.packages.archive import write_zip
from infra.packages.function import ROOT, size_report
from infra.packages.target import TARGETS, IncompatibleError

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the test reads an ELF program")


def package(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.packages.function", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("python", "message"),
    [
        pytest.param("", "no such interpreter was found", id="none"),
        pytest.param("/nowhere/python3.13", "cannot be run", id="a path that does not exist"),
        pytest.param(shutil.which("false") or "false", "cannot be run", id="another program"),
        pytest.param(
            sys.executable,
            "not 3.13",
            id="another version",
            marks=pytest.mark.skipif(sys.version_info[:2] == (3, 13), reason="this interpreter has the right version"),
        ),
    ],
)
def test_an_unsuitable_python_is_refused_with_a_message(python: str, message: str) -> None:
    result = package("--python", python)
    assert result.returncode == 1
    assert message in result.stderr
    assert "make package PYTHON313=" in result.stderr
    assert "Traceback" not in result.stderr


def test_sizes_are_reported_and_limited(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "zeros").write_bytes(bytes(1000))
    function, layer = tmp_path / "function.zip", tmp_path / "layer.zip"
    write_zip(tmp_path / "folder", function)
    assert "1,000 unzipped, without layer.zip" in size_report(function, layer, limit=1000)
    write_zip(tmp_path / "folder", layer)
    assert "1,000 unzipped, 2,000 with the layer" in size_report(function, layer, limit=2000)
    with pytest.raises(IncompatibleError, match=r"2,000 bytes unzipped; Lambda's limit is 1,999\."):
        size_report(function, layer, limit=1999)


@LINUX
def test_a_program_for_another_architecture_is_refused() -> None:
    program = Path(ffmpeg_path())
    found = elf.requirements(program)
    assert found is not None
    (other,) = (target for target in TARGETS.values() if target.elf_machine != found.machine)
    with pytest.raises(IncompatibleError, match=f"not for {other.name}"):
        elf.check(program, other)


@LINUX
def test_a_program_that_needs_a_library_missing_in_the_runtime_is_refused() -> None:
    # PyAV's extension modules need the libraries bundled with PyAV, which the runtime does not have.
    path = next(Path(av.__file__).parent.rglob("*.so"))
    found = elf.requirements(path)
    assert found is not None
    (own,) = (target for target in TARGETS.values() if target.elf_machine == found.machine)
    with pytest.raises(IncompatibleError, match="which the managed runtime does not have"):
        elf.check(path, own)


def test_a_text_file_is_not_a_program() -> None:
    assert elf.requirements(Path(__file__)) is None
