"""Invoke a function by its name: InvokeWithResponseStream, through boto3.

Source: the operation's model in botocore. The payload begins with the prelude, which only a Function URL removes.
"""

import asyncio
import contextlib
import ipaddress
import json
import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from transcoder.core.answer.prelude import PreludeReader
from transcoder.edge.invoke.receiver import CONNECT_SECONDS, READ_SECONDS, Receiver
from transcoder.edge.s3_client import aws_sdk
from transcoder.errors import BrokenOffError, InvocationError, ThrottledError

LOOPBACK_REGION = "us-east-1"
MAX_BUFFERED_EVENTS = 4
"""How many events are read from the stream before they are processed."""

_StreamEvent = Mapping[str, Mapping[str, Any]]


class LambdaFunction(NamedTuple):
    """A deployed or an emulated function."""

    name: str
    """Function name or ARN."""
    endpoint_url: str | None = None
    """Endpoint to use instead of AWS; requests to loopback are not signed."""
    region: str | None = None
    """None uses the one from the environment or the profile."""

    async def invoke(self, event: bytes, *, into: Receiver) -> None:
        """Invoke the function with `event`. Returns only if the event stream ended without an error.

        Raises:
            InvocationError: the function cannot be invoked (it does not exist, no credentials), or the stream broke or ended in an error.
        """
        events: asyncio.Queue[_StreamEvent | Exception | None] = asyncio.Queue()
        room = threading.Semaphore(MAX_BUFFERED_EVENTS)
        self._start_reading(event, into.request_started, events, room)
        response = _ResponseReader(into)
        while not response.complete:
            stream_event = await events.get()
            if isinstance(stream_event, Exception):
                raise stream_event
            if stream_event is None:
                raise BrokenOffError("The event stream ended without InvokeComplete, so the response is incomplete.")
            await response.feed(stream_event)
            room.release()

    def _start_reading(
        self,
        event: bytes,
        request_started: Callable[[], None],
        events: asyncio.Queue[_StreamEvent | Exception | None],
        room: threading.Semaphore,
    ) -> None:
        """Start a thread that puts the stream's events into `events`, and after them the exception that ended the stream, or None."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            end: Exception | None = None
            try:
                with contextlib.closing(self._stream(event, request_started)) as stream:
                    for stream_event in stream:
                        room.acquire()
                        loop.call_soon_threadsafe(events.put_nowait, stream_event)
            except Exception as failure:  # noqa: BLE001  # `invoke` raises it
                end = failure
            with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody waits any more
                loop.call_soon_threadsafe(events.put_nowait, end)

        # boto3 blocks, and a blocking read cannot be interrupted: a daemon thread does not keep an interrupted program alive. It gets
        # nothing that would have to be awaited, since the event loop may be gone by then.
        threading.Thread(target=read, name="invoke", daemon=True).start()

    def _stream(self, event: bytes, request_started: Callable[[], None]) -> Generator[_StreamEvent, None, None]:
        with aws_sdk("--function"):
            from botocore.eventstream import ParserError  # noqa: PLC0415  # slow to load
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            with contextlib.closing(self._client()) as client:
                request_started()
                response = client.invoke_with_response_stream(FunctionName=self.name, Payload=event)
                with contextlib.closing(response["EventStream"]) as stream:
                    yield from stream
        except ClientError as error:
            is_busy = error.response.get("Error", {}).get("Code") == "TooManyRequestsException"
            raise (ThrottledError if is_busy else InvocationError)(f"{self.name}: {error}") from error
        except BotoCoreError as error:
            raise BrokenOffError(f"{self.name}: {error}") from error
        except (ParserError, HTTPError) as error:  # botocore does not translate them
            raise BrokenOffError(f"{self.name}: the event stream broke off or is damaged: {error}") from error

    def _client(self) -> Any:
        import boto3  # noqa: PLC0415  # slow to load
        from botocore import UNSIGNED  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        # A retry would run the function twice, so there is none; the read timeout is longer than a function may run.
        config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
        region = self.region
        if self.endpoint_url is not None and _is_loopback(self.endpoint_url):
            config = config.merge(Config(signature_version=UNSIGNED))
            region = region or LOOPBACK_REGION
        return boto3.client("lambda", endpoint_url=self.endpoint_url, region_name=region, config=config)


class _ResponseReader:
    """Passes one response from its event stream to a receiver."""

    def __init__(self, into: Receiver) -> None:
        self.complete = False
        self._into = into
        self._prelude = PreludeReader()
        self._started = False

    async def feed(self, event: _StreamEvent) -> None:
        if "PayloadChunk" in event:
            await self._payload(event["PayloadChunk"]["Payload"])
        elif "InvokeComplete" in event:
            self._complete(event["InvokeComplete"])
            self.complete = True

    async def _payload(self, chunk: bytes) -> None:
        body = self._prelude.feed(chunk)
        if self._prelude.head is not None and not self._started:
            self._started = True
            await self._into.start(self._prelude.head)
        if body:
            await self._into.write(body)

    def _complete(self, end: Mapping[str, str]) -> None:
        code = end.get("ErrorCode", "")
        if code:
            raise BrokenOffError(f"The function failed: {code}: {_message(end.get('ErrorDetails', ''))}")
        if not self._started:
            raise BrokenOffError("The response ended before its prelude was complete.")


def _message(details: str) -> str:
    """Return the message in a function's error details."""
    try:
        return str(json.loads(details)["errorMessage"])
    except (ValueError, LookupError, TypeError):
        return details[:500] or "no details."


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
