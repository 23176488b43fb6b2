"""The daily limit of bytes."""

import asyncio
import urllib.parse

import pytest
from conftest import Serve
from peers.application import Answered, ask_all

from transcoder.app.daily_bytes import DailyBytes
from transcoder.core.answer.function_url import ResponseHead
from transcoder.errors import DailyLimitError
from transcoder.settings import Settings

DATA = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40
HEAD = ResponseHead(200, ())  # type: ignore[arg-type]  # a status is a number


def test_further_requests_are_refused_and_health_is_not(serve: Serve) -> None:
    url = "/download?" + urllib.parse.urlencode({"url": serve({"/v.mp4": DATA}).url("/v.mp4")})
    settings = Settings(allow_private=True, daily_bytes=len(DATA) + 1)
    answers = ask_all([url, url, url, url.replace("/download", "/info"), "/health"], settings=settings)
    assert [answer.status for answer in answers] == [200, 200, 503, 503, 200]  # the second one begins below the limit, and is finished
    assert answers[1].body == DATA
    assert answers[2].problem[1] == "daily-limit"
    assert answers[2].notes["outcome"] == "daily-limit"


def test_without_a_limit_nothing_is_counted(serve: Serve) -> None:
    url = "/download?" + urllib.parse.urlencode({"url": serve({"/v.mp4": DATA}).url("/v.mp4")})
    assert [answer.status for answer in ask_all([url] * 3, settings=Settings(allow_private=True))] == [200] * 3
    answer = Answered()
    assert DailyBytes(0).counted(answer) is answer


def test_the_count_begins_again_at_midnight() -> None:
    now = 86_400.0 * 20_000 + 86_399
    daily = DailyBytes(10, lambda: now)

    async def send(size: int) -> None:
        answer = daily.counted(Answered())
        await answer.start(HEAD)
        assert answer.started
        await answer.write(bytes(size))

    daily.check()
    asyncio.run(send(9))
    daily.check()
    asyncio.run(send(1))
    with pytest.raises(DailyLimitError, match="midnight"):
        daily.check()
    now += 1
    daily.check()


def test_what_is_sent_after_midnight_counts_for_the_new_day() -> None:
    now = 86_400.0 * 20_000 + 86_399
    daily = DailyBytes(10, lambda: now)

    async def send(*sizes: int) -> None:
        nonlocal now
        answer = daily.counted(Answered())
        await answer.start(HEAD)
        for size in sizes:
            await answer.write(bytes(size))
            now += 1

    asyncio.run(send(9, 9))
    daily.check()
    asyncio.run(send(1))
    with pytest.raises(DailyLimitError, match="midnight"):
        daily.check()
