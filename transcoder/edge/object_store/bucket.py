"""One S3 bucket: its objects, links to them, and AWS's failures as errors of this program."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from transcoder.edge.s3_client import aws_sdk, s3_client
from transcoder.errors import StorageError

_MAX_ATTEMPTS = 2
_MAX_UPLOAD_ATTEMPTS = 4
_NOT_FOUND = "404"
_THREADS = 16
"""How many calls may run at once: those of one upload, and those that S3 has not answered before their invocations ended."""

T = TypeVar("T")


class Patience(NamedTuple):
    """How long S3 may take."""

    connect_seconds: float
    """To accept a connection."""
    read_seconds: float
    """To send nothing of a response."""
    attempts: int
    """How many times a request is sent."""


IMPATIENT = Patience(3.0, 3.0, _MAX_ATTEMPTS)
"""For what can be done without."""
PATIENT = Patience(5.0, 60.0, _MAX_UPLOAD_ATTEMPTS)
"""For what has taken long to make."""


class ObjectStoreError(StorageError):
    """S3 refuses, or does not respond. Only the operator can mend that; `reason` is AWS's word for it, for the log."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__("The storage of this service for finished files cannot be used. deliver=stream does without it.")
        self.reason = reason


def member(reply: Mapping[str, Any], name: str) -> Any:
    """Return what a reply of S3 has to have.

    Raises:
        ObjectStoreError: it lacks it.
    """
    if name not in reply:
        raise ObjectStoreError(f"No{name}")
    return reply[name]


class ObjectStore:
    """Objects of one bucket, with the function's own permissions (S3 API reference: HeadObject, GetObject, PutObject, DeleteObject)."""

    def __init__(self, bucket: str, *, patience: Patience = IMPATIENT) -> None:
        """Connect to nothing yet."""
        self.bucket = bucket
        self._patience = patience
        self._client: Any = None
        self._lock = threading.Lock()
        # Of its own: calls that S3 does not answer would keep the event loop's threads from looking up the hosts of origins.
        self._threads = ThreadPoolExecutor(_THREADS, "s3")

    async def read(self, key: str, *, limit: int) -> bytes | None:
        """Return an object; None if there is none, or a longer one than `limit` bytes.

        Raises:
            ObjectStoreError: S3 does not answer that.
        """
        return await self._call(lambda client: self._read(client, key, limit))

    async def write(self, key: str, data: bytes) -> None:
        """Write an object, in place of one that may be there. Raises what `read` does."""
        await self._call(lambda client: client.put_object(Bucket=self.bucket, Key=key, Body=data))

    async def delete(self, key: str) -> None:
        """Delete an object, if it is there. Raises what `read` does."""
        await self._call(lambda client: client.delete_object(Bucket=self.bucket, Key=key))

    async def length(self, key: str) -> int | None:
        """Return how many bytes an object has; None if there is none. Raises what `read` does."""
        try:
            return int(await self._call(lambda client: member(client.head_object(Bucket=self.bucket, Key=key), "ContentLength")))
        except ObjectStoreError as error:
            if error.reason == _NOT_FOUND:
                return None
            raise

    async def link(self, key: str, *, seconds: int) -> str:
        """Return a URL with which anybody can GET an object for so many seconds. Raises what `read` does."""
        parameters = {"Bucket": self.bucket, "Key": key}
        return str(await self._call(lambda client: client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)))

    def start(self, action: Callable[[Any], T]) -> "asyncio.Future[T]":
        """Return the future of what `action` returns, which is given the client. Nothing can interrupt it. It raises what `read` does."""
        return asyncio.get_running_loop().run_in_executor(self._threads, self._act, action)

    def close(self) -> None:
        """Close the connections, and end the threads that are not busy; the next call opens others."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = ThreadPoolExecutor(_THREADS, "s3")
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _read(self, client: Any, key: str, limit: int) -> bytes | None:
        try:
            found = client.get_object(Bucket=self.bucket, Key=key)
        except client.exceptions.NoSuchKey:
            return None
        with found["Body"] as body:
            data: bytes = body.read(limit + 1)
        return data if len(data) <= limit else None

    def _act(self, action: Callable[[Any], T]) -> T:
        # Importing botocore takes a quarter of a second, and most functions have no bucket.
        with aws_sdk("The bucket of the service (TRANSCODER_BUCKET)"):
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - a body that breaks off is reported by it

        try:
            return action(self._connected())
        except ClientError as error:
            raise ObjectStoreError(str(error.response.get("Error", {}).get("Code", "ClientError"))) from error
        except (BotoCoreError, HTTPError) as error:
            raise ObjectStoreError(type(error).__name__) from error

    async def _call(self, action: Callable[[Any], T]) -> T:
        return await self.start(action)

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = s3_client(
                    connect_timeout=self._patience.connect_seconds,
                    read_timeout=self._patience.read_seconds,
                    retries={"total_max_attempts": self._patience.attempts, "mode": "standard"},
                    # The signature covers a digest of each body, which S3 compares: another checksum would only cost time.
                    request_checksum_calculation="when_required",
                )
            return self._client
