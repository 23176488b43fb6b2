"""The route `/download`: the output itself, or a file passed through."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from transcoder.app.answer import Answer
from transcoder.app.delivery import OVER_EVENTS, check_stream, delivery_of, refuse_stored_file
from transcoder.app.dependencies import Dependencies
from transcoder.app.finished import FinishedOutput
from transcoder.app.plain import PlainOutput
from transcoder.app.response_head import OutputHead, ServerTiming
from transcoder.core.answer.accept import MULTIPART_MIXED, names_type
from transcoder.core.answer.event import Request
from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.passthrough import FileHead, range_headers
from transcoder.core.hls.plan import Plan
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.labels import Labels
from transcoder.core.request.output_format import Deliver, Layout
from transcoder.core.request.query import parse_query
from transcoder.core.source.metadata import metadata_of
from transcoder.core.source.resolved_report import Document, resolved_report
from transcoder.core.source.source import ResolvedSource
from transcoder.edge.fetch import Fetcher
from transcoder.errors import TooLargeError
from transcoder.pipeline import Sink

if TYPE_CHECKING:
    from transcoder.app.stored import StoredOutput


async def download(request: Request, answer: Answer, dependencies: Dependencies) -> None:
    """Send the output that the query describes; for HEAD, send the headers that GET would send, and fetch no media.

    Raises:
        TranscoderError: the request fails, for a reason that the caller is told.

    """
    timing, settings = ServerTiming(dependencies.clock), dependencies.settings
    query = parse_query(request.query)
    await dependencies.signed_links.check(query.values)
    job = query.job()
    deliver = delivery_of(job, settings)
    async with dependencies.fetcher(job.url, answer=answer) as fetcher:
        source = await dependencies.find(job, fetcher=fetcher, answer=answer)
        timing.mark("source")
        resolved = await dependencies.resolver.resolve(source, job, fetcher=fetcher)
        timing.mark("playlists")
        name = file_name(job.filename or source.name, resolved.extension(job))
        if resolved.file:
            refuse_stored_file(deliver)
            await _pass_through(resolved.file, request, _PassthroughSink(answer, name, limit=settings.response_limit), fetcher)
            return
        head = OutputHead(job.format.content_type, name, settings.cache_seconds, timing)
        labels = Labels(metadata_of(source, resolved, job), resolved.audio_language)
        report = resolved_report(source, resolved, file_name=name)
        stored = None if deliver is Deliver.STREAM else _stored_output(resolved, labels, name, dependencies, answer)
        await _Output(resolved.plan, labels, report, stored, fetcher, dependencies, answer).send(request, job.layout, deliver, head)


def _stored_output(
    resolved: ResolvedSource, labels: Labels, name: str, dependencies: Dependencies, answer: Answer
) -> "StoredOutput | None":
    from transcoder.app.stored import stored_output  # noqa: PLC0415  # only a service with a bucket needs it

    return stored_output(resolved, labels, name, dependencies, answer)


class _Output(NamedTuple):
    """An output that is made of a plan."""

    plan: Plan
    labels: Labels
    report: Document
    """What is known of it before it is made."""
    stored: "StoredOutput | None"
    """The same in the bucket; None if it is only streamed."""
    fetcher: Fetcher
    dependencies: Dependencies
    answer: Answer

    async def send(self, request: Request, layout: Layout, deliver: Deliver, head: OutputHead) -> None:
        """Send it in the layout that is asked for, or redirect to where it is stored."""
        if self.stored is not None and deliver is Deliver.S3:
            await self._redirect(self.stored, request, head)
            return
        plain = PlainOutput(self.plan, self.labels, fetcher=self.fetcher, dependencies=self.dependencies)
        file = await plain.find(layout, timing=head.timing, answer=self.answer)
        try:
            if file:
                await plain.send(file, request, self.answer, head)
            else:
                await self._send_made(request, layout, head)
        except TooLargeError as error:
            if self.stored is None or self.answer.started:
                raise
            # Whether it is a map, the source alone decides, never what is stored: a download that is resumed could glue two files together.
            found = None if file else await self.stored.find()
            if found is None:
                raise TooLargeError(f"{error} {OVER_EVENTS}") from error
            await self.stored.redirect(found, head.timing)

    async def _send_made(self, request: Request, layout: Layout, head: OutputHead) -> None:
        """Send what has to be made. Raises TooLargeError for what a response probably cannot have, if it can be stored instead."""
        if layout is Layout.PLAIN:
            await self._send_finished(request, head)
            return
        if self.stored is not None:
            check_stream(self.plan, self.dependencies.settings, self.answer)
        if request.method == "HEAD":
            await self.answer.start(head.build(_stream_headers(self.plan.estimated_bytes)))
        else:
            await self._make_into(_OutputSink(self.answer, head))

    async def _redirect(self, stored: "StoredOutput", request: Request, head: OutputHead) -> None:
        """Redirect to the stored file; make it first if it is not there, and that takes not too long for a silent response."""
        found = await stored.find()
        if found is None:
            making = stored.making(silent_seconds=self.dependencies.settings.silent_seconds)
            if request.method == "HEAD":
                await stored.announce_redirect(head.timing)
                return
            found = await making.run(self._make_into)
        await stored.redirect(found, head.timing)

    async def _send_finished(self, request: Request, head: OutputHead) -> None:
        """Make a plain MP4 and send it, with reports in front of it if the client takes them."""
        settings, is_reported = self.dependencies.settings, names_type(request.headers.get("accept", ""), MULTIPART_MIXED)
        finished = FinishedOutput(self.plan, settings, is_silent=not is_reported)
        if is_reported:
            from transcoder.app.reported import ReportedOutput  # noqa: PLC0415  # few clients ask for reports

            reported = ReportedOutput(finished, self.fetcher, settings, self.answer)
            await (reported.start() if request.method == "HEAD" else reported.send(self.report, self._make_into, head))
        elif request.method == "HEAD":
            await self.answer.start(head.build([*_stream_headers(self.plan.estimated_bytes), ("vary", "accept")]))
        else:
            await finished.send(self._make_into, self.answer, head)

    async def _make_into(self, sink: Sink) -> None:
        await self.dependencies.make(self.plan, self.labels, sink, fetcher=self.fetcher, answer=self.answer)


async def _pass_through(found: FileHead, request: Request, sink: "_PassthroughSink", fetcher: Fetcher) -> None:
    """Send a file unchanged, or the range of it that the request asks for."""
    if request.method == "HEAD":
        await sink.start(found)
    else:
        await fetcher.pass_through(found.requested_url, range_headers(request.headers), sink)


class _PassthroughSink:
    """Sends a file with its origin's status: 200, or 206 for a range."""

    def __init__(self, answer: Answer, name: str, *, limit: int) -> None:
        self._answer = answer
        self._name = name
        self._limit = limit

    async def start(self, head: FileHead) -> None:
        if (head.length or 0) > self._limit:
            way_out = " Request it in ranges (Range)." if head.accepts_ranges else ""
            raise TooLargeError(f"The file has {head.length} bytes; one response can have at most {self._limit}.{way_out}")
        await self._answer.start(head.response_head(self._name))

    async def write(self, chunk: bytes) -> None:
        await self._answer.write(chunk)


class _OutputSink:
    """Sends the output. It sends the response head only once the first bytes exist, so an earlier failure can still set the status."""

    def __init__(self, answer: Answer, head: OutputHead) -> None:
        self._answer = answer
        self._head = head

    async def start(self, announcement: Announcement) -> None:
        self._head.timing.mark("media")
        if announcement.reencoded:
            self._answer.note(audio_reencoded=", ".join(announcement.reencoded))
        headers = _stream_headers(announcement.estimated_bytes, announcement.reencoded)
        await self._answer.start(self._head.build(headers, seconds=announcement.seconds))

    async def write(self, chunk: bytes) -> None:
        await self._answer.write(chunk)


def _stream_headers(estimated_bytes: int | None, reencoded: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return the headers of an output that is streamed while it is made."""
    headers = [("accept-ranges", "none")]
    headers += [("x-content-length-estimate", str(estimated_bytes))] if estimated_bytes is not None else []
    return headers + ([("x-audio-reencoded", ", ".join(reencoded))] if reencoded else [])
