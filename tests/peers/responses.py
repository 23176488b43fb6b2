"""Responses of origins without a connection: what the fetcher makes of their status, their fields and their bodies."""

from collections.abc import AsyncIterator

import httpx

from transcoder.edge.fetch.pace import BODY

URL = "https://a.example/film/a.ts"


def response(status: int = 200, *pieces: bytes, url: str = URL, proxy: str = "", **fields: str) -> httpx.Response:
    """Return a response whose body comes in `pieces`; the names of `fields` have `_` for `-`. The length of the body is not among them."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    extensions: dict[str, object] = {BODY: body()} | ({"proxy": proxy} if proxy else {})
    return httpx.Response(status, headers=headers, request=httpx.Request("GET", url), extensions=extensions)
