"""The routes, and the one place where a failure becomes a response."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from transcoder import __version__
from transcoder.app.download import download
from transcoder.app.info import information
from transcoder.app.service import Answer, Service
from transcoder.app.signed_links import Links
from transcoder.core.answer.function_url import Request, ResponseHead, problem_response
from transcoder.edge import ffmpeg
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.errors import MethodNotAllowedError, NotFoundError, TranscoderError
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import Settings

Serve = Callable[[Request, Answer], Awaitable[None]]


@asynccontextmanager
async def application(settings: Settings, *, network: Network = INTERNET) -> AsyncIterator[Serve]:
    """Make ready what all requests share, and hand out the function that serves one.

    Raises:
        TranscodeError: there is no ffmpeg that works.
        BadRequestError: a key of signed links is too short.

    """
    links, clock = Links(settings), asyncio.get_running_loop().time
    service = Service(settings, await ffmpeg.find_ffmpeg(settings.ffmpeg), Resolver(settings), links, network, clock)

    async def serve(request: Request, answer: Answer) -> None:
        try:
            await _route(request, answer, service)
        except TranscoderError as error:
            if answer.started:
                raise
            answer.note(outcome=error.slug)
            head, body = problem_response(error)
            await answer.start(head)
            await answer.write(body)

    yield serve


async def _route(request: Request, answer: Answer, service: Service) -> None:
    if request.method not in {"GET", "HEAD"}:
        raise MethodNotAllowedError(f"{request.method} is not served; GET and HEAD are.")
    path = request.path.rstrip("/")
    if path.endswith("/health"):
        await answer.start(ResponseHead(HTTPStatus.OK, (("content-type", "application/json"), ("cache-control", "no-store"))))
        await answer.write(json.dumps({"status": "ok", "version": __version__}).encode())
    elif path.endswith("/info"):
        await information(request, answer, service)
    elif not path or path.endswith("/download"):
        await download(request, answer, service)
    else:
        raise NotFoundError(f"Nothing is served under {request.path}; there are /download, /info and /health.")
