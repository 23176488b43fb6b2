"""The zips for Lambda: their content, and that the one for this machine runs the way Lambda runs it."""

import hashlib
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import NoReturn

import pytest
from conftest import Serve
from peers import media_reader
from peers.running_emulator import emulated, http
from peers.unpacked_packages import LOCAL_TARGET, packaged_modules, python313, unpack_packages

from infra.packages import elf, film
from infra.packages.archive import unpack, unpacked_size
from infra.packages.function import ROOT, WRAPPER
from infra.packages.target import AMAZON_LINUX_GLIBC, MAX_UNZIPPED_BYTES, TARGETS, Target
from transcoder.canary import ADDRESS, SOURCE
from transcoder.emulator import Options


def locked_names(lock: str) -> set[str]:
    """Return the names of the packages in a lock file."""
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / lock).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.fixture(params=TARGETS.values(), ids=list(TARGETS))
def target(request: pytest.FixtureRequest) -> Target:
    """A target whose function and layer have been made from the current source."""
    built: Target = request.param
    return require_packages(built)


def require_packages(target: Target) -> Target:
    """Skip the test unless the zips for `target` exist and have the current source."""
    for path, goal in ((target.function_zip, "package"), (target.layer_zip, "layer")):
        if not path.exists():
            _lack(f"{path.name} does not exist; run make {goal} ARCH={target.name}")
    with zipfile.ZipFile(target.function_zip) as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if name.startswith("transcoder/") and name.endswith(".py")}
        packed |= {name: archive.read(name) for name in archive.namelist() if name.startswith("transcoder/page/")}
    page = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "transcoder/page").rglob("*") if path.is_file()}
    if packed != {name: (ROOT / name).read_bytes() for name in packaged_modules(ROOT)} | page:
        _lack(f"{target.function_zip.name} is out of date; run make package ARCH={target.name}")
    return target


def _lack(what: str) -> NoReturn:
    """Skip the test, or fail it where the packages have just been made."""
    if os.environ.get("REQUIRE_PACKAGES"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def task(target: Target, tmp_path: Path) -> Path:
    """The folder of the unpacked function."""
    unpack(target.function_zip, tmp_path / "task")
    return tmp_path / "task"


def test_function_and_layer_are_within_lambdas_size_limit(target: Target) -> None:
    assert unpacked_size(target.function_zip) + unpacked_size(target.layer_zip) < MAX_UNZIPPED_BYTES


def test_the_function_contains_its_imports_and_nothing_else(task: Path) -> None:
    wheels = {path.parent for path in task.glob("*.dist-info/METADATA")}
    names = {str(message_from_bytes((wheel / "METADATA").read_bytes())["Name"]).lower().replace("_", "-") for wheel in wheels}
    assert names == locked_names("lambda.txt")
    assert not names & {"rich", "shtab", "boto3", "botocore", "s3transfer", "imageio-ffmpeg", "pytest", "setuptools", "pip"}
    assert not list(task.rglob("tests")) + list(task.rglob("imageio_ffmpeg"))
    assert not {path.name for path in (task / "transcoder").iterdir()} & {"cli", "emulator", "local", "api.py", "__main__.py"}


def test_the_function_does_not_need_the_dependencies_of_command_line_layer_and_runtime() -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"^\W*([a-z0-9-]+)>=", text, re.MULTILINE))

    project = re.search(r"^dependencies = \[$(.*?)^\]$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert project is not None
    function = (ROOT / "requirements" / "lambda.in").read_text(encoding="utf-8")
    assert names(project[1]) - names(function) == {"imageio-ffmpeg", "rich", "shtab"}
    assert names(function) <= names(project[1])
    assert locked_names("lambda.txt") <= locked_names("run.txt")


def test_every_module_is_compiled_by_the_runtimes_python_version(task: Path) -> None:
    sources = [path for path in task.rglob("*.py") if path.is_file()]
    compiled = [path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc" for path in sources]
    assert len(sources) > 100
    assert [path for path in compiled if not path.is_file()] == []
    unchecked = (1).to_bytes(4, "little")  # PEP 552: hash-based, and not checked
    assert {path.read_bytes()[4:8] for path in compiled} == {unchecked}
    assert {path.suffixes[0] for path in task.rglob("*.pyc")} == {".cpython-313"}


def test_the_wrapper_is_executable(task: Path) -> None:
    assert (task / WRAPPER).stat().st_mode & 0o777 == 0o755
    assert (task / WRAPPER).read_text(encoding="utf-8").startswith("#!/bin/sh\n")


def test_every_compiled_file_is_for_the_targets_architecture(target: Target, task: Path) -> None:
    found = {path.name: needed for path in task.rglob("*") if path.is_file() and (needed := elf.requirements(path))}
    assert any(name.startswith("_cffi_backend") for name in found)
    assert {needed.machine for needed in found.values()} == {target.elf_machine}
    assert max(needed.glibc for needed in found.values()) <= AMAZON_LINUX_GLIBC
    tags = {tag for path in task.glob("*.dist-info/WHEEL") for tag in message_from_bytes(path.read_bytes()).get_all("Tag", [])}
    assert all(tag.endswith(("-any", f"_{target.machine}")) for tag in tags)
    assert {tag.split("-")[0] for tag in tags} <= {"py2", "py3", "cp313", *(f"cp3{minor}" for minor in range(2, 13))}


def test_the_layer_is_ffmpeg_with_its_licence_and_a_correct_manifest(target: Target, tmp_path: Path) -> None:
    unpack(target.layer_zip, tmp_path)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["bin/ffmpeg", "share/ffmpeg/COPYING.GPLv3", "share/ffmpeg/SOURCE.md", "share/ffmpeg/manifest.json"]
    manifest = json.loads((tmp_path / "share" / "ffmpeg" / "manifest.json").read_text(encoding="utf-8"))
    program = tmp_path / "bin" / "ffmpeg"
    assert program.stat().st_mode & 0o777 == 0o755
    assert manifest["sha256"] == hashlib.sha256(program.read_bytes()).hexdigest()
    assert f"--arch={target.machine} " in manifest["configure"]
    assert "--enable-gpl --enable-version3" in manifest["configure"]
    assert elf.check(program, target) is not None  # raises if the runtime cannot run it
    assert manifest["wheel_sha256"] in (ROOT / "layers" / "ffmpeg" / f"{target.name}.txt").read_text(encoding="utf-8")
    if target is LOCAL_TARGET:
        output = subprocess.run([program, "-version"], check=True, capture_output=True, text=True).stdout
        assert f"ffmpeg version n{manifest['version']}" in output
        assert manifest["configure"] in output


def test_the_packages_make_a_video_the_way_lambda_runs_them(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    python = python313()
    if LOCAL_TARGET is None or python is None:
        pytest.skip("needs Python 3.13 and a processor that Lambda has")
    unpacked = unpack_packages(require_packages(LOCAL_TARGET), python, tmp_path)
    folder = media("ts-muxed")
    with emulated(Options(command=unpacked.command, environ=unpacked.environ)) as running:
        response = http.get(running.url + "/download", params={"url": serve(folder).url("/main.m3u8")})
        page = http.get(running.url + "/")
        files = [http.get(running.url + path) for path in re.findall(r"/assets/[\w.-]+", page.text)]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert len(files) > 4
    assert {file.status_code for file in files} == {200}
    assert (response.status_code, response.headers["content-type"]) == (200, "video/mp4")
    output = tmp_path / "output.mp4"
    output.write_bytes(response.content)
    assert media_reader.is_whole(output)
    source = media_reader.concatenate(folder / "main.m3u8", tmp_path / "source")
    assert media_reader.hashes(output) == media_reader.source_hashes(source)
    standard_path = subprocess.run(
        [python, "-I", "-S", "-c", "import sys; print(*sys.path, sep='\\n')"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    # An empty entry is the folder in which the function was started, which is its own.
    sys_path = set(unpacked.path_file.read_text(encoding="utf-8").splitlines()) - {""}
    assert sys_path <= {str(unpacked.task), "/opt/python", *standard_path}


def test_the_canary_in_the_package_fetches_its_film_from_the_packaged_function(serve: Serve, tmp_path: Path) -> None:
    python = python313()
    if LOCAL_TARGET is None or python is None:
        pytest.skip("needs Python 3.13 and a processor that Lambda has")
    unpacked = unpack_packages(require_packages(LOCAL_TARGET), python, tmp_path)
    film.make(tmp_path / "film" / "film.ts")
    source = serve(tmp_path / "film").url("/film.ts")
    call = "import transcoder.canary; print(transcoder.canary.handler({}, None)['film'])"  # as the managed runtime does
    with emulated(Options(command=unpacked.command, environ=unpacked.environ)) as running:
        environ = {"PATH": unpacked.environ["PATH"], "PYTHONPATH": str(tmp_path / "task"), ADDRESS: running.url}
        results = [
            subprocess.run(
                [tmp_path / "interpreter", "-c", call],
                env={**environ, SOURCE: address},
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            for address in (source, f"{source}.missing")
        ]
    assert [result.returncode for result in results] == [0, 1]
    assert results[0].stdout.startswith("whole: ")
    assert "InvocationError: The function responded with 502" in results[1].stderr
