"""How the runtime starts and ends; the emulator's tests cover what it does in between."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from peers import small_application
from peers.running_emulator import SECONDS, emulated, http

from transcoder.emulator import Options

ROOT = Path(__file__).resolve().parents[1]
WRAPPER = str(ROOT / "infra" / "packages" / "transcoder-wrapper")


@contextmanager
def waiting_runtime() -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """Start a runtime; yield it when it has asked for its first invocation, with the connection on which it waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        environ = {**os.environ, "AWS_LAMBDA_RUNTIME_API": "{}:{}".format(*listener.getsockname())}
        with subprocess.Popen(small_application.COMMAND, env=environ, stderr=subprocess.PIPE) as process:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(65536).startswith(b"GET /2018-06-01/runtime/invocation/next ")
                yield process, connection
            process.kill()


def test_it_ends_quietly_when_lambda_shuts_the_environment_down() -> None:
    with waiting_runtime() as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=SECONDS)[1] == b""
        assert process.returncode == 0


def test_it_exits_when_the_runtime_api_is_gone() -> None:
    with waiting_runtime() as (process, connection):
        connection.close()
        assert b"ended early" in process.communicate(timeout=SECONDS)[1]
        assert process.returncode == 1


def test_started_by_hand_it_says_how_to_start_it() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "AWS_LAMBDA_RUNTIME_API"}
    command = [sys.executable, "-m", "transcoder.bootstrap"]
    completed = subprocess.run(command, env=environ, capture_output=True, timeout=SECONDS, check=False)
    assert completed.returncode == 2
    assert b"transcoder serve" in completed.stderr


def test_an_unknown_setting_is_a_failed_start(caplog: pytest.LogCaptureFixture) -> None:
    with emulated(Options(command=small_application.COMMAND, environ={**os.environ, "TRANSCODER_COLOUR": "red"})) as running:
        assert http.get(running.url + "/hello").status_code == 502
    assert "TRANSCODER_COLOUR is not a setting" in caplog.text


@pytest.mark.parametrize(
    "command",
    [
        pytest.param((sys.executable, "-m", "transcoder.bootstrap"), id="as the emulator starts it"),
        pytest.param((WRAPPER, sys.executable, "/var/runtime/bootstrap.py"), id="as a wrapper of the managed Python"),
        pytest.param((WRAPPER,), id="as the bootstrap of a custom runtime"),
    ],
)
def test_the_transcoder_itself_starts(command: tuple[str, ...]) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with emulated(Options(command=command, environ={**os.environ, "PATH": path, "LAMBDA_TASK_ROOT": str(ROOT)})) as running:
        response = http.get(running.url + "/health")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
