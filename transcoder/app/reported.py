"""A plain MP4 whose making is reported: `multipart/mixed`, with reports in JSON first, and as the last part the MP4 or its failure."""

import json
import secrets
from http import HTTPStatus

from transcoder.app.answer import Answer
from transcoder.app.finished import FinishedOutput, Make, Making
from transcoder.app.reports import Reports
from transcoder.app.response_head import OutputHead
from transcoder.app.ticking import with_ticks
from transcoder.app.time_limit import in_time
from transcoder.core.answer.accept import MULTIPART_MIXED
from transcoder.core.answer.function_url import ResponseHead
from transcoder.core.answer.multipart import PART_END, closing_boundary, part_head
from transcoder.core.answer.problem import PROBLEM_TYPE, problem_document
from transcoder.core.source.resolved_report import Document
from transcoder.edge.fetch import Fetcher
from transcoder.edge.temporary_file import TemporaryFile
from transcoder.errors import TranscoderError
from transcoder.pipeline.finished_file import FinishedFile
from transcoder.settings import Settings

_PART_HEADERS = frozenset({"content-type", "content-disposition", "x-content-duration", "x-audio-reencoded"})
"""Headers of a plain MP4 that its part has."""


class ReportedOutput:
    """A finished output with the reports on its making."""

    def __init__(self, output: FinishedOutput, fetcher: Fetcher, settings: Settings, answer: Answer) -> None:
        """Make nothing yet."""
        self._output = output
        self._fetcher = fetcher
        self._settings = settings
        self._answer = answer
        self._parts = _Parts(answer)

    async def start(self) -> None:
        """Send status and headers."""
        await self._parts.start()

    async def send(self, resolved: Document, make: Make, head: OutputHead) -> None:
        """Report what was `resolved`, let `make` make the MP4 and report its progress, and send it or the reason why there is none.

        Raises:
            StorageError: there is no temporary file; nothing has been sent.
            TranscoderError: sending the MP4 fails, so that the response breaks off.
        """
        with TemporaryFile() as media:
            await self.start()
            await self._parts.report(resolved)
            making = Making(self._output, media)
            try:
                file = await self._make(making, make)
            except TranscoderError as error:
                self._answer.note(outcome=error.slug)
                await self._parts.report({**problem_document(error), "event": "failed"}, PROBLEM_TYPE)
            else:
                headers = head.build(making.headers(file, self._answer, head), seconds=file.movie.seconds).headers
                await self._parts.send(file, [(name, text) for name, text in headers if name in _PART_HEADERS])
            await self._parts.end()

    async def _make(self, making: Making, make: Make) -> FinishedFile:
        reports = Reports(making, self._output.plan, self._fetcher, self._parts.report)
        work = in_time(making.run(make), self._answer, margin=self._settings.deadline_margin_seconds)
        file = await with_ticks(work, reports.tick)
        self._output.check_response(file.length + self._parts.overhead)
        return file


class _Parts:
    """Writes a multipart body."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._boundary = secrets.token_hex(16)  # no origin knows it, so that none can send it
        self._written = 0

    @property
    def overhead(self) -> int:
        """How many bytes the response has without the MP4: those that were written, and at most as many for the rest."""
        return self._written + 4096

    async def start(self) -> None:
        headers = (
            ("content-type", f'{MULTIPART_MIXED}; boundary="{self._boundary}"'),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("vary", "accept"),
        )
        await self._answer.start(ResponseHead(HTTPStatus.OK, headers))

    async def report(self, document: Document, content_type: str = "application/json") -> None:
        body = json.dumps(document).encode() + b"\n"
        headers = [("content-type", content_type), ("content-length", str(len(body)))]
        await self._write(part_head(self._boundary, headers) + body + PART_END)

    async def send(self, file: FinishedFile, headers: list[tuple[str, str]]) -> None:
        about = [*headers, ("content-length", str(file.length)), ("content-transfer-encoding", "binary")]
        await self._write(part_head(self._boundary, about))
        await file.send(self._write)
        await self._write(PART_END)

    async def end(self) -> None:
        await self._write(closing_boundary(self._boundary))

    async def _write(self, chunk: bytes) -> None:
        await self._answer.write(chunk)
        self._written += len(chunk)
