"""The receiver of a response with reports: it shows them, and passes on the MP4 that follows them."""

from collections.abc import Callable
from http import HTTPStatus

from transcoder.core.answer.multipart import MultipartReader, PartEnd, PartStart, boundary_of
from transcoder.core.answer.prelude import ReceivedHead
from transcoder.core.answer.problem import MAX_PROBLEM_BYTES, PROBLEM_TYPE, problem_sentence
from transcoder.core.answer.progress_report import ProgressReport, read_report
from transcoder.errors import InvocationError
from transcoder.pipeline import Sink
from transcoder.pipeline.mp4_receiver import Mp4Receiver, ReceivedMp4

MAX_REPORT_BYTES = MAX_PROBLEM_BYTES
"""So much of a report is kept; what is longer is none."""
Show = Callable[[ProgressReport], None]
_JSON = "application/json"


def is_reported(head: ReceivedHead) -> bool:
    """Return whether a response has reports."""
    return head.status == HTTPStatus.OK and boundary_of(head.headers.get("content-type", "")) is not None


class MultipartReceiver:
    """Receives reports, and behind them one MP4 or the reason why there is none; checks at the end that all of it is whole."""

    def __init__(self, sink: Sink, show: Show, *, requested_at: float) -> None:
        """Pass the MP4 on into `sink`, and reports to `show`; the request was sent at `requested_at`, by `time.monotonic`."""
        self._show = show
        self._mp4 = Mp4Receiver(sink, requested_at=requested_at)
        self._reader: MultipartReader | None = None
        self._type = ""
        """Of the part that has begun."""
        self._text = bytearray()
        self._length: int | None = None
        """That the part has announced."""
        self._received = 0
        self._has_mp4 = False
        self._problem: str | None = None

    def request_started(self) -> None:
        """Do nothing: the request was sent before its response showed that it has reports."""

    async def start(self, head: ReceivedHead) -> None:
        """Receive status and headers of a response that `is_reported`."""
        self._reader = MultipartReader(boundary_of(head.headers["content-type"]) or "")

    async def write(self, chunk: bytes) -> None:
        """Receive a piece of the body.

        Raises:
            InvocationError: the response is not valid, or the MP4 is damaged.
        """
        for event in self._reader.feed(chunk) if self._reader else ():
            if isinstance(event, PartStart):
                await self._begin(event)
            elif isinstance(event, PartEnd):
                self._end()
            else:
                await self._take(event)

    def finish(self) -> ReceivedMp4:
        """Return what was received, if it is a whole MP4 in a whole response.

        Raises:
            InvocationError: it is not, or the response says why there is none.
        """
        if self._problem is not None:
            raise InvocationError(f"The function could not make the MP4: {self._problem}")
        if self._reader is None:
            raise InvocationError("The function sent no response.")
        self._reader.end()
        if not self._has_mp4:
            raise InvocationError("The response has reports and no MP4.")
        return self._mp4.finish()

    async def _begin(self, part: PartStart) -> None:
        if self._has_mp4 or self._problem is not None:
            raise InvocationError("The response is not valid: a part follows the last one.")
        length = part.headers.get("content-length", "")
        self._length = int(length) if length.isascii() and length.isdigit() else None
        self._type = part.headers.get("content-type", "").partition(";")[0].strip().lower()
        self._received = 0
        self._text.clear()
        if self._type in {_JSON, PROBLEM_TYPE}:
            return
        if self._length is None:
            raise InvocationError("The response is not valid: its MP4 has no Content-Length.")
        self._has_mp4 = True
        # From here on it is what a response without reports would be.
        await self._mp4.start(ReceivedHead(HTTPStatus.OK, {**part.headers, "x-content-length": str(self._length)}))

    async def _take(self, piece: bytes) -> None:
        self._received += len(piece)
        if self._type not in {_JSON, PROBLEM_TYPE}:
            await self._mp4.write(piece)
        elif len(self._text) <= MAX_REPORT_BYTES:
            self._text += piece

    def _end(self) -> None:
        if self._length is not None and self._received != self._length:
            raise InvocationError(f"A part of the response has {self._received} bytes instead of {self._length}.")
        if self._type == PROBLEM_TYPE:
            self._problem = problem_sentence(bytes(self._text))
        elif self._type == _JSON and (report := read_report(bytes(self._text))):
            self._show(report)
