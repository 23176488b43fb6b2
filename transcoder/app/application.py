"""The application: what all requests share, opened while the code of the routes is still being imported."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from transcoder.app.serve import Serve
from transcoder.edge import ffmpeg
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import single_error
from transcoder.settings import Settings

LATER = (
    "transcoder.app.events",
    "transcoder.app.info",
    "transcoder.app.reported",
    "transcoder.app.stored",
    "transcoder.app.subtitles",
    "transcoder.edge.s3",
    "transcoder.edge.secrets_manager",
    "transcoder.pipeline.reddit",
)
"""What is imported when it is first needed: some routes, reports, what finds videos on Reddit, and what uses AWS."""


@asynccontextmanager
async def application(settings: Settings, *, network: Network = INTERNET) -> AsyncIterator[Serve]:
    """Set up what all requests share, and yield the function that serves one request.

    Raises:
        TranscodeError: there is no working ffmpeg.
        BadRequestError: a signing key is too short.

    """
    with single_error():
        async with TaskGroup() as group:
            ffmpeg_path = group.create_task(ffmpeg.find_ffmpeg(settings.ffmpeg))
            group.create_task(asyncio.to_thread(network.tls))  # it keeps the context, and reading the certificates does not hold Python
            await asyncio.sleep(0)  # so that both have begun before the event loop is held by the imports
            from transcoder.app.routes import serving  # noqa: PLC0415
    async with serving(settings, network, ffmpeg_path.result()) as serve:
        yield serve


def import_later_routes() -> None:
    """Import what is otherwise imported at its first use: a snapshot of the process should have it."""
    for name in LATER:
        import_module(name)
