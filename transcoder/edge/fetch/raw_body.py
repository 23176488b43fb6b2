"""Bodies as they arrive, before their Content-Encoding is undone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

from transcoder.edge.fetch.pace import BODY


@asynccontextmanager
async def raw_chunks(response: httpx.Response) -> AsyncIterator[AsyncIterator[bytes]]:
    """Give the body's bytes as they arrive; leaving the block early closes the connection.

    What comes through a proxy, httpx reads through several nested generators. Abandoned halfway, each would need a task of the event loop
    to finish it. With the connection closed, the innermost one fails, and so they all finish here.
    """
    chunks = aiter(response.extensions[BODY])
    try:
        yield chunks
    finally:
        await response.aclose()
        with suppress(httpx.HTTPError, httpx.StreamError):
            async for _ in chunks:
                pass
