"""The route `/download`: the output itself, or a file passed through."""

from collections.abc import Sequence
from http import HTTPStatus

from transcoder.app.answer import Answer
from transcoder.app.dependencies import Dependencies
from transcoder.core.answer.file_names import content_disposition, file_name
from transcoder.core.answer.function_url import Request, ResponseHead
from transcoder.core.answer.passthrough import FileHead, range_headers
from transcoder.core.output.announcement import Announcement
from transcoder.core.request.query import parse_query
from transcoder.core.source.metadata import metadata_of
from transcoder.edge.fetch import Fetcher
from transcoder.edge.ffmpeg import Program
from transcoder.errors import TooLargeError
from transcoder.pipeline import transcode


async def download(request: Request, answer: Answer, dependencies: Dependencies) -> None:
    """Send the output that the query describes; for HEAD, send the headers that GET would send, and fetch no segment.

    Raises:
        TranscoderError: the request fails, for a reason that the caller is told.

    """
    timing = _ServerTiming(dependencies)
    query = parse_query(request.query)
    await dependencies.signed_links.check(query.values)
    job = query.job()
    settings = dependencies.settings
    async with dependencies.fetcher(job.url, answer=answer) as fetcher:
        source = await dependencies.find(job, fetcher=fetcher, answer=answer)
        timing.mark("source")
        resolved = await dependencies.resolver.resolve(source, job, fetcher=fetcher)
        timing.mark("playlists")
        name = file_name(job.filename or source.name, resolved.extension(job))
        if resolved.file:
            await _pass_through(resolved.file, request, _PassthroughSink(answer, name, limit=settings.response_limit), fetcher)
            return
        head = _OutputHead(job.format.content_type, name, settings.cache_seconds, timing)
        if request.method == "HEAD":
            await answer.start(head.build(resolved.plan.estimated_bytes))
            return
        sink, tags = _OutputSink(answer, head), metadata_of(source)
        program = Program(dependencies.ffmpeg_path, settings.ffmpeg_seconds, answer.deadline)
        await transcode(resolved.plan, fetcher=fetcher, program=program, settings=settings, into=sink, tags=tags)


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


class _ServerTiming:
    """The Server-Timing header (W3C): how long each phase before the first byte took."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._clock = dependencies.clock
        self._last = dependencies.clock()
        self._phases: list[tuple[str, float]] = []

    def mark(self, phase: str) -> None:
        """End a phase, and start the next."""
        now = self._clock()
        self._phases.append((phase, now - self._last))
        self._last = now

    def __str__(self) -> str:
        return ", ".join(f"{phase};dur={seconds * 1000:.1f}" for phase, seconds in self._phases)


class _OutputHead:
    """Builds the response head of the output."""

    def __init__(self, content_type: str, name: str, cache_seconds: int, timing: _ServerTiming) -> None:
        self._content_type = content_type
        self._name = name
        # The headers are sent before it is known whether the stream comes whole, so caches must not store it unless the operator insists.
        self._cache_control = f"public, max-age={cache_seconds}" if cache_seconds > 0 else "no-store"
        self.timing = timing

    def build(self, estimated_bytes: int | None, *, seconds: float | None = None, reencoded: Sequence[str] = ()) -> ResponseHead:
        headers = [
            ("content-type", self._content_type),
            ("content-disposition", content_disposition(self._name)),
            ("cache-control", self._cache_control),
            ("x-content-type-options", "nosniff"),
            ("accept-ranges", "none"),
            ("server-timing", str(self.timing)),
        ]
        headers += [("x-content-duration", f"{seconds:.3f}")] if seconds is not None else []
        headers += [("x-content-length-estimate", str(estimated_bytes))] if estimated_bytes is not None else []
        headers += [("x-audio-reencoded", ", ".join(reencoded))] if reencoded else []
        return ResponseHead(HTTPStatus.OK, tuple(headers))


class _OutputSink:
    """Sends the output. It sends the response head only once the first bytes exist, so an earlier failure can still set the status."""

    def __init__(self, answer: Answer, head: _OutputHead) -> None:
        self._answer = answer
        self._head = head

    async def start(self, announcement: Announcement) -> None:
        self._head.timing.mark("media")
        if announcement.reencoded:
            self._answer.note(audio_reencoded=", ".join(announcement.reencoded))
        head = self._head.build(announcement.estimated_bytes, seconds=announcement.seconds, reencoded=announcement.reencoded)
        await self._answer.start(head)

    async def write(self, chunk: bytes) -> None:
        await self._answer.write(chunk)
