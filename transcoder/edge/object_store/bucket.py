"""Small objects that all execution environments share, in an S3 bucket."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from transcoder.errors import TranscoderError

_TIMEOUT_SECONDS = 3
_MAX_ATTEMPTS = 2

T = TypeVar("T")


class ObjectStoreError(TranscoderError):
    """S3 refuses, or does not respond. Only the operator can mend that; `reason` is AWS's word for it, for the log."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__("The bucket cannot be used.")
        self.reason = reason


class ObjectStore:
    """Reads and writes objects of one bucket with the function's own permissions (S3 API reference: GetObject, PutObject, DeleteObject)."""

    def __init__(self, bucket: str) -> None:
        """Connect to nothing yet."""
        self._bucket = bucket
        self._client: Any = None
        self._lock = threading.Lock()

    async def read(self, key: str, *, limit: int) -> bytes | None:
        """Return an object; None if there is none, or a longer one than `limit` bytes.

        Raises:
            ObjectStoreError: S3 does not answer that.
        """
        return await self._call(lambda client: self._read(client, key, limit))

    async def write(self, key: str, data: bytes) -> None:
        """Write an object, in place of one that may be there. Raises what `read` does."""
        await self._call(lambda client: client.put_object(Bucket=self._bucket, Key=key, Body=data))

    async def delete(self, key: str) -> None:
        """Delete an object, if it is there. Raises what `read` does."""
        await self._call(lambda client: client.delete_object(Bucket=self._bucket, Key=key))

    def _read(self, client: Any, key: str, limit: int) -> bytes | None:
        try:
            found = client.get_object(Bucket=self._bucket, Key=key)
        except client.exceptions.NoSuchKey:
            return None
        with found["Body"] as body:
            data: bytes = body.read(limit + 1)
        return data if len(data) <= limit else None

    async def _call(self, action: Callable[[Any], T]) -> T:
        return await asyncio.to_thread(self._act, action)

    def _act(self, action: Callable[[Any], T]) -> T:
        # Importing boto3 takes a third of a second, and most functions have no bucket.
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - a body that breaks off is reported by it

        try:
            return action(self._connected())
        except ClientError as error:
            raise ObjectStoreError(str(error.response.get("Error", {}).get("Code", "ClientError"))) from error
        except (BotoCoreError, HTTPError) as error:
            raise ObjectStoreError(type(error).__name__) from error

    def _connected(self) -> Any:
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        with self._lock:
            if self._client is None:
                config = Config(
                    connect_timeout=_TIMEOUT_SECONDS,
                    read_timeout=_TIMEOUT_SECONDS,
                    retries={"total_max_attempts": _MAX_ATTEMPTS, "mode": "standard"},
                )
                self._client = boto3.session.Session().client("s3", config=config)
            return self._client
