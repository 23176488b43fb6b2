"""The emulated Runtime API: the order of calls, refused calls, and recorded requests of AWS's own clients."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from peers.scripted_runtime import Emulation, emulate, read_reply

from transcoder.emulator import Options

WIRE = Path(__file__).resolve().parents[2] / "fixtures" / "wire"


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


def test_a_stream_past_the_limit_is_refused(tmp_path: Path) -> None:
    with emulate(tmp_path, Options(response_limit=100_000)) as emulation:
        pending = emulation.get()
        reply = read_reply(emulation.runtime.stream(emulation.runtime.next()[0], bytes(60_000), bytes(60_000)))
        assert (reply.status, reply.error) == (413, "RequestEntityTooLarge")
        assert isinstance(pending.exception(), httpx.RemoteProtocolError)
