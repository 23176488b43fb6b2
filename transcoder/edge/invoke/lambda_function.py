"""A function by its name: InvokeWithResponseStream, through boto3.

Source: the model of the operation in botocore; the payload begins with the prelude, which only a Function URL takes off.
"""

import asyncio
import contextlib
import ipaddress
import json
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from transcoder.core.answer.prelude import PreludeReader
from transcoder.edge.invoke.receiver import CONNECT_SECONDS, READ_SECONDS, Receiver
from transcoder.errors import InvocationError

LOOPBACK_REGION = "us-east-1"
FRAMES_AHEAD = 4
"""How many frames are read before they are asked for."""

_Frame = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class LambdaFunction:
    """A deployed function, or an emulated one."""

    name: str
    """Its name or ARN."""
    endpoint_url: str | None = None
    """Whom to ask instead of AWS; on loopback nothing is signed."""
    region: str | None = None
    """None takes what the environment and the profile say."""

    async def invoke(self, event: bytes, *, into: Receiver) -> None:
        """Have it answer `event`; returns only if the answer came to a good end.

        Raises:
            InvocationError: it cannot be asked (no such function, no credentials), the stream broke, or it ended in failure.
        """
        loop = asyncio.get_running_loop()
        frames: asyncio.Queue[_Frame | Exception | None] = asyncio.Queue()
        room = threading.Semaphore(FRAMES_AHEAD)

        def work() -> None:
            end: Exception | None = None
            try:
                with contextlib.closing(self._frames(event, into.asked)) as read:
                    for frame in read:
                        room.acquire()
                        loop.call_soon_threadsafe(frames.put_nowait, frame)
            except Exception as failure:  # noqa: BLE001  # goes on in the thread that waits
                end = failure
            with contextlib.suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(frames.put_nowait, end)

        # boto3 blocks, and a read that blocks cannot be broken off: a daemon does not keep an interrupted program alive. It is handed
        # nothing that would have to be awaited, since the loop may be gone by then.
        threading.Thread(target=work, name="invoke", daemon=True).start()
        exchange = _Exchange(into)
        while not exchange.complete:
            frame = await frames.get()
            if isinstance(frame, Exception):
                raise frame
            if frame is None:
                raise InvocationError("The stream ended without InvokeComplete: it was cut.")
            await exchange.take(frame)
            room.release()

    def _frames(self, event: bytes, asked: Callable[[], None]) -> Generator[_Frame, None, None]:
        from botocore.eventstream import ParserError  # noqa: PLC0415  # slow to load
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            with contextlib.closing(self._client()) as client:
                asked()
                answer = client.invoke_with_response_stream(FunctionName=self.name, Payload=event)
                with contextlib.closing(answer["EventStream"]) as frames:
                    yield from frames
        except (BotoCoreError, ClientError) as error:
            raise InvocationError(f"{self.name}: {error}") from error
        except (ParserError, HTTPError) as error:  # botocore lets them through
            raise InvocationError(f"{self.name}: the stream broke off or is damaged: {error}") from error

    def _client(self) -> Any:
        import boto3  # noqa: PLC0415  # slow to load
        from botocore import UNSIGNED  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        # One that is asked twice works twice: no second try, and patience for as long as a function may run.
        patient = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
        region = self.region
        if self.endpoint_url is not None and _is_loopback(self.endpoint_url):
            patient = patient.merge(Config(signature_version=UNSIGNED))
            region = region or LOOPBACK_REGION
        return boto3.client("lambda", endpoint_url=self.endpoint_url, region_name=region, config=patient)


class _Exchange:
    """Reads the frames of one answer."""

    def __init__(self, into: Receiver) -> None:
        self.complete = False
        self._into = into
        self._prelude = PreludeReader()
        self._started = False

    async def take(self, frame: _Frame) -> None:
        if "PayloadChunk" in frame:
            await self._payload(frame["PayloadChunk"]["Payload"])
        elif "InvokeComplete" in frame:
            self._complete(frame["InvokeComplete"])
            self.complete = True

    async def _payload(self, piece: bytes) -> None:
        body = self._prelude.feed(piece)
        if self._prelude.head is not None and not self._started:
            self._started = True
            await self._into.start(self._prelude.head)
        if body:
            await self._into.write(body)

    def _complete(self, end: Mapping[str, str]) -> None:
        code = end.get("ErrorCode", "")
        if code:
            raise InvocationError(f"The function failed: {code}: {_message(end.get('ErrorDetails', ''))}")
        if not self._started:
            raise InvocationError("The answer ended before its prelude did.")


def _message(details: str) -> str:
    """Take the message out of what a function says about its failure."""
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
