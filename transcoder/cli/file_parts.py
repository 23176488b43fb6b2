"""A plain MP4 from the function, part by part: each small enough to leave Lambda at full speed, and asked for again if it breaks."""

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus

from transcoder.cli.function_call import Call
from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES
from transcoder.core.answer.prelude import ReceivedHead
from transcoder.core.answer.problem import MAX_PROBLEM_BYTES, problem_sentence
from transcoder.errors import BrokenOffError, InvocationError, ThrottledError

PART_BYTES = 6 * 1024 * 1024 - MAX_PRELUDE_BYTES
"""With its prelude, so much of a response is neither throttled nor charged for as a stream."""
MAX_FAILURES = 4
"""How often in a row a part may fail without a further byte of it."""
MAX_WAIT_SECONDS = 300.0
"""How long one part may wait for an execution environment (429)."""
FUNCTION, BUCKET = "The function", "The bucket"
"""Who sends a part."""
_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.5, 10.0
_TRANSIENT = frozenset({
    *(HTTPStatus.PARTIAL_CONTENT, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY),
    *(HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT),
})  # fmt: skip
"""After these the missing bytes may be asked for."""
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileVersion:
    """The file that all parts must be of."""

    length: int
    etag: str


class PartReceiver:
    """Receives one part of a file, over as many responses as that takes."""

    def __init__(self, start: int, stop: int, version: FileVersion | None, *, sender: str = FUNCTION) -> None:
        """Expect the bytes from `start` to before `stop`, or to the end of the file if that comes before; `version` is learned if None.

        `sender` is who the messages of errors are about.
        """
        self._start = start
        self._stop = stop
        self._sender = sender
        self.version = version
        self.data = bytearray()
        self.head: ReceivedHead | None = None
        """The head of the last response."""
        self._problem = bytearray()

    @property
    def is_complete(self) -> bool:
        """Whether all bytes have arrived."""
        return self.version is not None and len(self.data) == min(self._stop, self.version.length) - self._start

    @property
    def status(self) -> int | None:
        """The status of the last response; None if there was none."""
        return self.head.status if self.head else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request for the bytes that are missing."""
        found = {"range": f"bytes={self._start + len(self.data)}-{self._stop - 1}"}
        return found | ({"if-range": self.version.etag} if self.version else {})

    @property
    def problem(self) -> str:
        """What the last response says, if it is an error."""
        return f"{self._sender} responded with {self.status}: {problem_sentence(bytes(self._problem))}"

    def request_started(self) -> None:
        """Forget the response before."""
        self.head, self._problem = None, bytearray()

    async def start(self, head: ReceivedHead) -> None:
        """Receive status and headers.

        Raises:
            InvocationError: the response is of another file, or of another part of it.
        """
        self.head = head
        if head.status != HTTPStatus.PARTIAL_CONTENT:
            if self.version and head.status in {HTTPStatus.OK, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
                raise InvocationError("The file has changed while it was fetched.")
            return
        match = _CONTENT_RANGE.fullmatch(head.headers.get("content-range", ""))
        etag = head.headers.get("etag", "")
        if match is None or int(match[1]) != self._start + len(self.data) or int(match[2]) >= self._stop or not etag.startswith('"'):
            raise InvocationError(f"{self._sender} sent another range than it was asked for, or one without a strong ETag.")
        found = FileVersion(int(match[3]), etag)
        if self.version not in {None, found}:
            raise InvocationError("The file has changed while it was fetched.")
        self.version = found

    async def write(self, chunk: bytes) -> None:
        """Receive a piece of the body."""
        if self.head is None or self.head.status != HTTPStatus.PARTIAL_CONTENT:
            self._problem += chunk[: MAX_PROBLEM_BYTES - len(self._problem)]
            return
        self.data += chunk
        if self.version and len(self.data) > min(self._stop, self.version.length) - self._start:
            raise InvocationError(f"{self._sender} sent more bytes than the range has that it was asked for.")


class BusyWait:
    """Waits while all execution environments of the function are busy."""

    def __init__(self) -> None:
        """Begin with no wait."""
        self._waited = 0.0

    async def wait(self, head: ReceivedHead | None, failure: InvocationError) -> None:
        """Wait as long as the response says, or half a second; raise `failure` once that was long enough."""
        pause = _pause(head, 1)
        self._waited += pause
        if self._waited > MAX_WAIT_SECONDS:
            raise failure
        await asyncio.sleep(pause)


async def fetch_part(call: Call, part: PartReceiver) -> bytes:
    """Return all bytes of a part: wait while all execution environments are busy, and ask for the rest of what breaks.

    Raises:
        InvocationError: the file has changed, or the part cannot be fetched.
    """
    failures, busy = 0, BusyWait()
    while not part.is_complete:
        before = len(part.data)
        failure = await _attempt(call, part)
        if part.is_complete:
            break
        if isinstance(failure, ThrottledError) or part.status == HTTPStatus.TOO_MANY_REQUESTS:
            await busy.wait(part.head, failure or InvocationError(part.problem))
            continue
        failures = 1 if len(part.data) > before else failures + 1
        if failures >= MAX_FAILURES or (part.head and part.status not in _TRANSIENT):
            raise failure or InvocationError(part.problem)
        await asyncio.sleep(_pause(part.head, failures))
    return bytes(part.data)


async def _attempt(call: Call, part: PartReceiver) -> InvocationError | None:
    """Send one request; return the failure of its transport, if it failed."""
    try:
        await call(part, part.headers)
    except BrokenOffError as error:
        return error
    return None


def _pause(head: ReceivedHead | None, failures: int) -> float:
    """Return how long to wait before the next request, in seconds: what the response says, or longer from failure to failure."""
    after = head.headers.get("retry-after", "") if head else ""
    told = float(after) if after.isascii() and after.isdigit() else 0.0
    return min(_MAX_PAUSE_SECONDS, max(told, _PAUSE_SECONDS * 2.0 ** (failures - 1)))
