"""The routes, and the one place where an error becomes a response.

`/info`, `/subtitles` and `/events` are imported when they are first asked for: they take a twentieth of the start.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from transcoder import __version__
from transcoder.app.answer import Answer
from transcoder.app.daily_bytes import DailyBytes
from transcoder.app.dependencies import Dependencies
from transcoder.app.download import download
from transcoder.app.page import has_page, link, page_file, send_error_page, send_page_file
from transcoder.app.serve import Serve
from transcoder.app.signed_links import SignedLinks
from transcoder.core.answer.event import Request
from transcoder.core.answer.function_url import ResponseHead, problem_response
from transcoder.edge.address_guard import Network
from transcoder.edge.fetch import Connections
from transcoder.errors import DeadlineError, MethodNotAllowedError, NotFoundError, TranscoderError, UpstreamBlockedError
from transcoder.pipeline.index_cache import IndexCache
from transcoder.pipeline.index_store import IndexStore
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import Settings

if TYPE_CHECKING:
    from transcoder.pipeline.stored_file import FileStore


@asynccontextmanager
async def serving(settings: Settings, network: Network, ffmpeg_path: str) -> AsyncIterator[Serve]:
    """Set up what all requests share, and yield the function that serves one request.

    Raises:
        BadRequestError: a signing key is too short.

    """
    signed_links, clock = SignedLinks(settings), asyncio.get_running_loop().time
    resolver, indexes = Resolver(settings), IndexCache(settings.index_cache_bytes)
    stored_indexes, daily_bytes = IndexStore(settings.bucket, limit=settings.index_cache_bytes), DailyBytes(settings.daily_bytes)

    async def serve(request: Request, answer: Answer) -> None:
        try:
            if not _is_health(request) and not page_file(request, dependencies):
                daily_bytes.check()
            await _route(request, daily_bytes.counted(answer), dependencies)
        except DeadlineError:
            raise  # from whoever watches the deadline, who ends the response
        except TranscoderError as error:
            if answer.started:
                raise
            await _send_problem(error, request, answer, dependencies)

    async with Connections.open(settings, network) as connections:
        with _file_store(settings, signed=signed_links.are_required) as files:
            dependencies = Dependencies(settings, ffmpeg_path, resolver, signed_links, connections, clock, indexes, stored_indexes, files)
            yield serve


@contextmanager
def _file_store(settings: Settings, *, signed: bool) -> "Iterator[FileStore | None]":
    """Open the store of finished files, if there is a bucket for them."""
    if not settings.bucket:
        yield None
        return
    from transcoder.pipeline.stored_file import FileStore  # noqa: PLC0415  # only a service with a bucket needs it

    with closing(FileStore(settings, signed=signed)) as files:
        yield files


async def _send_problem(error: TranscoderError, request: Request, answer: Answer, dependencies: Dependencies) -> None:
    answer.note(outcome=error.slug)
    if isinstance(error, UpstreamBlockedError) and error.steps:
        answer.note(reddit_asked=error.steps)
    if await send_error_page(error, request, answer, dependencies):
        return
    head, body = problem_response(error)
    await answer.start(head)
    await answer.write(body)


def _is_health(request: Request) -> bool:
    return request.path.rstrip("/").endswith("/health")


async def _route(request: Request, answer: Answer, dependencies: Dependencies) -> None:
    if request.method not in {"GET", "HEAD"}:
        raise MethodNotAllowedError(f"{request.method} is not supported; use GET or HEAD.")
    path = request.path.rstrip("/")
    if file := page_file(request, dependencies):
        await send_page_file(file, request, answer)
    elif _is_health(request):
        await answer.start(ResponseHead(HTTPStatus.OK, (("content-type", "application/json"), ("cache-control", "no-store"))))
        await answer.write(json.dumps({"status": "ok", "version": __version__}).encode())
    elif path.endswith("/info"):
        from transcoder.app.info import info  # noqa: PLC0415

        await info(request, answer, dependencies)
    elif path.endswith("/subtitles"):
        from transcoder.app.subtitles import subtitles  # noqa: PLC0415

        await subtitles(request, answer, dependencies)
    elif path == "/link" and has_page(dependencies):
        await link(request, answer, dependencies)
    elif path.endswith("/events"):
        from transcoder.app.events import events  # noqa: PLC0415

        await events(request, answer, dependencies)
    elif not path or path.endswith("/download"):
        await download(request, answer, dependencies)
    else:
        raise NotFoundError(f"There is nothing at {request.path}; the paths are /download, /events, /info, /subtitles and /health.")
