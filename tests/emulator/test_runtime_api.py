"""The emulated Runtime API as a runtime meets it: the order of calls, refusals, and the recorded bytes of AWS's own clients."""

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
from peers.scripted_runtime import Puppet, puppet, reply_on

from transcoder.emulator import Options, Running, StreamErrors

WIRE = Path(__file__).resolve().parents[2] / "fixtures" / "wire"


@dataclass
class Stage:
    running: Running
    puppet: Puppet
    threads: ThreadPoolExecutor

    def ask(self, path: str = "/") -> Future[httpx.Response]:
        """Send a request, without waiting for its answer."""
        return self.threads.submit(http.get, self.running.url + path, timeout=10)


@contextmanager
def stage(folder: Path, options: Options | None = None) -> Iterator[Stage]:
    base = options or Options()
    with (
        puppet(folder) as pulled,
        ThreadPoolExecutor(4) as threads,
        emulated(replace(base, command=pulled.command, environ=dict(os.environ))) as running,
    ):
        yield Stage(running, pulled, threads)


@pytest.fixture
def on_stage(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as it:
        yield it


def recorded(name: str, request_id: str) -> bytes:
    raw = (WIRE / f"{name}.http").read_bytes()
    for old in (b"req-1", b"req-2"):
        raw = raw.replace(b"/invocation/" + old, b"/invocation/" + request_id.encode())
    return b"\r\n".join(line for line in raw.split(b"\r\n") if not line.startswith(b"lambda-runtime-invocation-id"))


def test_next_says_all_that_lambda_says(on_stage: Stage) -> None:
    asked = on_stage.ask("/a?b")
    request_id, reply = on_stage.puppet.next()
    event = json.loads(reply.body)
    assert event["rawPath"] == "/a"
    assert event["requestContext"]["requestId"] == request_id
    deadline = int(reply.headers["lambda-runtime-deadline-ms"]) / 1000 - time.time()
    assert 890 < deadline <= 900
    assert reply.headers["lambda-runtime-invoked-function-arn"].endswith(":function:transcoder")
    assert reply.headers["lambda-runtime-trace-id"] == event["headers"]["x-amzn-trace-id"]
    assert reply.headers["lambda-runtime-invocation-id"]
    assert reply.headers["content-type"] == "application/json"
    on_stage.puppet.stream(request_id, b"x")
    assert asked.result().text == "x"


def test_the_node_clients_stream_arrives(on_stage: Stage) -> None:
    asked = on_stage.ask()
    connection = on_stage.puppet.send(recorded("aws_lambda_ric_stream", on_stage.puppet.next()[0]))
    assert reply_on(connection).status == 202
    response = asked.result()
    assert (response.status_code, response.content) == (200, b"helloworld")
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["set-cookie"] == "a=b"


def test_the_node_clients_error_in_the_stream_cuts_it(on_stage: Stage) -> None:
    asked = on_stage.ask()
    connection = on_stage.puppet.send(recorded("aws_lambda_ric_stream-error", on_stage.puppet.next()[0]))
    assert reply_on(connection).status == 202
    assert isinstance(asked.exception(), httpx.RemoteProtocolError)


def test_the_python_clients_buffered_answer_arrives(on_stage: Stage) -> None:
    asked = on_stage.ask()
    connection = on_stage.puppet.send(recorded("awslambdaric_buffered", on_stage.puppet.next()[0]))
    assert reply_on(connection).status == 202
    assert asked.result().json() == {"ok": True, "left": True}


def test_the_python_clients_error_is_a_502(on_stage: Stage) -> None:
    asked = on_stage.ask()
    connection = on_stage.puppet.send(recorded("awslambdaric_error", on_stage.puppet.next()[0]))
    assert reply_on(connection).status == 202
    assert asked.result().status_code == 502


def test_a_second_next_while_one_is_answered_is_refused(on_stage: Stage) -> None:
    on_stage.ask()
    on_stage.puppet.next()
    reply = on_stage.puppet.call("GET", "/invocation/next")
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
def test_an_answer_to_something_else_is_refused(on_stage: Stage, path: str, headers: dict[str, str]) -> None:
    asked = on_stage.ask()
    request_id, _ = on_stage.puppet.next()
    reply = on_stage.puppet.call("POST", path.format(request_id), b"{}", headers)
    assert (reply.status, reply.error) == (400, "InvalidRequestID")
    assert on_stage.puppet.call("POST", f"/invocation/{request_id}/response", b"still open").status == 202
    assert asked.result().text == "still open"


def test_a_second_answer_is_refused(on_stage: Stage) -> None:
    on_stage.ask()
    request_id, _ = on_stage.puppet.next()
    assert reply_on(on_stage.puppet.stream(request_id, b"x")).status == 202
    reply = on_stage.puppet.call("POST", f"/invocation/{request_id}/response", b"again")
    assert (reply.status, reply.error) == (400, "InvalidRequestID")
    reply = on_stage.puppet.call("POST", f"/invocation/{request_id}/error", b"{}")
    assert (reply.status, reply.error) == (403, "InvalidStateTransition")


def test_an_error_in_the_middle_of_a_stream_is_refused(on_stage: Stage) -> None:
    asked = on_stage.ask()
    request_id, _ = on_stage.puppet.next()
    connection = on_stage.puppet.stream(request_id, b"x", end=b"")
    time.sleep(0.1)
    assert on_stage.puppet.call("POST", f"/invocation/{request_id}/error", b"{}").status == 403
    connection.sendall(b"0\r\n\r\n")
    assert asked.result().text == "x"


def test_an_init_error_after_the_first_next_is_refused(on_stage: Stage) -> None:
    on_stage.ask()
    on_stage.puppet.next()
    assert on_stage.puppet.call("POST", "/init/error", b"{}").status == 403


def test_an_unknown_mode_is_refused_and_fails_the_invocation(on_stage: Stage) -> None:
    asked = on_stage.ask()
    request_id, _ = on_stage.puppet.next()
    reply = on_stage.puppet.call("POST", f"/invocation/{request_id}/response", b"x", {"Lambda-Runtime-Function-Response-Mode": "Streaming"})
    assert (reply.status, reply.error) == (400, "InvalidFunctionResponseMode")
    assert asked.result().status_code == 502


def test_a_truncated_answer_is_cut_and_nothing_is_allowed_after_it(on_stage: Stage) -> None:
    asked = on_stage.ask()
    connection = on_stage.puppet.stream(on_stage.puppet.next()[0], b"a part", end=b"")
    time.sleep(0.1)
    connection.close()
    assert isinstance(asked.exception(), httpx.RemoteProtocolError)
    assert on_stage.puppet.call("GET", "/invocation/next").status == 403


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("DELETE", "/invocation/next"), ("POST", "/invocation/a/b/response")])
def test_anything_else_is_not_there(on_stage: Stage, method: str, path: str) -> None:
    on_stage.ask()
    on_stage.puppet.next()
    assert on_stage.puppet.call(method, path).status == 404


def test_an_environment_is_free_only_when_it_asks_for_the_next_invocation(on_stage: Stage) -> None:
    first = on_stage.ask()
    request_id, _ = on_stage.puppet.next()
    reply_on(on_stage.puppet.stream(request_id, b"1"))
    assert first.result().text == "1"
    second = on_stage.ask()
    time.sleep(0.2)
    assert not second.done()
    request_id, _ = on_stage.puppet.next()
    reply_on(on_stage.puppet.stream(request_id, b"2"))
    assert second.result().text == "2"


def test_an_empty_body_is_reported_as_the_hang_that_it_would_be(on_stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    asked = on_stage.ask()
    assert reply_on(on_stage.puppet.stream(on_stage.puppet.next()[0])).status == 202
    assert asked.result().status_code == 504
    assert "leave its client waiting" in caplog.text


@pytest.mark.parametrize("errors", StreamErrors)
def test_trailers_after_a_part_are_a_failure(tmp_path: Path, errors: StreamErrors, caplog: pytest.LogCaptureFixture) -> None:
    body = base64.b64encode(b'{"errorMessage":"no more"}').decode()
    end = f"0\r\nLambda-Runtime-Function-Error-Type: Function.X\r\nLambda-Runtime-Function-Error-Body: {body}\r\n\r\n".encode()
    with stage(tmp_path, Options(stream_errors=errors)) as it:
        asked = it.ask()
        reply_on(it.puppet.stream(it.puppet.next()[0], b"a part", end=end))
        if errors is StreamErrors.CLEAN:
            assert asked.result().text == "a part"
        else:
            assert isinstance(asked.exception(), httpx.RemoteProtocolError)
    assert "Function.X" in caplog.text
    assert "no more" in caplog.text


def test_a_stream_past_the_limit_is_refused(tmp_path: Path) -> None:
    with stage(tmp_path, Options(response_limit=100_000)) as it:
        asked = it.ask()
        reply = reply_on(it.puppet.stream(it.puppet.next()[0], bytes(60_000), bytes(60_000)))
        assert (reply.status, reply.error) == (413, "RequestEntityTooLarge")
        assert isinstance(asked.exception(), httpx.RemoteProtocolError)


@pytest.mark.parametrize(
    "prelude",
    [
        pytest.param(b"no json" + b"\0" * 8 + b"body", id="no JSON"),
        pytest.param(b"[]" + b"\0" * 8 + b"body", id="no object"),
        pytest.param(b'{"statusCode":"many"}' + b"\0" * 8 + b"body", id="no status"),
        pytest.param(b'{"headers":{"a":"b\\nc"}}' + b"\0" * 8 + b"body", id="no header"),
        pytest.param(b"x" * 20_000, id="no end"),
    ],
)
def test_a_prelude_that_makes_no_sense_is_a_502(on_stage: Stage, prelude: bytes) -> None:
    asked = on_stage.ask()
    request_id, _ = on_stage.puppet.next()
    headers = {"Content-Type": "application/vnd.awslambda.http-integration-response"}
    on_stage.puppet.call("POST", f"/invocation/{request_id}/response", prelude, headers)
    assert asked.result().status_code == 502


def test_a_prelude_may_come_in_any_pieces(on_stage: Stage) -> None:
    asked = on_stage.ask()
    request_id, _ = on_stage.puppet.next()
    connection = on_stage.puppet.stream(request_id, end=b"")
    connection.sendall(b"4\r\nbody\r\n0\r\n\r\n")
    assert asked.result().text == "body"


def test_headers_are_renamed_and_stripped_as_the_function_url_does(on_stage: Stage) -> None:
    asked = on_stage.ask()
    headers = {"Content-Type": "a/b", "Content-Length": "5", "Connection": "close", "Date": "now", "X-Own": "1"}
    on_stage.puppet.stream(on_stage.puppet.next()[0], b"body", prelude={"statusCode": 201, "headers": headers, "cookies": ["a=b", "c=d"]})
    response = asked.result()
    assert (response.status_code, response.text) == (201, "body")
    assert response.headers["x-amzn-remapped-content-length"] == "5"
    assert response.headers["x-amzn-remapped-date"] == "now"
    assert response.headers["x-own"] == "1"
    assert response.headers.get_list("set-cookie") == ["a=b", "c=d"]
    assert response.headers["x-amzn-requestid"]


def test_gzip_is_undone_and_its_header_taken_away(on_stage: Stage) -> None:
    asked = on_stage.ask()
    packed = gzip.compress(b"a long body " * 100_000)
    prelude = {"statusCode": 200, "headers": {"Content-Encoding": "gzip"}}
    on_stage.puppet.stream(on_stage.puppet.next()[0], packed[:100], packed[100:], prelude=prelude)
    response = asked.result()
    assert response.content == b"a long body " * 100_000
    assert "content-encoding" not in response.headers


def test_a_body_that_is_not_the_gzip_it_says_is_cut(on_stage: Stage) -> None:
    asked = on_stage.ask()
    packed = gzip.compress(os.urandom(200_000))
    prelude = {"statusCode": 200, "headers": {"Content-Encoding": "gzip"}}
    on_stage.puppet.stream(on_stage.puppet.next()[0], packed[:100_000], b"\xff" * 1000, prelude=prelude)
    assert isinstance(asked.exception(), httpx.RemoteProtocolError)


def test_cors_is_the_urls_affair(on_stage: Stage) -> None:
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    response = http.options(on_stage.running.url, headers=preflight)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert "GET" in response.headers["access-control-allow-methods"]
    assert on_stage.running.pid is None  # Lambda answers it by itself
    asked = on_stage.threads.submit(http.get, on_stage.running.url, headers={"Origin": "https://a.example"})
    own = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://b.example"}}
    on_stage.puppet.stream(on_stage.puppet.next()[0], b"x", prelude=own)
    headers = asked.result().headers
    assert headers.get_list("access-control-allow-origin") == ["*"]
    assert "x-content-duration" in headers["access-control-expose-headers"]


def test_a_function_url_without_cors_says_what_the_function_says(tmp_path: Path) -> None:
    with stage(tmp_path, Options(cors=None)) as it:
        asked = it.threads.submit(http.get, it.running.url, headers={"Origin": "https://a.example"})
        own: dict[str, object] = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://a.example"}}
        it.puppet.stream(it.puppet.next()[0], b"x", prelude=own)
        assert asked.result().headers["access-control-allow-origin"] == "https://a.example"
