"""What a synthesis needs of the machine is checked first, with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from peers.unpacked_packages import python313

from infra.packages.function import ROOT


def check(folder: Path, node: str | None, python: str) -> subprocess.CompletedProcess[str]:
    """Run the check where `node`, if there is one, prints this as its version."""
    if node is not None:
        (folder / "node").write_text(f"#!/bin/sh\necho '{node}'\n", encoding="utf-8")
        (folder / "node").chmod(0o755)
    command = [sys.executable, "-m", "infra.versions", python]
    environ = {**os.environ, "PATH": str(folder)}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        pytest.param(None, "Node.js was not found, on which the AWS CDK runs; install version 20 or newer.", id="none"),
        pytest.param("v18.20.4", "Node.js 18 is too old for the AWS CDK; install version 20 or newer", id="too old"),
        pytest.param("0.10", "does not tell its version, so it is no Node.js", id="another program"),
    ],
)
def test_a_missing_or_old_node_is_named(tmp_path: Path, node: str | None, message: str) -> None:
    result = check(tmp_path, node, sys.executable)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("python", ["", "/nowhere/python3.13"], ids=["none", "a path that does not exist"])
def test_a_missing_python_is_named(tmp_path: Path, python: str) -> None:
    result = check(tmp_path, "v22.1.0", python)
    assert result.returncode == 1
    assert "PYTHON313=" in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_is_said_if_all_is_there(tmp_path: Path) -> None:
    python = python313()
    if python is None:
        pytest.skip("needs Python 3.13")
    result = check(tmp_path, "v20.0.0", python)
    assert (result.returncode, result.stderr) == (0, "")
