"""A plain MP4 as a response: any range of it, with its exact length, while nothing of it is stored."""

from contextlib import suppress
from http import HTTPStatus

from transcoder.app.answer import Answer
from transcoder.app.delivery import body_limit
from transcoder.app.dependencies import Dependencies
from transcoder.app.response_head import OutputHead, ServerTiming
from transcoder.core.answer.byte_ranges import FilePart, requested_part
from transcoder.core.answer.event import Request
from transcoder.core.answer.function_url import problem_response
from transcoder.core.hls.plan import Plan
from transcoder.core.output.labels import Labels
from transcoder.core.request.output_format import Layout
from transcoder.edge.fetch import Fetcher
from transcoder.errors import ChangedFileError, PlainLayoutError, RangeNotSatisfiableError, TooLargeError
from transcoder.pipeline.index_cache import index_key
from transcoder.pipeline.plain_file import PlainFile, send_part
from transcoder.pipeline.plain_index import make_index, max_heads_of


class PlainOutput:
    """The plain MP4 of a plan, if its source has one."""

    def __init__(self, plan: Plan, labels: Labels, *, fetcher: Fetcher, dependencies: Dependencies) -> None:
        """Make nothing yet."""
        self._plan = plan
        self._labels = labels
        self._fetcher = fetcher
        self._dependencies = dependencies
        self._key = ""

    async def find(self, layout: Layout, *, timing: ServerTiming, answer: Answer) -> PlainFile | None:
        """Return the file; None if `layout` does not ask for it, or the source has none. Nothing else decides that.

        Raises:
            TranscoderError: what `make_index` raises; a head that fails does not make the output fragmented.
        """
        if layout is not Layout.FRAGMENTED:
            with suppress(PlainLayoutError):
                return await self._find(timing, answer, max_heads=max_heads_of(layout, self._dependencies.settings))
        return None

    async def _find(self, timing: ServerTiming, answer: Answer, *, max_heads: int) -> PlainFile:
        """Return the file that is kept from an earlier request, or make it."""
        cache, heads, description = self._dependencies.indexes, 0, "cached"
        self._key = index_key(self._plan, self._labels, max_heads=max_heads)
        file = cache.find(self._key)
        if file is None:
            file, heads = await self._stored_or_made(answer, max_heads=max_heads)
            description = f"{heads} heads, {file.head_bytes} bytes" if heads else "from the bucket"
            cache.keep(self._key, file)
        milliseconds = timing.mark("index", description)
        answer.note(layout="plain", index_ms=round(milliseconds, 1), index_heads=heads, index_bytes=file.kept_bytes)
        return file

    async def _stored_or_made(self, answer: Answer, *, max_heads: int) -> tuple[PlainFile, int]:
        """Return the file that another execution environment has stored, or make it; and how many heads were read now."""
        settings, stored = self._dependencies.settings, self._dependencies.stored_indexes
        file, heads = await stored.find(self._key, self._plan), 0
        if file is None:
            file = await make_index(self._plan, self._labels, fetcher=self._fetcher, settings=settings, max_heads=max_heads)
            heads = file.heads
            await stored.keep(self._key, self._plan, file)
        if stored.problem:
            answer.note(index_bucket_problem=stored.problem)
        return file, heads

    async def send(self, file: PlainFile, request: Request, answer: Answer, head: OutputHead) -> None:
        """Send the part of the file that the request asks for.

        Raises:
            ChangedFileError: the source is no longer the one that the file was made of; the next request makes another file.
            TooLargeError: the whole file is asked for and too large; or, after the first bytes, the rest of it is.
            UpstreamError: the source cannot be fetched.
        """
        limit = body_limit(self._dependencies.settings)
        try:
            is_head = request.method == "HEAD"
            part = requested_part(request.headers, length=file.length, etag=file.etag, limit=limit, is_head=is_head)
        except RangeNotSatisfiableError as error:
            await _refuse_range(error, file, answer)
            return
        headers = [("accept-ranges", "bytes"), ("etag", file.etag), *part.headers(file.length)]
        await answer.start(head.build(headers, status=part.status, seconds=file.movie.seconds))
        if not is_head and part.status is not HTTPStatus.NOT_MODIFIED:
            await self._send_body(file, part, answer)

    async def _send_body(self, file: PlainFile, part: FilePart, answer: Answer) -> None:
        settings = self._dependencies.settings
        try:
            await send_part(file, part.start, part.end, fetcher=self._fetcher, settings=settings, write=answer.write)
        except ChangedFileError:
            self._dependencies.indexes.drop(self._key)
            await self._dependencies.stored_indexes.drop(self._key, self._plan)
            raise
        if part.end < part.stop:
            raise TooLargeError(f"The response breaks off after {part.end - part.start} bytes; request the rest in further ranges.")


async def _refuse_range(error: RangeNotSatisfiableError, file: PlainFile, answer: Answer) -> None:
    """Send a 416 with a body: a Function URL does not end a response that has none."""
    answer.note(outcome=error.slug)
    head, body = problem_response(error)
    about = (("content-range", f"bytes */{file.length}"), ("accept-ranges", "bytes"), ("etag", file.etag))
    await answer.start(head._replace(headers=(*head.headers, *about)))
    await answer.write(body)
