"""A file that the function makes in its bucket: `/events` reports how, and names its address at the end, which may expire."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from transcoder.cli.function_call import Call
from transcoder.cli.multipart_receiver import Show
from transcoder.core.answer.event_stream import EventFormat
from transcoder.core.answer.prelude import ReceivedHead
from transcoder.core.answer.problem import MAX_PROBLEM_BYTES, problem_sentence
from transcoder.core.answer.progress_report import read_report
from transcoder.edge.invoke import Receiver
from transcoder.errors import InvocationError


async def stored_file(events: Call, show: Show) -> Call:
    """Let the function make a file, show its reports, and return the call that fetches the file.

    Raises:
        InvocationError: the function failed, or its response is not whole.
    """
    receiver = _EventReceiver(show)
    await events(receiver, {"accept": EventFormat.NDJSON.value})
    return events.at(receiver.finish())


class StoredFileCall:
    """The call of a file in a bucket. A link that is refused may have expired: a new one is asked for, once for each request."""

    def __init__(self, link: Call, renew: Callable[[], Awaitable[Call]]) -> None:
        """Call `link`, and what `renew` returns after it."""
        self._link = link
        self._renew = renew
        self._renewing = asyncio.Lock()

    async def __call__(self, receiver: Receiver, headers: Mapping[str, str]) -> None:
        """Call the link, and a new one if it is refused.

        Raises:
            InvocationError: there is no new link.
        """
        link = self._link
        first = _UnlessRefused(receiver)
        await link(first, headers)
        if not first.is_refused:
            return
        async with self._renewing:
            if self._link is link:
                self._link = await self._renew()
        await self._link(receiver, headers)

    def at(self, address: str) -> Call:
        """Return the call of `address`, which may be relative to the link."""
        return self._link.at(address)


class _UnlessRefused:
    """Passes a response on, unless its status says that the link is not valid."""

    def __init__(self, receiver: Receiver) -> None:
        self.is_refused = False
        self._receiver = receiver

    def request_started(self) -> None:
        self._receiver.request_started()

    async def start(self, head: ReceivedHead) -> None:
        self.is_refused = head.status == HTTPStatus.FORBIDDEN
        if not self.is_refused:
            await self._receiver.start(head)

    async def write(self, chunk: bytes) -> None:
        if not self.is_refused:
            await self._receiver.write(chunk)


class _EventReceiver:
    """Receives events, one JSON text a line."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._head: ReceivedHead | None = None
        self._line = bytearray()
        self._last = b""

    def request_started(self) -> None:
        """Do nothing: how long it takes shows in the reports."""

    async def start(self, head: ReceivedHead) -> None:
        self._head = head

    async def write(self, chunk: bytes) -> None:
        self._line += chunk
        if len(self._line) > MAX_PROBLEM_BYTES:
            raise InvocationError("The function sent an event that is too long.")
        *lines, rest = self._line.split(b"\n")
        for line in lines:
            self._last = bytes(line)
            if report := read_report(self._last):
                self._show(report)
        self._line = bytearray(rest)

    def finish(self) -> str:
        """Return the address of the file.

        Raises:
            InvocationError: the response does not end with it.
        """
        if self._head is None or self._head.status != HTTPStatus.OK:
            status = self._head.status if self._head else "nothing"
            raise InvocationError(f"The function responded with {status}: {problem_sentence(self._last or bytes(self._line))}")
        try:
            last = json.loads(self._last)
            kind, address = last["event"], last.get("file")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise InvocationError("The events of the function end before the last one.") from error
        if kind == "failed":
            raise InvocationError(f"The function could not make the MP4: {problem_sentence(self._last)}")
        if kind != "done" or not isinstance(address, str):
            raise InvocationError("The events of the function end without the address of a file.")
        return address
