"""The route `/download`: the output itself, or a file passed through."""

from collections.abc import Sequence

from transcoder.app.answer import Answer
from transcoder.app.dependencies import Dependencies
from transcoder.app.plain import PlainOutput
from transcoder.app.response_head import OutputHead, ServerTiming
from transcoder.core.answer.file_names import file_name
from transcoder.core.answer.function_url import Request
from transcoder.core.answer.passthrough import FileHead, range_headers
from transcoder.core.output.announcement import Announcement
from transcoder.core.request.query import parse_query
from transcoder.core.source.metadata import metadata_of
from transcoder.edge.fetch import Fetcher
from transcoder.edge.ffmpeg import Program
from transcoder.errors import TooLargeError
from transcoder.pipeline import transcode
from transcoder.pipeline.plain_index import Labels


async def download(request: Request, answer: Answer, dependencies: Dependencies) -> None:
    """Send the output that the query describes; for HEAD, send the headers that GET would send, and fetch no media.

    Raises:
        TranscoderError: the request fails, for a reason that the caller is told.

    """
    timing, settings = ServerTiming(dependencies.clock), dependencies.settings
    query = parse_query(request.query)
    await dependencies.signed_links.check(query.values)
    job = query.job()
    async with dependencies.fetcher(job.url, answer=answer) as fetcher:
        source = await dependencies.find(job, fetcher=fetcher, answer=answer)
        timing.mark("source")
        resolved = await dependencies.resolver.resolve(source, job, fetcher=fetcher)
        timing.mark("playlists")
        name = file_name(job.filename or source.name, resolved.extension(job))
        if resolved.file:
            await _pass_through(resolved.file, request, _PassthroughSink(answer, name, limit=settings.response_limit), fetcher)
            return
        head = OutputHead(job.format.content_type, name, settings.cache_seconds, timing)
        labels = Labels(metadata_of(source), resolved.audio_language)
        plain = PlainOutput(resolved.plan, labels, fetcher=fetcher, dependencies=dependencies)
        if file := await plain.find(job.layout, timing=timing, answer=answer):
            await plain.send(file, request, answer, head)
        elif request.method == "HEAD":
            await answer.start(head.build(_stream_headers(resolved.plan.estimated_bytes)))
        else:
            sink, program = _OutputSink(answer, head), Program(dependencies.ffmpeg_path, settings.ffmpeg_seconds, answer.deadline)
            await transcode(resolved.plan, fetcher=fetcher, program=program, settings=settings, into=sink, tags=labels.tags)


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
