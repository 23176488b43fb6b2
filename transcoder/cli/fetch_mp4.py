"""An MP4 from the function: streamed if it is fragmented, by ranges if it is plain; checked, and passed on in order."""

import asyncio
import functools
import time
from collections import deque
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType

from transcoder.cli.file_parts import BUCKET, FUNCTION, PART_BYTES, BusyWait, FileVersion, PartReceiver, fetch_part
from transcoder.cli.function_call import Call
from transcoder.cli.multipart_receiver import MultipartReceiver, is_reported
from transcoder.cli.progress import FunctionSink
from transcoder.cli.stored_file import StoredFileCall, stored_file
from transcoder.core.answer.accept import MULTIPART_MIXED
from transcoder.core.answer.prelude import ReceivedHead
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import BrokenOffError, InvocationError, ThrottledError, TranscodeError, single_error
from transcoder.local.output import Output
from transcoder.pipeline import Sink
from transcoder.pipeline.mp4_receiver import Mp4Receiver, ReceivedMp4, announced_seconds, check_announced

REPORTED = {"accept": f"{MULTIPART_MIXED}, */*;q=0.5"}
"""The header of a request for reports."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


async def fetch_mp4(call: Call, sink: FunctionSink, *, connections: int, headers: Mapping[str, str] = NO_HEADERS) -> ReceivedMp4:
    """Push the output of the function into `sink`, and return what was received, if it is a whole MP4.

    The first request has `headers`, too, which may ask for reports.

    The first range is fetched alone, since the execution environment that answers it makes the index; then `connections` at once.

    Raises:
        InvocationError: the function failed, or its response is not a whole MP4.
    """
    with single_error():
        first = await _first_response(call, sink, headers)
        is_stored = first.location is not None
        if first.location is not None:
            call = StoredFileCall(call.at(first.location), functools.partial(_new_link, call))
            first = await _first_part_of_stored(call, sink)
        return await _fetch_rest(call, sink, first, connections=connections, is_stored=is_stored)


async def fetch_stored(events: Call, sink: FunctionSink, *, connections: int) -> ReceivedMp4:
    """Let the function make an MP4 in its bucket, show how it is made, and push it into `sink`. Raises what `fetch_mp4` does."""
    with single_error():
        call = StoredFileCall(await stored_file(events, sink.show), functools.partial(stored_file, events, sink.show))
        first = await _first_part_of_stored(call, sink)
        return await _fetch_rest(call, sink, first, connections=connections, is_stored=True)


async def receive_into(
    output: Output, call: Call, sink_of: Callable[[Output], FunctionSink], *, connections: int, with_reports: bool, events: Call | None
) -> ReceivedMp4:
    """Write what a call of the function sends into an output, which is kept if it is whole.

    The MP4 goes into the sink that `sink_of` makes of the open output. With `with_reports`, the function is asked for reports. With
    `events`, that call has the MP4 made, and names the address that it is fetched from.

    Raises:
        InvocationError: the function failed, or its response is not a whole MP4.
        OutputError: the output cannot be written.

    """
    with output:
        sink = sink_of(output)
        if events is not None:
            received = await fetch_stored(events, sink, connections=connections)
        else:
            received = await fetch_mp4(call, sink, connections=connections, headers=REPORTED if with_reports else NO_HEADERS)
        output.commit()
    return received


async def _first_response(call: Call, sink: FunctionSink, headers: Mapping[str, str]) -> "_FirstReceiver":
    """Return what has arrived of the first response; a part may have been broken off. While the function is busy, wait."""
    busy = BusyWait()
    while True:
        first = _FirstReceiver(sink)
        try:
            await call(first, {**headers, **first.part.headers})
        except ThrottledError as error:
            await busy.wait(None, error)
        except BrokenOffError:
            if not first.is_part:
                raise
            return first
        else:
            if first.head is None or first.head.status != HTTPStatus.TOO_MANY_REQUESTS:
                return first
            await busy.wait(first.head, InvocationError("The function is busy (429)."))


async def _first_part_of_stored(call: Call, sink: FunctionSink) -> "_FirstReceiver":
    """Return the first part of a file in a bucket, which gives any range; what fails in passing is asked for again, as of any part."""
    first = _FirstReceiver(sink, sender=BUCKET)
    await fetch_part(call, first.part)
    first.is_part = True
    return first


async def _new_link(call: Call) -> Call:
    """Ask the function again for the address of a file in its bucket, and return the call of that address.

    Raises:
        InvocationError: it does not answer with one; whatever else it sends is written nowhere.
    """
    again, busy = _LinkReceiver(), BusyWait()
    while True:
        try:
            await call(again, {})
        except ThrottledError as error:
            await busy.wait(None, error)
            continue
        if again.location is not None:
            return call.at(again.location)
        await busy.wait(again.head, InvocationError("The function is busy (429)."))


async def _fetch_rest(call: Call, sink: FunctionSink, first: "_FirstReceiver", *, connections: int, is_stored: bool) -> ReceivedMp4:
    """Fetch what the first response has not had of an MP4, and return what was received."""
    return await _ByParts(call, sink, first, is_stored=is_stored).fetch(connections) if first.is_part else first.whole.finish()


def _location(head: ReceivedHead | None) -> str | None:
    return head.headers.get("location") if head and head.status == HTTPStatus.SEE_OTHER else None


class _FirstReceiver:
    """Receives the response to the first request, which shows whether the MP4 is plain."""

    def __init__(self, sink: FunctionSink, *, sender: str = FUNCTION) -> None:
        self.part = PartReceiver(0, PART_BYTES, None, sender=sender)
        self.whole: Mp4Receiver | MultipartReceiver = Mp4Receiver(sink)
        """Receives a response that is no part."""
        self.is_part = False
        self._sink = sink
        self.head: ReceivedHead | None = None
        self.requested_at = self.first_byte_at = time.monotonic()

    @property
    def location(self) -> str | None:
        """Where the response redirects to; None if it does not."""
        return _location(self.head)

    def request_started(self) -> None:
        self.requested_at = time.monotonic()
        self.whole.request_started()

    async def start(self, head: ReceivedHead) -> None:
        self.head = head
        self.is_part = head.status == HTTPStatus.PARTIAL_CONTENT
        if is_reported(head):
            self.whole = MultipartReceiver(self._sink, self._sink.show, requested_at=self.requested_at)
        await (self.part if self.is_part else self.whole).start(head)

    async def write(self, chunk: bytes) -> None:
        if not self.part.data:
            self.first_byte_at = time.monotonic()
        await (self.part if self.is_part else self.whole).write(chunk)


class _LinkReceiver:
    """Receives a response whose head is all that is wanted."""

    def __init__(self) -> None:
        self.head: ReceivedHead | None = None

    def request_started(self) -> None:
        self.head = None

    @property
    def location(self) -> str | None:
        """Where the response redirects to; None if it does not."""
        return _location(self.head)

    async def start(self, head: ReceivedHead) -> None:
        self.head = head
        if self.location is None and head.status != HTTPStatus.TOO_MANY_REQUESTS:
            raise InvocationError(f"The link to the file has expired, and the function gave no other: it responded with {head.status}.")

    async def write(self, chunk: bytes) -> None:
        """Drop what a redirect says for people."""


class _ByParts:
    """A plain MP4 whose first part has begun to arrive."""

    def __init__(self, call: Call, sink: Sink, first: _FirstReceiver, *, is_stored: bool) -> None:
        if first.part.version is None or first.part.head is None:
            raise InvocationError("The function sent no response.")
        self._call = call
        self._sink = sink
        self._first = first
        self._sender = BUCKET if is_stored else FUNCTION
        self._version: FileVersion = first.part.version
        # What is stored is not sent by the function, which would announce its duration.
        self._seconds = None if is_stored else announced_seconds(first.part.head)
        self._verifier = PlainVerifier(length=self._version.length)

    async def fetch(self, connections: int) -> ReceivedMp4:
        await self._sink.start(Announcement(self._seconds or 0.0, {}, self._version.length))
        await self._write(await fetch_part(self._call, self._first.part))
        waiting = deque[asyncio.Task[bytes]]()
        async with TaskGroup() as tasks:
            for start in range(PART_BYTES, self._version.length, PART_BYTES):
                waiting.append(tasks.create_task(self._fetch_part(start)))
                if len(waiting) == connections:
                    await self._write(await waiting.popleft())
            while waiting:
                await self._write(await waiting.popleft())
        return self._finish()

    async def _fetch_part(self, start: int) -> bytes:
        stop = min(start + PART_BYTES, self._version.length)
        return await fetch_part(self._call, PartReceiver(start, stop, self._version, sender=self._sender))

    async def _write(self, data: bytes) -> None:
        try:
            self._verifier.feed(data)
        except TranscodeError as error:
            raise InvocationError(f"The response is not a whole MP4: {error}") from error
        await self._sink.write(data)

    def _finish(self) -> ReceivedMp4:
        try:
            whole = self._verifier.end()
        except TranscodeError as error:
            raise InvocationError(f"The response is not a whole MP4: {error}") from error
        if self._seconds is not None:
            check_announced(whole, self._seconds)
        now, started = time.monotonic(), self._first.requested_at
        return ReceivedMp4(whole, self._first.first_byte_at - started, now - started)
