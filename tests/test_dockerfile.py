"""The Dockerfile: what can be told of it without a container engine."""

import re
import shlex
import subprocess
from pathlib import Path

from peers.aws import hadolint

from transcoder.cli.command_line import command_parser

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", TEXT, re.MULTILINE)


def test_it_has_no_findings() -> None:
    found = subprocess.run([hadolint(), str(ROOT / "Dockerfile")], check=False, stdout=subprocess.PIPE, text=True)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_build_gets_what_is_copied_and_nothing_else() -> None:
    sources = {shlex.split(each)[0] for each in instructions("COPY")}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == sources
    assert all((ROOT / source).exists() for source in sources)


def test_the_command_line_takes_its_command() -> None:
    (command,) = instructions("CMD")
    name, *options = re.findall(r'"([^"]*)"', command)
    arguments = command_parser(name).parse_args(options)
    assert arguments.host == "0.0.0.0"
    assert instructions("EXPOSE") == [str(arguments.port)]
    assert f"http://127.0.0.1:{arguments.port}/health" in instructions("HEALTHCHECK")[0]


def test_it_runs_as_a_user_without_rights_and_from_a_pinned_base() -> None:
    (user,) = instructions("USER")
    assert int(user) > 0
    assert re.fullmatch(r"python:3\.\d+-[a-z]+-[a-z]+", instructions("FROM")[0])
    assert "--require-hashes" in instructions("RUN")[0]


def test_the_functions_processes_find_the_package() -> None:
    """They are started with -P, and nothing installs the package."""
    (folder,) = instructions("WORKDIR")
    assert f"PYTHONPATH={folder} " in instructions("ENV")[0]
