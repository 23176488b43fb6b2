"""`/download`: the film itself."""

from http import HTTPStatus

from transcoder.app.service import Answer, Service
from transcoder.core.answer.file_names import content_disposition, file_name
from transcoder.core.answer.function_url import Request, ResponseHead
from transcoder.core.answer.passthrough import FileHead, range_headers
from transcoder.core.output.announcement import Announcement
from transcoder.core.request.query import parse_query
from transcoder.core.source.metadata import metadata_of
from transcoder.edge.fetch import Fetcher
from transcoder.errors import TooLargeError
from transcoder.pipeline import transcode


async def download(request: Request, answer: Answer, service: Service) -> None:
    """Send the film that the query asks for; for HEAD, what its header would be, and no segment is fetched.

    Raises:
        TranscoderError: whatever there is to tell the caller.

    """
    timing = _Timing(service)
    query = parse_query(request.query)
    await service.links.check(query.values)
    job = query.job()
    async with service.fetcher(job.url, noted_in=answer) as fetcher:
        source = await service.resolver.find(job, fetcher=fetcher)
        timing.mark("source")
        resolved = await service.resolver.resolve(source, job, fetcher=fetcher)
        timing.mark("playlists")
        name = file_name(job.filename or source.name, resolved.extension(job))
        if resolved.file:
            await _pass_on(resolved.file, request, _File(answer, name, limit=service.settings.response_limit), fetcher)
            return
        header = _Header(job.format.content_type, name, service.settings.cache_seconds, timing)
        if request.method == "HEAD":
            await answer.start(header.of(resolved.plan.estimated_bytes))
            return
        film = _Film(answer, header)
        await transcode(
            resolved.plan, fetcher=fetcher, program=service.program, settings=service.settings, into=film, tags=metadata_of(source)
        )


async def _pass_on(found: FileHead, request: Request, into: "_File", fetcher: Fetcher) -> None:
    """Send a file, or the part of it that the request asks for, as it is."""
    if request.method == "HEAD":
        await into.start(found)
    else:
        await fetcher.pass_through(found.requested_url, range_headers(request.headers), into)


class _File:
    """Sends a file with its origin's status: 200, or 206 for a part."""

    def __init__(self, answer: Answer, name: str, *, limit: int) -> None:
        self._answer = answer
        self._name = name
        self._limit = limit

    async def start(self, head: FileHead) -> None:
        if (head.length or 0) > self._limit:
            way_out = " Ask for parts of it (Range)." if head.accepts_ranges else ""
            raise TooLargeError(f"The file has {head.length} bytes, and {self._limit} are the most that is sent at once.{way_out}")
        await self._answer.start(head.response_head(self._name))

    async def write(self, chunk: bytes) -> None:
        await self._answer.write(chunk)


class _Timing:
    """How long each phase up to the first byte took (Server Timing, W3C)."""

    def __init__(self, service: Service) -> None:
        self._clock = service.clock
        self._last = service.clock()
        self._phases: list[tuple[str, float]] = []

    def mark(self, phase: str) -> None:
        """End a phase."""
        now = self._clock()
        self._phases.append((phase, now - self._last))
        self._last = now

    def __str__(self) -> str:
        return ", ".join(f"{phase};dur={seconds * 1000:.1f}" for phase, seconds in self._phases)


class _Header:
    """The header of a film, as far as it is known."""

    def __init__(self, content_type: str, name: str, cache_seconds: int, timing: _Timing) -> None:
        self._type = content_type
        self._name = name
        # Whether a stream came whole is not known when its header is sent, so nothing in between may keep it, unless the owner insists.
        self._cache = f"public, max-age={cache_seconds}" if cache_seconds > 0 else "no-store"
        self.timing = timing

    def of(self, estimated_bytes: int | None, *, seconds: float | None = None) -> ResponseHead:
        headers = [
            ("content-type", self._type),
            ("content-disposition", content_disposition(self._name)),
            ("cache-control", self._cache),
            ("x-content-type-options", "nosniff"),
            ("accept-ranges", "none"),
            ("server-timing", str(self.timing)),
        ]
        headers += [("x-content-duration", f"{seconds:.3f}")] if seconds is not None else []
        headers += [("x-content-length-estimate", str(estimated_bytes))] if estimated_bytes is not None else []
        return ResponseHead(HTTPStatus.OK, tuple(headers))


class _Film:
    """Sends the film: the status is decided by its first bytes, not by a hope."""

    def __init__(self, answer: Answer, header: _Header) -> None:
        self._answer = answer
        self._header = header

    async def start(self, film: Announcement) -> None:
        self._header.timing.mark("media")
        await self._answer.start(self._header.of(film.estimated_bytes, seconds=film.seconds))

    async def write(self, chunk: bytes) -> None:
        await self._answer.write(chunk)
