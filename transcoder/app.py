"""From a request to its answer: the routes, and the one place where a failure becomes a response."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Protocol

from transcoder import __version__
from transcoder.core.film import Film
from transcoder.core.function_url import Head, Request, problem
from transcoder.core.job import Job
from transcoder.core.names import content_disposition, file_name, title_of
from transcoder.core.query import parse_query
from transcoder.edge import ffmpeg
from transcoder.edge.fetch import Fetcher
from transcoder.errors import MethodNotAllowedError, NotFoundError, TranscoderError
from transcoder.pipeline import transcode
from transcoder.pipeline.resolve import resolve
from transcoder.settings import Settings


class Answer(Protocol):
    """What a request is answered with, as it is made."""

    @property
    def started(self) -> bool:
        """Status and headers have gone out and cannot be taken back."""

    async def start(self, head: Head) -> None:
        """Send status and headers."""

    async def write(self, chunk: bytes) -> None:
        """Send a part of the body; returns when the next may be given."""


Serve = Callable[[Request, Answer], Awaitable[None]]


@asynccontextmanager
async def application(settings: Settings) -> AsyncIterator[Serve]:
    """Make ready what all requests share, and hand out the function that serves one.

    Raises:
        TranscodeError: there is no ffmpeg that works.

    """
    program = await ffmpeg.program(settings.ffmpeg)

    async def serve(request: Request, answer: Answer) -> None:
        try:
            await _route(request, answer, settings, program)
        except TranscoderError as error:
            if answer.started:
                raise
            head, body = problem(error)
            await answer.start(head)
            await answer.write(body)

    yield serve


async def _route(request: Request, answer: Answer, settings: Settings, program: str) -> None:
    if request.method not in {"GET", "HEAD"}:
        raise MethodNotAllowedError(f"{request.method} is not served; GET and HEAD are.")
    if request.path.endswith("/health"):
        await answer.start(Head(HTTPStatus.OK, (("content-type", "application/json"), ("cache-control", "no-store"))))
        await answer.write(json.dumps({"status": "ok", "version": __version__}).encode())
    elif request.path in {"", "/"} or request.path.rstrip("/").endswith("/download"):
        await _download(request, answer, settings, program)
    else:
        raise NotFoundError(f"Nothing is served under {request.path}; there are /download and /health.")


async def _download(request: Request, answer: Answer, settings: Settings, program: str) -> None:
    job = parse_query(request.query).job()
    async with Fetcher.open(settings) as fetcher:
        plan = await resolve(job, fetcher=fetcher)
        if request.method == "HEAD":
            await answer.start(_head(job))
            return
        await transcode(plan, fetcher=fetcher, program=program, settings=settings, into=_Download(job, answer))


class _Download:
    """Sends the film: the status is decided by its first bytes, not by a hope."""

    def __init__(self, job: Job, answer: Answer) -> None:
        self._job = job
        self._answer = answer

    async def start(self, film: Film) -> None:
        await self._answer.start(_head(self._job, film))

    async def write(self, chunk: bytes) -> None:
        await self._answer.write(chunk)


def _head(job: Job, film: Film | None = None) -> Head:
    headers = [
        ("content-type", "video/mp4"),
        ("content-disposition", content_disposition(file_name(job.filename or title_of(job.url), "mp4"))),
        # Whether a stream came whole is not known when its header is sent, so nothing in between may keep it.
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "none"),
    ]
    if film:
        headers.append(("x-content-duration", f"{film.seconds:.3f}"))
        if film.estimated_bytes is not None:
            headers.append(("x-content-length-estimate", str(film.estimated_bytes)))
    return Head(HTTPStatus.OK, tuple(headers))
