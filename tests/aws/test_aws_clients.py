"""The emulator with AWS's own clients of the Runtime API: the Node client, which streams, and the Python client, which does not."""

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


def test_node_streams_a_response_with_status_headers_and_cookies() -> None:
    with emulated(options(node_client())) as running:
        first, second = (http.get(running.url + path) for path in ("/first", "/second"))
    assert (first.status_code, first.text, second.text) == (200, "hello /first", "hello /second")
    assert first.headers["content-type"] == "video/mp4"
    assert first.headers["x-content-duration"] == "1.5"
    assert first.headers["set-cookie"] == "a=b"


def test_node_goes_on_after_a_failed_stream(caplog: pytest.LogCaptureFixture) -> None:
    with emulated(options(node_client())) as running:
        pid = http.get(running.url + "/hello") and running.pid
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(running.url + "/fail")
        assert http.get(running.url + "/hello").text == "hello /hello"
        assert running.pid == pid
    assert "no more of it" in caplog.text


def test_the_sdk_gets_nodes_responses_and_errors() -> None:
    with emulated(options(node_client())) as running:
        payload, ends = invoke(running.url, "/hello")
        assert json.loads(payload.partition(b"\0" * 8)[0])["cookies"] == ["a=b"]
        assert (payload.partition(b"\0" * 8)[2], ends) == (b"hello /hello", [{}])
        payload, (end,) = invoke(running.url, "/fail")
    assert payload.endswith(b"hello ")
    assert end["ErrorCode"] == "RangeError"
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "no more of it"


def test_python_responds() -> None:
    with emulated(options(python_client())) as running:
        payload, ends = invoke(running.url, "/hello")
        second, _ = invoke(running.url, "/again")
    response = json.loads(payload)
    assert (response["path"], response["function"], ends) == ("/hello", "transcoder", [{}])
    assert 0 < response["left"] <= 900_000
    assert json.loads(second)["request"] != response["request"]


def test_python_goes_on_after_an_error() -> None:
    with emulated(options(python_client())) as running:
        _, (end,) = invoke(running.url, "/fail")
        pid = running.pid
        assert json.loads(invoke(running.url, "/hello")[0])["path"] == "/hello"
        assert running.pid == pid
    assert end["ErrorCode"] == "Function.Unknown"  # the client sends no error type
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "no such video"


def test_a_failed_start_of_python_is_reported_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), emulated(options(python_client(), FAIL_TO_START="1")) as running:
        payload, (end,) = invoke(running.url, "/hello")
        assert http.get(running.url + "/hello").status_code == 502
    assert payload == b""
    assert end["ErrorCode"] == "Function.Unknown"  # the client's error type does not have Lambda's format
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "no luck today"
    assert "no luck today" in caplog.text
