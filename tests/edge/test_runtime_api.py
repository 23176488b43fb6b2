"""The runtime against a Runtime API that keeps every byte; the expected bytes are those that AWS's own client sends."""

import asyncio
import base64
import json
import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest
from peers.scripted_runtime_api import Exchange, Script, scripted_runtime_api

from transcoder.core.answer.function_url import ResponseHead
from transcoder.edge.runtime_api import Answer, Invocation, ResponseLostError, RuntimeApi, RuntimeApiError
from transcoder.errors import DeadlineError, TooLargeError, TranscoderError, UpstreamError

HEAD = ResponseHead(HTTPStatus.OK, (("content-type", "video/mp4"),))
INVOCATION = Invocation("req-1", b"{}", invocation_id="inv-1")
PRELUDE = b'{"statusCode":200,"headers":{"content-type":"video/mp4"}}' + b"\0" * 8


def with_api(test: Callable[[RuntimeApi, Script], Awaitable[None]], *, response_limit: int | None = None) -> Script:
    """Run `test` against a scripted Runtime API, for ten seconds at most."""

    async def run() -> Script:
        async with asyncio.timeout(10), scripted_runtime_api() as script:
            await test(RuntimeApi(script.address, response_limit=response_limit), script)
            return script

    return asyncio.run(run())


def post_response(*chunks: bytes, error: Exception | None = None, reply: tuple[int, bytes] | None = None) -> Exchange:
    """Respond with `chunks` and end normally or with `error`; return the request that was posted."""

    async def test(api: RuntimeApi, script: Script) -> None:
        script.reply = reply or script.reply
        async with api.answer(INVOCATION) as answer:
            await answer.start(HEAD)
            for chunk in chunks:
                await answer.write(chunk)
            if error is not None:
                raise error

    (exchange,) = with_api(test).posted
    return exchange


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


def test_a_stream_is_what_awss_client_sends() -> None:
    exchange = post_response(b"hello", b"world")
    head, _, body = exchange.raw.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    assert line == b"POST /2018-06-01/runtime/invocation/req-1/response HTTP/1.1"
    assert {
        b"Content-Type: application/vnd.awslambda.http-integration-response",
        b"Lambda-Runtime-Function-Response-Mode: streaming",
        b"Transfer-Encoding: chunked",
        b"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        b"Lambda-Runtime-Invocation-Id: inv-1",
    } <= set(headers)
    assert body == b"%x\r\n%shello\r\n5\r\nworld\r\n0\r\n\r\n" % (len(PRELUDE) + 5, PRELUDE)
    assert exchange.closed


def test_an_empty_chunk_does_not_end_the_response() -> None:
    assert post_response(b"a", b"", b"b").body == PRELUDE + b"ab"


def test_a_memoryview_is_sent_like_bytes() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        async with api.answer(INVOCATION) as answer:
            await answer.start(HEAD)
            await answer.write(memoryview(b"abcd")[1:3])
            await answer.write(memoryview(b"efgh")[1:3])
            assert answer.bytes_sent == 4

    assert with_api(test).posted[0].body == PRELUDE + b"bcfg"


def test_an_empty_body_gets_a_byte() -> None:
    assert post_response().body == PRELUDE + b"\n"


def test_no_invocation_id_is_sent_where_none_was_received() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        async with api.answer(Invocation("req-2", b"{}")) as answer:
            await answer.start(HEAD)

    assert "lambda-runtime-invocation-id" not in with_api(test).posted[0].headers


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


async def write_without_end(answer: Answer, chunk: bytes) -> None:
    await answer.start(HEAD)
    while True:
        await answer.write(chunk)


def test_a_broken_connection_fails_the_write() -> None:
    async def answering(api: RuntimeApi) -> None:
        async with api.answer(INVOCATION) as answer:
            with pytest.raises(ResponseLostError):
                await write_without_end(answer, bytes(65536))
            raise ResponseLostError

    async def test(api: RuntimeApi, script: Script) -> None:
        script.hang_up_after = 100_000
        with pytest.raises(ResponseLostError):
            await answering(api)

    assert not with_api(test).posted[0].complete


def test_a_write_waits_for_the_reader_and_buffers_little() -> None:
    async def test(api: RuntimeApi, script: Script) -> None:
        script.stall_after = 1
        async with api.answer(INVOCATION) as answer:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(write_without_end(answer, bytes(65536)), 0.5)
            # Most of it is in the socket buffers of the test's peer; the runtime buffers little.
            assert answer.bytes_sent < 8 * 1024 * 1024
            script.resume.set()

    assert with_api(test).posted[0].complete


def test_a_write_cancelled_by_the_deadline_keeps_the_framing_intact() -> None:
    """The rest of a chunk whose write was cancelled is sent before the trailers, byte for byte."""
    sent = 0

    async def test(api: RuntimeApi, script: Script) -> None:
        nonlocal sent
        script.stall_after = 1
        async with api.answer(INVOCATION) as answer:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(write_without_end(answer, bytes(range(256)) * 2000), 0.3)
            sent = answer.bytes_sent
            script.resume.set()
            raise DeadlineError("Too slow.")

    (exchange,) = with_api(test).posted
    assert exchange.trailers["lambda-runtime-function-error-type"] == "Function.DeadlineExceeded"
    assert exchange.body == PRELUDE + bytes(range(256)) * (sent // 256)


def test_the_limit_includes_the_prelude_and_allows_the_last_byte() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        async with api.answer(INVOCATION) as answer:
            await answer.start(HEAD)
            await answer.write(b"12345")
            await answer.write(b"67890")
            with pytest.raises(TooLargeError):
                await answer.write(b"1")

    assert with_api(test, response_limit=len(PRELUDE) + 10).posted[0].body == PRELUDE + b"1234567890"


def test_the_head_can_be_replaced_only_before_the_first_byte() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        async with api.answer(INVOCATION) as answer:
            await answer.start(ResponseHead(HTTPStatus.BAD_GATEWAY))
            await answer.start(HEAD)
            assert not answer.started
            await answer.write(b"a")
            assert answer.started
            with pytest.raises(RuntimeError):
                await answer.start(HEAD)

    assert with_api(test).posted[0].body == PRELUDE + b"a"


def test_cancelling_cuts_off_the_response() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        async def answer_slowly(answer: Answer) -> None:
            await answer.start(HEAD)
            await answer.write(b"a part")
            await asyncio.sleep(60)

        async def answering() -> None:
            async with api.answer(INVOCATION) as answer:
                await answer_slowly(answer)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answering(), 0.2)
        await asyncio.sleep(0.05)

    (exchange,) = with_api(test).posted
    assert exchange.body == PRELUDE + b"a part"
    assert not exchange.complete


def test_a_failed_initialization_is_reported() -> None:
    async def test(api: RuntimeApi, _script: Script) -> None:
        await api.fail_init(RuntimeError("no ffmpeg"))

    (exchange,) = with_api(test).posted
    assert exchange.path == "/2018-06-01/runtime/init/error"
    assert exchange.headers["lambda-runtime-function-error-type"] == "Runtime.InitError"
    assert json.loads(exchange.body)["errorMessage"] == "no ffmpeg"
