"""AWS's own programs, where `make peers` has installed them; a test that lacks one is skipped, or fails if REQUIRE_PEERS is 1."""

import os
import platform
from pathlib import Path

import pytest

PEERS = Path(__file__).resolve().parents[2] / ".peers"
HANDLERS = Path(__file__).resolve().parents[1] / "aws" / "handlers"


def _have(path: Path, what: str) -> Path:
    if not path.exists():
        lack(f"{what} is not installed: `make peers` does it")
    return path


def lack(reason: str) -> None:
    """Skip the test for `reason`, or fail it if it is to be run."""
    if os.environ.get("REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def node_client() -> tuple[str, ...]:
    """Return the command of aws-lambda-ric with the streaming handler."""
    arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    modules = PEERS / "node" / "node_modules"
    node = _have(modules / f"node-linux-{arch}" / "bin" / "node", "Node 22")
    client = _have(modules / "aws-lambda-ric" / "index.mjs", "AWS's Node client")
    _have(modules / "aws-lambda-ric" / "rapid-client.node", "the native part of AWS's Node client")
    return (str(node), str(client), "streaming.handler")


def python_client() -> tuple[str, ...]:
    """Return the command of awslambdaric with the buffered handler."""
    return (str(_have(PEERS / "python" / "bin" / "python", "AWS's Python client")), "-m", "awslambdaric", "buffered.handler")


def runtime_interface_emulator() -> str:
    """Return the path of the Runtime Interface Emulator."""
    return str(_have(PEERS / "rie" / "aws-lambda-rie", "the Runtime Interface Emulator"))
