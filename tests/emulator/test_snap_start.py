"""SnapStart in the emulator: which calls of the Runtime API may follow which, and how the real bootstrap goes on from its snapshot."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers.running_emulator import emulated, http, small_application_options
from peers.scripted_runtime import Emulation, emulate

from transcoder.emulator import Options


@pytest.fixture
def emulation(tmp_path: Path) -> Iterator[Emulation]:
    with emulate(tmp_path, Options(snap_start=True)) as emulation:
        yield emulation


def openings() -> list[float]:
    """Return the random number of each time that one process, and its application, was opened."""
    with emulated(small_application_options(snap_start=True)) as running:
        return list(json.loads(http.get(running.url + "/opened").text))


def test_the_application_is_opened_before_the_snapshot_and_again_after_it() -> None:
    assert len(openings()) == 2


def test_copies_of_a_snapshot_have_random_numbers_of_their_own() -> None:
    one, other = openings(), openings()
    assert one[0] == other[0]
    assert one[1] != other[1]


def test_without_snap_start_the_application_is_opened_once() -> None:
    with emulated(small_application_options()) as running:
        assert len(json.loads(http.get(running.url + "/opened").text)) == 1


def test_the_transcoder_itself_goes_on_from_a_snapshot() -> None:
    command = (sys.executable, "-m", "transcoder.bootstrap")
    with emulated(Options(command=command, environ=dict(os.environ), snap_start=True)) as running:
        assert http.get(running.url + "/health").json()["status"] == "ok"


@pytest.mark.parametrize(
    ("opening", "name", "exit_code"),
    [
        pytest.param("1", "Runtime.InitError", 64, id="before the snapshot"),
        pytest.param("2", "Runtime.AfterRestoreError", 65, id="after it"),
    ],
)
def test_a_failed_opening_is_reported_and_ends_the_process(
    opening: str, name: str, exit_code: int, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {**os.environ, "FAIL_TO_START": opening}
    with caplog.at_level(logging.ERROR), emulated(small_application_options(snap_start=True, environ=environ)) as running:
        assert http.get(running.url + "/hello").status_code == 502
    assert f"{name}: " in caplog.text
    assert "no luck today" in caplog.text
    assert f"the runtime exited with {exit_code} before its first invocation" in caplog.text


def test_the_runtime_learns_that_it_has_snap_start() -> None:
    environ = Options(snap_start=True).runtime_environ("127.0.0.1:1")
    assert (environ["AWS_LAMBDA_INITIALIZATION_TYPE"], environ["AWS_LAMBDA_FUNCTION_VERSION"]) == ("snap-start", "1")


def test_an_invocation_comes_only_after_the_restore(emulation: Emulation) -> None:
    pending = emulation.get()
    assert emulation.runtime.call("GET", "/invocation/next").status == 403
    assert emulation.runtime.call("GET", "/restore/next").status == 200
    emulation.runtime.stream(emulation.runtime.next()[0], b"x")
    assert pending.result().text == "x"


def test_a_snapshot_is_taken_once(emulation: Emulation) -> None:
    emulation.get()
    assert [emulation.runtime.call("GET", "/restore/next").status for _ in range(2)] == [200, 403]
    assert emulation.runtime.call("POST", "/init/error", b"{}").status == 403


def test_a_restore_error_before_the_restore_is_refused(emulation: Emulation) -> None:
    emulation.get()
    assert emulation.runtime.call("POST", "/restore/error", b"{}").status == 403


def test_a_restore_error_fails_the_invocation_that_started_the_process(emulation: Emulation) -> None:
    emulation.get()
    assert emulation.runtime.call("GET", "/restore/next").status == 200
    assert emulation.runtime.call("POST", "/restore/error", b"{}", {"Lambda-Runtime-Function-Error-Type": "Runtime.A"}).status == 202
    assert emulation.runtime.call("GET", "/invocation/next").status == 403


@pytest.mark.parametrize(("method", "path"), [("GET", "/restore/next"), ("POST", "/restore/error")])
def test_there_is_no_restore_without_snap_start(tmp_path: Path, method: str, path: str) -> None:
    with emulate(tmp_path) as emulation:
        emulation.get()
        assert emulation.runtime.call(method, path).status == 404
