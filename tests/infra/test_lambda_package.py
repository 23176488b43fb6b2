"""The zips that are put on Lambda: what is in them, and that the one for this machine runs as Lambda runs it."""

import hashlib
import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.running_emulator import emulated, http
from peers.unpacked_packages import HERE, lay_out, modules, python313

from infra.packages import elf
from infra.packages.archive import unpack, unpacked_size
from infra.packages.function import ROOT, WRAPPER
from infra.packages.target import LIBC, LIMIT, TARGETS, Target
from transcoder.emulator import Options

OURS = {"transcoder", WRAPPER}


def names_locked(lock: str) -> set[str]:
    """Name the packages of a lock file."""
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / lock).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.fixture(params=TARGETS.values(), ids=list(TARGETS))
def target(request: pytest.FixtureRequest) -> Target:
    """A processor for which function and layer have been made, of what the source is now."""
    made: Target = request.param
    return fresh(made)


def fresh(target: Target) -> Target:
    for path, verb in ((target.function_zip, "package"), (target.layer_zip, "layer")):
        if not path.exists():
            pytest.skip(f"{path.name} is not made: make {verb} ARCH={target.name}")
    with zipfile.ZipFile(target.function_zip) as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if name.startswith("transcoder/") and name.endswith(".py")}
    if packed != {name: (ROOT / name).read_bytes() for name in modules(ROOT)}:
        pytest.skip(f"{target.function_zip.name} is of another state of the source: make package ARCH={target.name}")
    return target


@pytest.fixture
def task(target: Target, tmp_path: Path) -> Path:
    """The function, unpacked."""
    unpack(target.function_zip, tmp_path / "task")
    return tmp_path / "task"


def test_they_fit_into_lambda_together(target: Target) -> None:
    assert unpacked_size(target.function_zip) + unpacked_size(target.layer_zip) < LIMIT


def test_the_function_holds_what_it_imports_and_nothing_else(task: Path) -> None:
    wheels = {path.parent for path in task.glob("*.dist-info/METADATA")}
    named = {str(message_from_bytes((wheel / "METADATA").read_bytes())["Name"]).lower().replace("_", "-") for wheel in wheels}
    assert named == names_locked("lambda.txt")
    assert not named & {"rich", "boto3", "botocore", "s3transfer", "imageio-ffmpeg", "pytest", "setuptools", "pip"}
    assert not list(task.rglob("tests")) + list(task.rglob("imageio_ffmpeg"))
    assert not {path.name for path in (task / "transcoder").iterdir()} & {"cli", "emulator", "__main__.py"}


def test_it_needs_what_the_package_needs_but_for_the_command_line_the_layer_and_the_runtime() -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"^\W*([a-z0-9-]+)>=", text, re.MULTILINE))

    project = re.search(r"^dependencies = \[$(.*?)^\]$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert project is not None
    function = (ROOT / "requirements" / "lambda.in").read_text(encoding="utf-8")
    assert names(project[1]) - names(function) == {"boto3", "imageio-ffmpeg", "rich"}
    assert names(function) <= names(project[1])
    assert names_locked("lambda.txt") <= names_locked("run.txt")


def test_every_module_is_compiled_by_the_runtimes_version(task: Path) -> None:
    sources = [path for path in task.rglob("*.py") if path.is_file()]
    compiled = [path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc" for path in sources]
    assert len(sources) > 100
    assert [path for path in compiled if not path.is_file()] == []
    unchecked = (1).to_bytes(4, "little")  # PEP 552: a hash that is not looked at
    assert {path.read_bytes()[4:8] for path in compiled} == {unchecked}
    assert {path.suffixes[0] for path in task.rglob("*.pyc")} == {".cpython-313"}


def test_the_wrapper_may_be_executed_and_nothing_else_of_ours_need_be(task: Path) -> None:
    assert (task / WRAPPER).stat().st_mode & 0o777 == 0o755
    assert (task / WRAPPER).read_text(encoding="utf-8").startswith("#!/bin/sh\n")


def test_every_compiled_file_is_for_its_processor(target: Target, task: Path) -> None:
    found = {path.name: needs for path in task.rglob("*") if path.is_file() and (needs := elf.needs(path))}
    assert any(name.startswith("_cffi_backend") for name in found)
    assert {needs.machine for needs in found.values()} == {target.elf}
    assert max(needs.libc for needs in found.values()) <= LIBC
    tags = {tag for path in task.glob("*.dist-info/WHEEL") for tag in message_from_bytes(path.read_bytes()).get_all("Tag", [])}
    assert all(tag.endswith(("-any", f"_{target.machine}")) for tag in tags)
    assert {tag.split("-")[0] for tag in tags} <= {"py2", "py3", "cp313", *(f"cp3{minor}" for minor in range(2, 13))}


def test_the_layer_is_ffmpeg_with_its_licence_and_a_true_manifest(target: Target, tmp_path: Path) -> None:
    unpack(target.layer_zip, tmp_path)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["bin/ffmpeg", "share/ffmpeg/COPYING.GPLv3", "share/ffmpeg/SOURCE.md", "share/ffmpeg/manifest.json"]
    manifest = json.loads((tmp_path / "share" / "ffmpeg" / "manifest.json").read_text(encoding="utf-8"))
    program = tmp_path / "bin" / "ffmpeg"
    assert program.stat().st_mode & 0o777 == 0o755
    assert manifest["sha256"] == hashlib.sha256(program.read_bytes()).hexdigest()
    assert f"--arch={target.machine} " in manifest["configure"]
    assert "--enable-gpl --enable-version3" in manifest["configure"]
    needs = elf.check(program, target)  # raises for what the runtime has not
    assert needs is not None
    assert manifest["wheel_sha256"] in (ROOT / "layers" / "ffmpeg" / f"{target.name}.txt").read_text(encoding="utf-8")
    if target is HERE:
        said = subprocess.run([program, "-version"], check=True, capture_output=True, text=True).stdout
        assert f"ffmpeg version n{manifest['version']}" in said
        assert manifest["configure"] in said


def test_a_film_comes_out_of_what_is_put_on_lambda(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    python = python313()
    if HERE is None or python is None:
        pytest.skip("it runs on Linux with Python 3.13, on a processor that Lambda has")
    laid_out = lay_out(fresh(HERE), python, tmp_path)
    folder = media("ts-muxed")
    with emulated(Options(command=laid_out.command, environ=laid_out.environ)) as running:
        response = http.get(running.url + "/download", params={"url": serve(folder).url("/main.m3u8")})
    assert (response.status_code, response.headers["content-type"]) == (200, "video/mp4")
    made = tmp_path / "film.mp4"
    made.write_bytes(response.content)
    assert media_reader.is_whole(made)
    source = media_reader.concatenate(folder / "main.m3u8", tmp_path / "source")
    assert media_reader.hashes(made) == media_reader.source_hashes(source)
    known = subprocess.run(
        [python, "-I", "-S", "-c", "import sys; print(*sys.path, sep='\\n')"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    # An empty entry is the folder that the function was started in, which is its own.
    assert set(laid_out.said.read_text(encoding="utf-8").splitlines()) - {""} <= {str(laid_out.task), "/opt/python", *known}
