"""Streamed responses to a Runtime API that keeps every byte; the expected bytes are those that AWS's own client sends."""

import asyncio
from http import HTTPStatus

import pytest
from peers.runtime_api_calls import HEAD, INVOCATION, PRELUDE, post_response, with_api, write_without_end
from peers.scripted_runtime_api import Script

from transcoder.core.answer.function_url import ResponseHead
from transcoder.edge.runtime_api import Answer, Invocation, ResponseLostError, RuntimeApi
from transcoder.errors import DeadlineError, TooLargeError


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
