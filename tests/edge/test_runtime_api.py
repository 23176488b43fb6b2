"""Invocations and failures, against a scripted Runtime API; streamed responses are in `test_runtime_api_stream.py`."""

import asyncio
import base64
import json
import re
import time
from http import HTTPStatus

import pytest
from peers.runtime_api_calls import INVOCATION, PRELUDE, post_response, with_api
from peers.scripted_runtime_api import Script

from transcoder.core.answer.function_url import ResponseHead
from transcoder.edge.runtime_api import Invocation, RuntimeApi, RuntimeApiError
from transcoder.errors import DeadlineError, TooLargeError, TranscoderError, UpstreamError


def test_an_invocation_has_every_field_of_the_api() -> None:
    async def test(api: RuntimeApi, script: Script) -> None:
        script.event = b'{"a": 1}'
        script.next_headers = {
            "Lambda-Runtime-Aws-Request-Id": "req-1",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 60) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:1:function:f:live",
            "Lambda-Runtime-Trace-Id": "Root=1",
            "Lambda-Runtime-Invocation-Id": "inv-1",
        }
        invocation = await api.next()
        assert invocation.deadline is not None
        assert invocation.deadline - asyncio.get_running_loop().time() == pytest.approx(60, abs=0.5)
        assert (invocation.request_id, invocation.event, invocation.invocation_id) == ("req-1", b'{"a": 1}', "inv-1")
        assert (invocation.arn, invocation.trace_id) == ("arn:aws:lambda:eu-west-1:1:function:f:live", "Root=1")

    (exchange,) = with_api(test).exchanges
    assert exchange.raw.startswith(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n")


def test_an_invocation_needs_no_more_than_a_request_id() -> None:
    async def test(api: RuntimeApi, script: Script) -> None:
        script.next_headers = {"Lambda-Runtime-Aws-Request-Id": "req-1"}
        assert await api.next() == Invocation("req-1", b"{}")

    assert len(with_api(test).exchanges) == 1


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param(403, {}, id="an invalid state"),
        pytest.param(500, {}, id="a broken container"),
        pytest.param(200, {}, id="no request id"),
        pytest.param(200, {"Lambda-Runtime-Aws-Request-Id": "a", "Lambda-Runtime-Deadline-Ms": "soon"}, id="an invalid deadline"),
    ],
)
def test_a_failed_next_ends_the_process(status: int, headers: dict[str, str]) -> None:
    async def test(api: RuntimeApi, script: Script) -> None:
        script.next_status, script.next_headers = status, headers
        with pytest.raises(RuntimeApiError):
            await api.next()

    assert len(with_api(test).exchanges) == 1


def test_a_missing_runtime_api_ends_the_process() -> None:
    with pytest.raises(RuntimeApiError):
        asyncio.run(RuntimeApi("127.0.0.1:1").next())


@pytest.mark.parametrize(
    ("error", "name"),
    [
        pytest.param(UpstreamError("The origin broke off."), "Function.UpstreamFailed", id="a failure"),
        pytest.param(DeadlineError("Too slow."), "Function.DeadlineExceeded", id="the deadline"),
        pytest.param(TooLargeError("Too long."), "Function.ResponseTooLarge", id="the limit"),
        pytest.param(KeyError("a secret"), "Function.InternalError", id="a bug"),
    ],
)
def test_a_failure_after_the_first_byte_ends_in_trailers(error: Exception, name: str) -> None:
    exchange = post_response(b"a part", error=error)
    assert exchange.body == PRELUDE + b"a part"
    assert exchange.trailers["lambda-runtime-function-error-type"] == name
    assert re.fullmatch(r"(Runtime|Function)\.[A-Z][a-zA-Z]+", name)
    document = json.loads(base64.b64decode(exchange.trailers["lambda-runtime-function-error-body"]))
    assert document["errorType"] == name
    assert (document["errorMessage"] == str(error)) is isinstance(error, TranscoderError)
    assert "secret" not in str(document)


def test_a_failure_before_the_first_byte_is_a_problem_document() -> None:
    exchange = post_response(error=UpstreamError("No such video."))
    prelude, _, body = exchange.body.partition(b"\0" * 8)
    assert json.loads(prelude)["statusCode"] == 502
    assert json.loads(body)["detail"] == "No such video."
    assert exchange.trailers == {}


def test_a_bug_before_the_first_byte_is_reported_as_one() -> None:
    exchange = post_response(error=KeyError("whatever"))
    assert exchange.path == "/2018-06-01/runtime/invocation/req-1/error"
    assert exchange.headers["lambda-runtime-function-error-type"] == "Function.InternalError"
    assert exchange.headers["lambda-runtime-invocation-id"] == "inv-1"
    assert json.loads(exchange.body)["errorMessage"] == "'whatever'"


def test_a_header_that_cannot_be_sent_is_a_bug_and_reported_as_one() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        async with api.answer(INVOCATION) as answer:
            await answer.start(ResponseHead(HTTPStatus.OK, (("content-length", "5"),)))

    assert with_api(test).posted[0].path.endswith("/error")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param(202, "", id="accepted"),
        pytest.param(410, "InvokeTimeout", id="too late"),
        pytest.param(400, "InvalidRequestID", id="for another invocation"),
        pytest.param(413, "RequestEntityTooLarge", id="too long"),
    ],
)
def test_the_process_goes_on_after(status: int, reason: str) -> None:
    assert post_response(b"a", reply=(status, json.dumps({"errorType": reason}).encode())).complete


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param(400, "TruncatedHTTPRequest", id="truncated"),
        pytest.param(400, "InvalidFunctionResponseMode", id="an unknown mode"),
        pytest.param(403, "InvalidStateTransition", id="an invalid state"),
        pytest.param(500, "InternalServerError", id="a broken container"),
        pytest.param(200, "", id="anything else"),
    ],
)
def test_the_process_ends_after(status: int, reason: str) -> None:
    with pytest.raises(RuntimeApiError):
        post_response(b"a", reply=(status, json.dumps({"errorType": reason}).encode()))


def test_a_failed_initialization_is_reported() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        await api.fail_init(RuntimeError("no ffmpeg"))

    (exchange,) = with_api(test).posted
    assert exchange.path == "/2018-06-01/runtime/init/error"
    assert exchange.headers["lambda-runtime-function-error-type"] == "Runtime.InitError"
    assert json.loads(exchange.body)["errorMessage"] == "no ffmpeg"


def test_a_restore_is_asked_for() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        await api.restore_next()

    (exchange,) = with_api(test).exchanges
    assert exchange.raw.startswith(b"GET /2018-06-01/runtime/restore/next HTTP/1.1\r\n")


def test_a_restore_that_is_refused_is_a_failure() -> None:
    async def test(api: RuntimeApi, script: Script) -> None:
        script.next_status = 403
        with pytest.raises(RuntimeApiError, match="/restore/next answered 403"):
            await api.restore_next()

    assert len(with_api(test).exchanges) == 1


def test_a_failed_restore_is_reported() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        await api.fail_restore(RuntimeError("no ffmpeg"))

    (exchange,) = with_api(test).posted
    assert exchange.path == "/2018-06-01/runtime/restore/error"
    assert exchange.headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"
    assert json.loads(exchange.body)["errorMessage"] == "no ffmpeg"
