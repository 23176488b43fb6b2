"""The emulator under AWS's own clients of the Runtime API: Node's, which streams, and Python's, which does not."""

import json
import logging
import os

import httpx
import pytest
from peers.aws import HANDLERS, node_client, python_client
from peers.running_emulator import emulated, http
from peers.sdk_invocation import invoke

from transcoder.emulator import Options


def options(command: tuple[str, ...], **environ: str) -> Options:
    handler = command[-1]
    return Options(
        command=command,
        environ={**os.environ, "LAMBDA_TASK_ROOT": str(HANDLERS), "PYTHONPATH": str(HANDLERS), "_HANDLER": handler, **environ},
    )


def test_node_streams_an_answer_with_status_headers_and_cookies() -> None:
    with emulated(options(node_client())) as running:
        first, second = (http.get(running.url + path) for path in ("/first", "/second"))
    assert (first.status_code, first.text, second.text) == (200, "hello /first", "hello /second")
    assert first.headers["content-type"] == "video/mp4"
    assert first.headers["x-content-duration"] == "1.5"
    assert first.headers["set-cookie"] == "a=b"


def test_node_breaks_a_stream_off_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with emulated(options(node_client())) as running:
        pid = http.get(running.url + "/hello") and running.pid
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(running.url + "/fail")
        assert http.get(running.url + "/hello").text == "hello /hello"
        assert running.pid == pid
    assert "no more of it" in caplog.text


def test_node_speaks_to_the_sdk() -> None:
    with emulated(options(node_client())) as running:
        payload, ends = invoke(running.url, "/hello")
        assert json.loads(payload.partition(b"\0" * 8)[0])["cookies"] == ["a=b"]
        assert (payload.partition(b"\0" * 8)[2], ends) == (b"hello /hello", [{}])
        payload, (end,) = invoke(running.url, "/fail")
    assert payload.endswith(b"hello ")
    assert end["ErrorCode"] == "RangeError"
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "no more of it"


def test_python_answers() -> None:
    with emulated(options(python_client())) as running:
        payload, ends = invoke(running.url, "/hello")
        again, _ = invoke(running.url, "/again")
    answer = json.loads(payload)
    assert (answer["path"], answer["function"], ends) == ("/hello", "transcoder", [{}])
    assert 0 < answer["left"] <= 900_000
    assert json.loads(again)["request"] != answer["request"]


def test_python_fails_and_goes_on() -> None:
    with emulated(options(python_client())) as running:
        _, (end,) = invoke(running.url, "/fail")
        pid = running.pid
        assert json.loads(invoke(running.url, "/hello")[0])["path"] == "/hello"
        assert running.pid == pid
    assert end["ErrorCode"] == "Function.Unknown"  # it names none
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "no such film"


def test_python_that_cannot_start_says_why(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), emulated(options(python_client(), FAIL_TO_START="1")) as running:
        payload, (end,) = invoke(running.url, "/hello")
        assert http.get(running.url + "/hello").status_code == 502
    assert payload == b""
    assert end["ErrorCode"] == "Function.Unknown"  # what it names is not of Lambda's form
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "no luck today"
    assert "no luck today" in caplog.text
