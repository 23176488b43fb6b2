"""The canary: a scheduled function that fetches a small film through the front door, as a client does, and fails unless it is whole.

It runs on the managed runtime, which calls `handler`. Only a client notices all that can go wrong behind a status of 200: a body that
breaks off, one that ends early as if it were whole, a response that a proxy holds back.
"""

import asyncio
import os
from collections.abc import Mapping

from transcoder.app.signed_links import SignedLinks
from transcoder.core.output.announcement import Announcement
from transcoder.edge.invoke import FunctionUrl
from transcoder.errors import InvocationError
from transcoder.pipeline.mp4_receiver import Mp4Receiver, ReceivedMp4
from transcoder.settings import Settings

ADDRESS, SOURCE = "CANARY_ADDRESS", "CANARY_SOURCE"
"""The variables that name the address of the service, without a path, and the film."""
LINK_SECONDS = 300
"""How long the signed link is valid, if links must be signed."""
SECONDS = 60.0
"""How long the film may take."""


def handler(_event: object, _context: object) -> dict[str, str]:
    """Fetch the film, and return how that went.

    Raises:
        TranscoderError: the film is not whole, the service cannot be reached, or it takes too long.
    """
    return {"film": str(asyncio.run(fetch(os.environ)))}


async def fetch(environ: Mapping[str, str], *, seconds: float = SECONDS) -> ReceivedMp4:
    """Fetch the film that `environ` names, as a stream, in so many seconds. Raises what `handler` does."""
    query = await SignedLinks(Settings.from_env(environ)).fresh_query(
        {"layout": "fragmented", "url": environ[SOURCE]}, seconds=LINK_SECONDS
    )
    receiver = Mp4Receiver(_Nowhere())
    try:
        async with asyncio.timeout(seconds):
            await FunctionUrl(f"{environ[ADDRESS]}/download?{query}").invoke(into=receiver)
    except TimeoutError as error:
        raise InvocationError(f"The film was not there after {seconds:g} s.") from error
    return receiver.finish()


class _Nowhere:
    """Takes an MP4, and keeps nothing of it."""

    async def start(self, announcement: Announcement) -> None:
        """Take the announcement."""

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
