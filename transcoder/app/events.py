"""The route `/events`: what a source turns out to be, and where its output can be had, told as soon as it is known.

What a response cannot have is made meanwhile, in the bucket of the service.
"""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

from transcoder.app.answer import Answer
from transcoder.app.delivery import body_limit, check_stream, delivery_of, refuse_stored_file
from transcoder.app.dependencies import Dependencies
from transcoder.app.finished import FinishedOutput
from transcoder.app.plain import PlainOutput
from transcoder.app.reports import Reports
from transcoder.app.response_head import ServerTiming
from transcoder.app.stored import StoredOutput, stored_output
from transcoder.app.ticking import REPORT_SECONDS, with_ticks
from transcoder.app.time_limit import in_time
from transcoder.core.answer.accept import MULTIPART_MIXED
from transcoder.core.answer.event import Request
from transcoder.core.answer.event_stream import END_ID, EventFormat, accepted_format
from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.function_url import ResponseHead
from transcoder.core.answer.problem import problem_document
from transcoder.core.hls.plan import Plan
from transcoder.core.output.labels import Labels
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import Deliver, Layout
from transcoder.core.request.query import parse_query
from transcoder.core.source.metadata import metadata_of
from transcoder.core.source.resolved_report import Document, resolved_report
from transcoder.core.source.source import ResolvedSource, Source
from transcoder.edge.fetch import Fetcher
from transcoder.edge.object_store import ABORT_SECONDS
from transcoder.errors import TooLargeError, TranscoderError
from transcoder.pipeline import Sink

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
    deliver = delivery_of(job, dependencies.settings)
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
        way, how = await _Search(job, deliver, stream, dependencies).run()
        values = query.values | ({"deliver": how.value} if how is Deliver.S3 else {})
        link = f"{base}/download?{await dependencies.signed_links.link_query(values)}"
        done: Document = {"event": "done", "download": link, **way}
    except TranscoderError as error:
        answer.note(outcome=error.slug)
        done = {**problem_document(error), "event": "failed"}
    await stream.send(done, event_id=END_ID)


class _Search(NamedTuple):
    """What is looked for, and made if it is delivered through the bucket."""

    job: Job
    deliver: Deliver
    stream: "_EventStream"
    dependencies: Dependencies

    async def run(self) -> tuple[Document, Deliver]:
        """Send what is found of the source; return how its output can be had, and how the download link has to say that.

        Raises:
            TranscoderError: there is none.
        """
        job, stream, dependencies = self.job, self.stream, self.dependencies
        async with dependencies.fetcher(job.url, answer=stream.answer) as fetcher:

            async def resolve() -> tuple[Source, ResolvedSource]:
                source = await dependencies.find(job, fetcher=fetcher, answer=stream.answer)
                return source, await dependencies.resolver.resolve(source, job, fetcher=fetcher)

            source, resolved = await stream.during(resolve())
            name = file_name(job.filename or source.name, resolved.extension(job))
            await stream.send(resolved_report(source, resolved, file_name=name), event_id="resolved")
            if resolved.file:
                refuse_stored_file(self.deliver)
                return _way("The download link sends the file as it is.", size=resolved.file.length), Deliver.STREAM
            labels = Labels(metadata_of(source, resolved, job), resolved.audio_language)
            stored = None if self.deliver is Deliver.STREAM else stored_output(resolved, labels, name, dependencies, stream.answer)
            output = _Output(resolved.plan, labels, stored, fetcher, dependencies, stream)
            return await output.way(job.layout, self.deliver)


@dataclass(frozen=True, slots=True)
class _Output:
    """The output of a plan, and how it can be had."""

    plan: Plan
    labels: Labels
    stored: StoredOutput | None
    fetcher: Fetcher
    dependencies: Dependencies
    stream: "_EventStream"

    async def way(self, layout: Layout, deliver: Deliver) -> tuple[Document, Deliver]:
        """Return how the output can be had; it is made if it has to be stored for that."""
        if self.stored is None:
            return await self.stream.during(self._find_way(layout, must_fit=False)), Deliver.STREAM
        if deliver is Deliver.AUTO:
            with suppress(TooLargeError):
                return await self.stream.during(self._find_way(layout, must_fit=True)), Deliver.AUTO
        return await self._store(self.stored), Deliver.S3

    async def _find_way(self, layout: Layout, *, must_fit: bool) -> Document:
        """Return how the download link sends the output. Raises what `/download` would before it makes anything.

        With `must_fit`, it also raises TooLargeError if a response probably cannot have all of it.
        """
        settings, answer = self.dependencies.settings, self.stream.answer
        plain = PlainOutput(self.plan, self.labels, fetcher=self.fetcher, dependencies=self.dependencies)
        if file := await plain.find(layout, timing=ServerTiming(self.dependencies.clock), answer=answer):
            if must_fit and file.length > body_limit(settings):
                raise TooLargeError("One response cannot have all of it.")
            return _way("The download link sends a plain MP4, and any range of it.", layout=Layout.PLAIN, size=file.length)
        if layout is not Layout.PLAIN:
            if must_fit:
                check_stream(self.plan, settings, answer)
            return _way("The download link streams the output while it is made.", layout=Layout.FRAGMENTED)
        FinishedOutput(self.plan, settings, is_silent=must_fit)  # not by a way that /download would refuse
        return _way(
            f"The download link makes a plain MP4, and sends it when it is whole. With Accept: {MULTIPART_MIXED} it sends reports of its "
            "progress until then, in the same response.",
            layout=Layout.PLAIN,
            accept=MULTIPART_MIXED,
        )

    async def _store(self, stored: StoredOutput) -> Document:
        """Make the file in the bucket, unless it is there, and report the progress."""
        file = await self.stream.during(stored.find())
        if file is None:
            making = stored.making()
            reports = Reports(making, self.plan, self.fetcher, lambda report: self.stream.send(report, event_id="progress"))
            file = await self.stream.reporting(making.run(self._make), reports.tick)
        url, seconds = await self.stream.during(stored.link(file))
        about = _way("The file is made. The download link redirects to it.", layout=Layout.PLAIN, size=file.length)
        return {**about, "file": url, "expires_in": seconds}

    async def _make(self, sink: Sink) -> None:
        await self.dependencies.make(self.plan, self.labels, sink, fetcher=self.fetcher, answer=self.stream.answer)


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

    async def reporting(self, work: Coroutine[Any, Any, T], tick: Callable[[], Awaitable[None]]) -> T:
        """Return what `work` returns, which uploads something, and await `tick()` from time to time until then."""
        return await with_ticks(in_time(work, self.answer, margin=self._margin, ending=ABORT_SECONDS), tick)
