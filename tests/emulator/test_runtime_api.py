"""The emulated Runtime API: the order of calls, refused calls, and recorded requests of AWS's own clients."""

import base64
import gzip
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from peers.running_emulator import emulated, http
from peers.scripted_runtime import ScriptedRuntime, read_reply, scripted_runtime

from transcoder.emulator import Options, Running, StreamErrors

WIRE = Path(__file__).resolve().parents[2] / "fixtures" / "wire"


@dataclass
class Emulation:
    """An emulator, and the scripted runtime that it starts."""

    running: Running
    runtime: ScriptedRuntime
    threads: ThreadPoolExecutor

    def get(self, path: str = "/") -> Future[httpx.Response]:
        """Send a GET request without waiting for the response."""
        return self.threads.submit(http.get, self.running.url + path, timeout=10)


@contextmanager
def emulate(folder: Path, options: Options | None = None) -> Iterator[Emulation]:
    base = options or Options()
    with (
        scripted_runtime(folder) as runtime,
        ThreadPoolExecutor(4) as threads,
        emulated(replace(base, command=runtime.command, environ=dict(os.environ))) as running,
    ):
        yield Emulation(running, runtime, threads)


@pytest.fixture
def emulation(tmp_path: Path) -> Iterator[Emulation]:
    with emulate(tmp_path) as emulation:
        yield emulation


def recorded_request(name: str, request_id: str) -> bytes:
    raw = (WIRE / f"{name}.http").read_bytes()
    for old in (b"req-1", b"req-2"):
        raw = raw.replace(b"/invocation/" + old, b"/invocation/" + request_id.encode())
    return b"\r\n".join(line for line in raw.split(b"\r\n") if not line.startswith(b"lambda-runtime-invocation-id"))


def test_next_has_the_headers_of_lambda(emulation: Emulation) -> None:
    pending = emulation.get("/a?b")
    request_id, reply = emulation.runtime.next()
    event = json.loads(reply.body)
    assert event["rawPath"] == "/a"
    assert event["requestContext"]["requestId"] == request_id
    deadline = int(reply.headers["lambda-runtime-deadline-ms"]) / 1000 - time.time()
    assert 890 < deadline <= 900
    assert reply.headers["lambda-runtime-invoked-function-arn"].endswith(":function:transcoder")
    assert reply.headers["lambda-runtime-trace-id"] == event["headers"]["x-amzn-trace-id"]
    assert reply.headers["lambda-runtime-invocation-id"]
    assert reply.headers["content-type"] == "application/json"
    emulation.runtime.stream(request_id, b"x")
    assert pending.result().text == "x"


def test_the_node_clients_stream_arrives(emulation: Emulation) -> None:
    pending = emulation.get()
    connection = emulation.runtime.send(recorded_request("aws_lambda_ric_stream", emulation.runtime.next()[0]))
    assert read_reply(connection).status == 202
    response = pending.result()
    assert (response.status_code, response.content) == (200, b"helloworld")
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["set-cookie"] == "a=b"


def test_the_node_clients_error_in_the_stream_cuts_it(emulation: Emulation) -> None:
    pending = emulation.get()
    connection = emulation.runtime.send(recorded_request("aws_lambda_ric_stream-error", emulation.runtime.next()[0]))
    assert read_reply(connection).status == 202
    assert isinstance(pending.exception(), httpx.RemoteProtocolError)


def test_the_python_clients_buffered_response_arrives(emulation: Emulation) -> None:
    pending = emulation.get()
    connection = emulation.runtime.send(recorded_request("awslambdaric_buffered", emulation.runtime.next()[0]))
    assert read_reply(connection).status == 202
    assert pending.result().json() == {"ok": True, "left": True}


def test_the_python_clients_error_is_a_502(emulation: Emulation) -> None:
    pending = emulation.get()
    connection = emulation.runtime.send(recorded_request("awslambdaric_error", emulation.runtime.next()[0]))
    assert read_reply(connection).status == 202
    assert pending.result().status_code == 502


def test_a_second_next_during_an_invocation_is_refused(emulation: Emulation) -> None:
    emulation.get()
    emulation.runtime.next()
    reply = emulation.runtime.call("GET", "/invocation/next")
    assert (reply.status, reply.error) == (403, "InvalidStateTransition")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param("/invocation/other/response", {}, id="another request's id"),
        pytest.param("/invocation/other/error", {}, id="another request's id, for an error"),
        pytest.param("/invocation/{}/response", {"Lambda-Runtime-Invocation-Id": "old"}, id="another attempt's id"),
        pytest.param("/invocation/{}/error", {"Lambda-Runtime-Invocation-Id": "old"}, id="another attempt's id, for an error"),
    ],
)
def test_a_response_to_another_invocation_is_refused(emulation: Emulation, path: str, headers: dict[str, str]) -> None:
    pending = emulation.get()
    request_id, _ = emulation.runtime.next()
    reply = emulation.runtime.call("POST", path.format(request_id), b"{}", headers)
    assert (reply.status, reply.error) == (400, "InvalidRequestID")
    assert emulation.runtime.call("POST", f"/invocation/{request_id}/response", b"still open").status == 202
    assert pending.result().text == "still open"


def test_a_second_response_is_refused(emulation: Emulation) -> None:
    emulation.get()
    request_id, _ = emulation.runtime.next()
    assert read_reply(emulation.runtime.stream(request_id, b"x")).status == 202
    reply = emulation.runtime.call("POST", f"/invocation/{request_id}/response", b"again")
    assert (reply.status, reply.error) == (400, "InvalidRequestID")
    reply = emulation.runtime.call("POST", f"/invocation/{request_id}/error", b"{}")
    assert (reply.status, reply.error) == (403, "InvalidStateTransition")


def test_an_error_in_the_middle_of_a_stream_is_refused(emulation: Emulation) -> None:
    pending = emulation.get()
    request_id, _ = emulation.runtime.next()
    connection = emulation.runtime.stream(request_id, b"x", end=b"")
    time.sleep(0.1)
    assert emulation.runtime.call("POST", f"/invocation/{request_id}/error", b"{}").status == 403
    connection.sendall(b"0\r\n\r\n")
    assert pending.result().text == "x"


def test_an_init_error_after_the_first_next_is_refused(emulation: Emulation) -> None:
    emulation.get()
    emulation.runtime.next()
    assert emulation.runtime.call("POST", "/init/error", b"{}").status == 403


def test_an_unknown_mode_is_refused_and_fails_the_invocation(emulation: Emulation) -> None:
    pending = emulation.get()
    request_id, _ = emulation.runtime.next()
    reply = emulation.runtime.call(
        "POST", f"/invocation/{request_id}/response", b"x", {"Lambda-Runtime-Function-Response-Mode": "Streaming"}
    )
    assert (reply.status, reply.error) == (400, "InvalidFunctionResponseMode")
    assert pending.result().status_code == 502


def test_a_truncated_response_is_cut_and_no_call_is_allowed_after_it(emulation: Emulation) -> None:
    pending = emulation.get()
    connection = emulation.runtime.stream(emulation.runtime.next()[0], b"a part", end=b"")
    time.sleep(0.1)
    connection.close()
    assert isinstance(pending.exception(), httpx.RemoteProtocolError)
    assert emulation.runtime.call("GET", "/invocation/next").status == 403


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("DELETE", "/invocation/next"), ("POST", "/invocation/a/b/response")])
def test_any_other_call_is_not_found(emulation: Emulation, method: str, path: str) -> None:
    emulation.get()
    emulation.runtime.next()
    assert emulation.runtime.call(method, path).status == 404


def test_an_environment_is_free_only_when_it_asks_for_the_next_invocation(emulation: Emulation) -> None:
    first = emulation.get()
    request_id, _ = emulation.runtime.next()
    read_reply(emulation.runtime.stream(request_id, b"1"))
    assert first.result().text == "1"
    second = emulation.get()
    time.sleep(0.2)
    assert not second.done()
    request_id, _ = emulation.runtime.next()
    read_reply(emulation.runtime.stream(request_id, b"2"))
    assert second.result().text == "2"


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


def test_a_stream_past_the_limit_is_refused(tmp_path: Path) -> None:
    with emulate(tmp_path, Options(response_limit=100_000)) as emulation:
        pending = emulation.get()
        reply = read_reply(emulation.runtime.stream(emulation.runtime.next()[0], bytes(60_000), bytes(60_000)))
        assert (reply.status, reply.error) == (413, "RequestEntityTooLarge")
        assert isinstance(pending.exception(), httpx.RemoteProtocolError)


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
