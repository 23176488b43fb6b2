"""The route `/events`: what a source turns out to be, and where its output can be had, told as soon as it is known."""

from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, TypeVar

from transcoder.app.answer import Answer
from transcoder.app.dependencies import Dependencies
from transcoder.app.finished import FinishedOutput
from transcoder.app.plain import PlainOutput
from transcoder.app.response_head import ServerTiming
from transcoder.app.ticking import REPORT_SECONDS, with_ticks
from transcoder.app.time_limit import in_time
from transcoder.core.answer.event_stream import END_ID, EventFormat, accepted_format
from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.function_url import Request, ResponseHead
from transcoder.core.answer.multipart import MULTIPART_MIXED
from transcoder.core.answer.problem import problem_document
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import Layout
from transcoder.core.request.query import Query, parse_query
from transcoder.core.source.metadata import metadata_of
from transcoder.core.source.resolved_report import Document, resolved_report
from transcoder.core.source.source import ResolvedSource, Source
from transcoder.edge.fetch import Fetcher
from transcoder.errors import TranscoderError
from transcoder.pipeline.plain_index import Labels

T = TypeVar("T")


async def events(request: Request, answer: Answer, dependencies: Dependencies) -> None:
    """Send events about the source that the query names: `resolved`, then `done` with the download link; or `failed`.

    A client that has had the last event gets 204, which keeps an EventSource from asking again.

    Raises:
        TranscoderError: the request is invalid, or not signed.
    """
    query = parse_query(request.query)
    await dependencies.signed_links.check(query.values)
    job = query.job()
    if request.headers.get("last-event-id") == END_ID:
        await answer.start(ResponseHead(HTTPStatus.NO_CONTENT, (("cache-control", "no-store"),)))
        return
    stream = _EventStream(answer, accepted_format(request.headers.get("accept", "")), dependencies.settings.deadline_margin_seconds)
    await stream.start()
    if request.method == "HEAD":
        return
    await stream.keep_alive()  # the head is sent with it, before anything is looked for
    base = request.path.rstrip("/").removesuffix("/events")
    try:
        done = await _look(job, query, base, stream, dependencies)
    except TranscoderError as error:
        answer.note(outcome=error.slug)
        done = {**problem_document(error), "event": "failed"}
    await stream.send(done, event_id=END_ID)


async def _look(job: Job, query: Query, base: str, stream: "_EventStream", dependencies: Dependencies) -> Document:
    """Send what is found of the source, and return the last event."""
    async with dependencies.fetcher(job.url, answer=stream.answer) as fetcher:

        async def resolve() -> tuple[Source, ResolvedSource]:
            source = await dependencies.find(job, fetcher=fetcher, answer=stream.answer)
            return source, await dependencies.resolver.resolve(source, job, fetcher=fetcher)

        source, resolved = await stream.during(resolve())
        name = file_name(job.filename or source.name, resolved.extension(job))
        await stream.send(resolved_report(source, resolved, file_name=name), event_id="resolved")
        labels = Labels(metadata_of(source), resolved.audio_language)
        way = await stream.during(_find_way(job, resolved, labels, fetcher, stream.answer, dependencies))
    link = f"{base}/download?{await dependencies.signed_links.link_query(query.values)}"
    return {"event": "done", "download": link, **way}


async def _find_way(
    job: Job, resolved: ResolvedSource, labels: Labels, fetcher: Fetcher, answer: Answer, dependencies: Dependencies
) -> Document:
    """Return how the download link sends the output. Raises what `/download` would before it makes anything."""
    if resolved.file:
        return _way("The download link sends the file as it is.", size=resolved.file.length)
    plain = PlainOutput(resolved.plan, labels, fetcher=fetcher, dependencies=dependencies)
    if file := await plain.find(job.layout, timing=ServerTiming(dependencies.clock), answer=answer):
        return _way("The download link sends a plain MP4, and any range of it.", layout=Layout.PLAIN, size=file.length)
    if job.layout is not Layout.PLAIN:
        return _way("The download link streams the output while it is made.", layout=Layout.FRAGMENTED)
    FinishedOutput(resolved.plan, dependencies.settings, is_silent=False)
    return _way(
        f"The download link makes a plain MP4, and sends it when it is whole. With Accept: {MULTIPART_MIXED} it sends reports of its "
        "progress until then, in the same response.",
        layout=Layout.PLAIN,
        accept=MULTIPART_MIXED,
    )


def _way(detail: str, *, layout: Layout | None = None, size: int | None = None, accept: str | None = None) -> Document:
    return {"layout": layout.value if layout else None, "bytes": size, "accept": accept, "detail": detail}


class _EventStream:
    """Sends events, and signs of life between them."""

    def __init__(self, answer: Answer, event_format: EventFormat, margin: float) -> None:
        self.answer = answer
        self._format = event_format
        self._margin = margin

    async def start(self) -> None:
        headers = (("content-type", self._format.value), ("cache-control", "no-store"), ("x-content-type-options", "nosniff"))
        await self.answer.start(ResponseHead(HTTPStatus.OK, (*headers, ("vary", "accept"))))

    async def send(self, document: Document, *, event_id: str) -> None:
        await self.answer.write(self._format.encode(document, event_id=event_id))

    async def keep_alive(self) -> None:
        await self.answer.write(self._format.keep_alive)

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns, and give signs of life until then."""
        return await with_ticks(in_time(work, self.answer, margin=self._margin), self.keep_alive, seconds=REPORT_SECONDS)
