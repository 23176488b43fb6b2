"""What an installation contains, and that it works in an environment without anything else."""

import os
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.empty_environment import ROOT, SECONDS, build_wheel, install

NAME = "hls-transcoder"
EXAMPLE_URL = "https://example.com/video/main.m3u8"

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("environment"))


def run(program: Path, *arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(program), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS, cwd=cwd, env=kept | environ)


def test_the_wheel_contains_the_files_of_the_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if name.startswith("transcoder/page/")}
        assert "transcoder/py.typed" in archive.namelist()
    files = [path for path in (ROOT / "transcoder" / "page").rglob("*") if path.is_file()]
    assert packed == {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files}


def test_the_distribution_has_a_name_of_its_own_and_the_command_its_old_one(wheel: Path, programs: Path, tmp_path: Path) -> None:
    assert wheel.name.startswith(f"{NAME.replace('-', '_')}-")
    completed = run(programs / "transcoder", "--version", cwd=tmp_path)
    assert (completed.returncode, completed.stdout.split()[0]) == (0, "transcoder")
    documented = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert f"**{NAME}**" in documented


def test_the_example_of_the_documentation_runs_where_only_the_wheel_is(
    programs: Path, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)
    assert EXAMPLE_URL in example
    script, folder = tmp_path / "example.py", tmp_path / "folder"
    folder.mkdir()
    script.write_text(example.replace(EXAMPLE_URL, serve(media("ts-separate-audio")).url("/main.m3u8")))
    completed = run(programs / "python", str(script), cwd=folder)
    assert (completed.returncode, completed.stderr) == (0, "")
    assert {path.name for path in folder.iterdir()} == {"video.mp4", "clip.mp4", "stream.mp4"}
    assert all(media_reader.is_whole(path) for path in folder.iterdir())
    lines = completed.stdout.splitlines()
    assert lines[0] == "video.mp4 6.037 [(180, False), (360, True)]"
    assert lines[1] == f"video.mp4 {(folder / 'video.mp4').stat().st_size} {lines[1].split()[2]}"
    assert lines[-1].split()[0] == str((folder / "stream.mp4").stat().st_size)


def test_without_boto3_everything_works_but_what_asks_aws(
    programs: Path, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    assert run(programs / "python", "-c", "import boto3", cwd=tmp_path).returncode == 1
    url = serve(media("ts-muxed")).url("/main.m3u8")
    assert run(programs / "transcoder", url, "-o", "x.mp4", cwd=tmp_path).returncode == 0
    assert media_reader.is_whole(tmp_path / "x.mp4")
    asking = [
        (["get", "s3://bucket/main.m3u8"], {"TRANSCODER_ALLOWED_BUCKETS": "bucket"}, "s3://bucket: "),
        (["invoke", url, "--function", "f"], {}, "--function: "),
        (["invoke", url, "--url", "https://a.lambda-url.eu-west-1.on.aws/", "--sign-aws"], {}, "--sign-aws: "),
        (["sign", url], {"TRANSCODER_SIGNING_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:s"}, "The keys of signed links "),
    ]
    for words, environ, beginning in asking:
        completed = run(programs / "transcoder", *words, cwd=tmp_path, **environ)
        sentence = "this needs the package boto3, which is not installed: pip install boto3."
        assert (completed.returncode, sentence in completed.stderr, completed.stderr.count("\n")) == (2, True, 1), completed.stderr
        assert completed.stderr.startswith(f"transcoder: {beginning}")
    completed = run(programs / "transcoder", "serve", "--s3", "--port", "0", cwd=tmp_path)
    assert (completed.returncode, f"pip install '{NAME}[s3]'" in completed.stderr) == (2, True)


def test_an_installation_without_a_requirement_is_noticed(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        install(wheel, tmp_path / "environment", without=frozenset({"rich"}))
