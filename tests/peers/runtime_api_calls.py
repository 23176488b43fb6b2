"""Shortcuts for tests that run against a scripted Runtime API."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from peers.scripted_runtime_api import Exchange, Script, scripted_runtime_api

from transcoder.core.answer.function_url import ResponseHead
from transcoder.edge.runtime_api import Answer, Invocation, RuntimeApi

HEAD = ResponseHead(HTTPStatus.OK, (("content-type", "video/mp4"),))
INVOCATION = Invocation("req-1", b"{}", invocation_id="inv-1")
PRELUDE = b'{"statusCode":200,"headers":{"content-type":"video/mp4"}}' + b"\0" * 8
"""What `HEAD` is sent as."""


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


async def write_without_end(answer: Answer, chunk: bytes) -> None:
    await answer.start(HEAD)
    while True:
        await answer.write(chunk)
