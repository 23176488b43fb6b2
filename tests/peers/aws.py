"""AWS's own programs, Express and the linter of the Dockerfile, installed by `make peers`.

A test is skipped if its program is missing, or fails if REQUIRE_PEERS is 1.
"""

import os
import platform
import shutil
from pathlib import Path

import pytest

PEERS = Path(__file__).resolve().parents[2] / ".peers"
HANDLERS = Path(__file__).resolve().parents[1] / "aws" / "handlers"


def _required(path: Path, program: str) -> Path:
    if not path.exists():
        skip_for_lack_of(f"{program}; `make peers` installs it")
    return path


def skip_for_lack_of(requirement: str) -> None:
    """Skip the test because `requirement` is missing, or fail it if REQUIRE_PEERS is 1."""
    reason = f"missing: {requirement}"
    if os.environ.get("REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def node_client() -> tuple[str, ...]:
    """Return the command that runs aws-lambda-ric with the streaming handler."""
    arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    modules = PEERS / "node" / "node_modules"
    node = _required(modules / f"node-linux-{arch}" / "bin" / "node", "Node 22")
    client = _required(modules / "aws-lambda-ric" / "index.mjs", "AWS's Node client")
    _required(modules / "aws-lambda-ric" / "rapid-client.node", "the native part of AWS's Node client")
    return (str(node), str(client), "streaming.handler")


def hadolint() -> str:
    """Return the path of the linter of the Dockerfile."""
    return str(_required(PEERS / "python" / "bin" / "hadolint", "hadolint"))


def express() -> Path:
    """Return the folder of Node packages that has Express."""
    return _required(PEERS / "express" / "node_modules" / "express", "Express").parent


def node() -> str:
    """Return the path of the system's Node."""
    return str(_required(Path(shutil.which("node") or "/node"), "Node, with npm"))


def python_client() -> tuple[str, ...]:
    """Return the command that runs awslambdaric with the buffered handler."""
    return (str(_required(PEERS / "python" / "bin" / "python", "AWS's Python client")), "-m", "awslambdaric", "buffered.handler")


def runtime_interface_emulator() -> str:
    """Return the path of the Runtime Interface Emulator."""
    return str(_required(PEERS / "rie" / "aws-lambda-rie", "the Runtime Interface Emulator"))
