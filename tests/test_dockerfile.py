"""The Dockerfile: what can be told of it without a container engine."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from peers.aws import hadolint
from peers.leaks import children
from peers.origin import Rule, origin
from peers.serve_command import serving

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
    assert f"HTTPConnection('127.0.0.1', {arguments.port}, " in instructions("HEALTHCHECK")[0]


def health_check(url: str) -> int:
    """Run the health check as the container does, but of the server at `url`, and return its exit code."""
    port = url.rpartition(":")[2]
    command = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2].replace("9000", port))
    assert command[0] == "python"
    return subprocess.run([sys.executable, *command[1:]], check=False, stderr=subprocess.DEVNULL).returncode


def test_the_health_check_asks_the_service_and_stops_no_runtime() -> None:
    with serving("--stop-on-disconnect", environ=dict(os.environ)) as (url, server):
        assert httpx.get(url + "/health", timeout=60).status_code == 200  # starts the runtime, which takes a while
        runtimes = children(server)
        assert len(runtimes) == 1
        assert [health_check(url) for _ in range(3)] == [0, 0, 0]
        assert children(server) == runtimes
    assert health_check(url) == 1


@pytest.mark.parametrize(("status", "exit_code"), [(429, 0), (500, 1), (503, 1)])
def test_the_health_check_takes_a_busy_service_for_healthy_and_a_broken_one_for_ill(status: int, exit_code: int) -> None:
    with origin({}) as server:
        server.rules["/health"] = Rule(status=status)
        assert health_check(server.base) == exit_code
        assert [request.path for request in server.requests] == ["/health"]


def test_the_health_check_ends_by_itself_where_nothing_is_answered() -> None:
    (limit,) = re.findall(r"--timeout=(\d+)s", instructions("HEALTHCHECK")[0])
    with origin({}) as server:
        server.rules["/health"] = Rule(delay=60)
        started = time.monotonic()
        assert health_check(server.base) == 1
        assert time.monotonic() - started > int(limit) - 2


def test_it_runs_as_a_user_without_rights_and_from_a_pinned_base() -> None:
    (user,) = instructions("USER")
    assert int(user) > 0
    assert re.fullmatch(r"python:3\.\d+-[a-z]+-[a-z]+", instructions("FROM")[0])
    assert "--require-hashes" in instructions("RUN")[0]


def test_the_functions_processes_find_the_package() -> None:
    """They are started with -P, and nothing installs the package."""
    (folder,) = instructions("WORKDIR")
    assert f"PYTHONPATH={folder} " in instructions("ENV")[0]
