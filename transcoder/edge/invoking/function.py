"""A function by its name: InvokeWithResponseStream, through boto3.

Source: the model of the operation in botocore; the payload begins with the prelude, which only a Function URL takes off.
"""

import asyncio
import contextlib
import ipaddress
import json
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from transcoder.core.prelude import PreludeReader
from transcoder.edge.invoking.receiver import CONNECT_SECONDS, READ_SECONDS, Receiver
from transcoder.errors import InvocationError

LOOPBACK_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Function:
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
        ended: asyncio.Future[None] = loop.create_future()

        def push(work: Awaitable[None]) -> None:
            asyncio.run_coroutine_threadsafe(_waited(work), loop).result()

        def end(error: Exception | None) -> None:
            if not ended.done():
                ended.set_result(None) if error is None else ended.set_exception(error)

        def work() -> None:
            error: Exception | None = None
            try:
                with contextlib.closing(self._frames(event, into.asked)) as frames:
                    _Exchange(into, push).read(frames)
            except Exception as failure:  # noqa: BLE001  # goes on in the thread that waits
                error = failure
            with contextlib.suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(end, error)

        # boto3 blocks, and a read that blocks cannot be broken off: a daemon does not keep an interrupted program alive.
        threading.Thread(target=work, name="invoke", daemon=True).start()
        await ended

    def _frames(self, event: bytes, asked: Callable[[], None]) -> Generator[Mapping[str, Mapping[str, Any]], None, None]:
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
    """Reads the frames of one answer, in the thread where they block."""

    def __init__(self, into: Receiver, push: Callable[[Awaitable[None]], None]) -> None:
        self._into = into
        self._push = push
        self._prelude = PreludeReader()
        self._started = False

    def read(self, frames: Iterable[Mapping[str, Mapping[str, Any]]]) -> None:
        for frame in frames:
            if "PayloadChunk" in frame:
                self._payload(frame["PayloadChunk"]["Payload"])
            elif "InvokeComplete" in frame:
                self._complete(frame["InvokeComplete"])
                return
        raise InvocationError("The stream ended without InvokeComplete: it was cut.")

    def _payload(self, piece: bytes) -> None:
        body = self._prelude.feed(piece)
        if self._prelude.head is not None and not self._started:
            self._started = True
            self._push(self._into.start(self._prelude.head))
        if body:
            self._push(self._into.write(body))

    def _complete(self, end: Mapping[str, str]) -> None:
        code = end.get("ErrorCode", "")
        if code:
            raise InvocationError(f"The function failed: {code}: {_message(end.get('ErrorDetails', ''))}")
        if not self._started:
            raise InvocationError("The answer ended before its prelude did.")


async def _waited(work: Awaitable[None]) -> None:
    await work


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
