"""The HTTP responses of the emulated Function URL: prelude, headers, gzip, CORS and failures."""

import base64
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from peers.running_emulator import http
from peers.scripted_runtime import Emulation, emulate, read_reply

from transcoder.emulator import Options, StreamErrors


@pytest.fixture
def emulation(tmp_path: Path) -> Iterator[Emulation]:
    with emulate(tmp_path) as emulation:
        yield emulation


def test_an_empty_body_is_reported_because_a_function_url_would_hang(emulation: Emulation, caplog: pytest.LogCaptureFixture) -> None:
    pending = emulation.get()
    assert read_reply(emulation.runtime.stream(emulation.runtime.next()[0])).status == 202
    assert pending.result().status_code == 504
    assert "leave its client waiting" in caplog.text


@pytest.mark.parametrize("errors", StreamErrors)
def test_error_trailers_after_a_part_are_a_failure(tmp_path: Path, errors: StreamErrors, caplog: pytest.LogCaptureFixture) -> None:
    body = base64.b64encode(b'{"errorMessage":"no more"}').decode()
    end = f"0\r\nLambda-Runtime-Function-Error-Type: Function.X\r\nLambda-Runtime-Function-Error-Body: {body}\r\n\r\n".encode()
    with emulate(tmp_path, Options(stream_errors=errors)) as emulation:
        pending = emulation.get()
        read_reply(emulation.runtime.stream(emulation.runtime.next()[0], b"a part", end=end))
        if errors is StreamErrors.CLEAN:
            assert pending.result().text == "a part"
        else:
            assert isinstance(pending.exception(), httpx.RemoteProtocolError)
    assert "Function.X" in caplog.text
    assert "no more" in caplog.text


@pytest.mark.parametrize(
    "prelude",
    [
        pytest.param(b"no json" + b"\0" * 8 + b"body", id="not JSON"),
        pytest.param(b"[]" + b"\0" * 8 + b"body", id="not an object"),
        pytest.param(b'{"statusCode":"many"}' + b"\0" * 8 + b"body", id="an invalid status"),
        pytest.param(b'{"headers":{"a":"b\\nc"}}' + b"\0" * 8 + b"body", id="an invalid header"),
        pytest.param(b"x" * 20_000, id="no end"),
    ],
)
def test_an_invalid_prelude_is_a_502(emulation: Emulation, prelude: bytes) -> None:
    pending = emulation.get()
    request_id, _ = emulation.runtime.next()
    headers = {"Content-Type": "application/vnd.awslambda.http-integration-response"}
    emulation.runtime.call("POST", f"/invocation/{request_id}/response", prelude, headers)
    assert pending.result().status_code == 502


def test_a_prelude_may_arrive_in_a_chunk_of_its_own(emulation: Emulation) -> None:
    pending = emulation.get()
    request_id, _ = emulation.runtime.next()
    connection = emulation.runtime.stream(request_id, end=b"")
    connection.sendall(b"4\r\nbody\r\n0\r\n\r\n")
    assert pending.result().text == "body"


def test_headers_are_renamed_and_removed_as_by_a_function_url(emulation: Emulation) -> None:
    pending = emulation.get()
    headers = {"Content-Type": "a/b", "Content-Length": "5", "Connection": "close", "Date": "now", "X-Own": "1"}
    emulation.runtime.stream(
        emulation.runtime.next()[0], b"body", prelude={"statusCode": 201, "headers": headers, "cookies": ["a=b", "c=d"]}
    )
    response = pending.result()
    assert (response.status_code, response.text) == (201, "body")
    assert response.headers["x-amzn-remapped-content-length"] == "5"
    assert response.headers["x-amzn-remapped-date"] == "now"
    assert response.headers["x-own"] == "1"
    assert response.headers.get_list("set-cookie") == ["a=b", "c=d"]
    assert response.headers["x-amzn-requestid"]


def test_gzip_is_decoded_and_content_encoding_removed(emulation: Emulation) -> None:
    pending = emulation.get()
    packed = gzip.compress(b"a long body " * 100_000)
    prelude = {"statusCode": 200, "headers": {"Content-Encoding": "gzip"}}
    emulation.runtime.stream(emulation.runtime.next()[0], packed[:100], packed[100:], prelude=prelude)
    response = pending.result()
    assert response.content == b"a long body " * 100_000
    assert "content-encoding" not in response.headers


def test_a_body_that_is_not_valid_gzip_is_cut(emulation: Emulation) -> None:
    pending = emulation.get()
    packed = gzip.compress(os.urandom(200_000))
    prelude = {"statusCode": 200, "headers": {"Content-Encoding": "gzip"}}
    emulation.runtime.stream(emulation.runtime.next()[0], packed[:100_000], b"\xff" * 1000, prelude=prelude)
    assert isinstance(pending.exception(), httpx.RemoteProtocolError)


def test_the_function_url_handles_cors(emulation: Emulation) -> None:
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    response = http.options(emulation.running.url, headers=preflight)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert "GET" in response.headers["access-control-allow-methods"]
    assert emulation.running.pid is None  # Lambda answers a preflight without the function
    pending = emulation.threads.submit(http.get, emulation.running.url, headers={"Origin": "https://a.example"})
    prelude = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://b.example"}}
    emulation.runtime.stream(emulation.runtime.next()[0], b"x", prelude=prelude)
    headers = pending.result().headers
    assert headers.get_list("access-control-allow-origin") == ["*"]
    assert "x-content-duration" in headers["access-control-expose-headers"]


def test_a_function_url_without_cors_keeps_the_functions_headers(tmp_path: Path) -> None:
    with emulate(tmp_path, Options(cors=None)) as emulation:
        pending = emulation.threads.submit(http.get, emulation.running.url, headers={"Origin": "https://a.example"})
        prelude: dict[str, object] = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://a.example"}}
        emulation.runtime.stream(emulation.runtime.next()[0], b"x", prelude=prelude)
        assert pending.result().headers["access-control-allow-origin"] == "https://a.example"
