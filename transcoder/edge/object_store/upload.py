"""An object that is uploaded while it is made, and whose beginning is known last (S3 user guide, "Multipart upload").

Parts may be sent in any order: the first one is sent at the end.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

from transcoder.edge.object_store.bucket import ObjectStore, ObjectStoreError, member
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import TooLargeError, single_error

PART_BYTES = 5 * 1024 * 1024
"""The least that each part but the last must have: memory holds several. So an object has at most 52 GB."""
_HELD_BYTES = PART_BYTES
"""The first bytes are held back for the first part."""
_PARTS_AT_ONCE = 2
MAX_PARTS = 10_000
ABORT_SECONDS = 2.0
"""So long an upload that has failed is waited for, at most, and aborted."""
_ABORTED = "NoSuchUpload"
_NOT_FIRST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", _ABORTED})
"""What S3 answers when another upload of the same object has ended first, or this one has although its answer was lost."""

T = TypeVar("T")


class ObjectHead(NamedTuple):
    """What S3 sends with an object."""

    content_type: str
    content_disposition: str
    cache_control: str

    @property
    def parameters(self) -> dict[str, str]:
        """The same as parameters of a request."""
        return {"ContentType": self.content_type, "ContentDisposition": self.content_disposition, "CacheControl": self.cache_control}


@asynccontextmanager
async def uploading(store: ObjectStore, key: str, head: ObjectHead) -> AsyncIterator["ObjectUpload"]:
    """Yield the upload of an object, which exists once `finish` has returned; a block that ends before that leaves nothing of it.

    Raises:
        ObjectStoreError: S3 refuses a part, which ends the block.
    """
    upload = ObjectUpload(store, key, head)
    try:
        with single_error():
            async with TaskGroup() as tasks:
                upload.tasks = tasks
                yield upload
    finally:
        await upload.close()


class ObjectUpload:
    """The upload of one object. Memory holds its first bytes and three parts, in buffers that are used again."""

    tasks: TaskGroup

    def __init__(self, store: ObjectStore, key: str, head: ObjectHead) -> None:
        """Send nothing yet; use `uploading`."""
        self._store = store
        self._key = key
        self._head = head
        self._held = bytearray()
        """The first bytes."""
        self._part = bytearray(PART_BYTES)
        """The part that is being filled."""
        self._filled = 0
        self._unused: list[bytearray] = []
        self._slots = asyncio.Semaphore(_PARTS_AT_ONCE)
        self._running: set[asyncio.Future[Any]] = set()
        """Calls of S3, which nothing can interrupt."""
        self._sent: dict[int, asyncio.Task[str]] = {}
        """The parts, by number."""
        self._id: str | None = None
        self._is_closed = False
        self.problem = ""
        """Why parts may be left in the bucket; empty if none are."""

    async def write(self, chunk: bytes) -> None:
        """Append to the object.

        Raises:
            TooLargeError: it has more parts than S3 allows.
            ObjectStoreError: S3 refuses.
        """
        left = memoryview(chunk)
        if len(self._held) < _HELD_BYTES:
            count = _HELD_BYTES - len(self._held)
            self._held += left[:count]
            left = left[count:]
        while left:
            count = min(len(left), PART_BYTES - self._filled)
            self._part[self._filled : self._filled + count] = left[:count]
            self._filled, left = self._filled + count, left[count:]
            if self._filled == PART_BYTES:
                await self._send_part(len(self._sent) + 2, self._part)
                self._part, self._filled = self._unused.pop() if self._unused else bytearray(PART_BYTES), 0

    async def finish(self, beginning: bytes) -> int | None:
        """Let the object exist: `beginning`, and after it all that was written.

        Returns: None; or the length of the one that is there already, which then stays.

        Raises:
            ObjectStoreError: S3 refuses.
        """
        last = self._part
        del last[self._filled :]  # in place: a copy would be one more part in memory
        self._unused.clear()
        if self._id is None:
            return await self._put(b"".join((beginning, self._held, last)))
        if last:
            await self._send_part(len(self._sent) + 2, last)
        await self._send_part(1, b"".join((beginning, self._held)))
        parts = [{"PartNumber": number, "ETag": await task} for number, task in sorted(self._sent.items())]
        other = await self._end(
            lambda client: client.complete_multipart_upload(**self._target, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        )
        self._id = None if other is None else self._id
        return other

    async def close(self) -> None:
        """Abort the upload if it has not ended. What S3 does not accept in time, a rule of the bucket has to end."""
        self._is_closed = True
        try:
            async with asyncio.timeout(ABORT_SECONDS):
                await self._settle(ABORT_SECONDS / 4)
                if self._id is not None:
                    await self._abort()  # also if parts are on their way, so that further attempts at them are refused
                await self._settle(None)
        except TimeoutError:
            self.problem = "the upload could not be aborted in time"
        except ObjectStoreError as error:
            self.problem = error.reason

    async def _settle(self, seconds: float | None) -> None:
        """Wait until no call of S3 is running, for so many seconds at most."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def _abort(self) -> None:
        try:
            await self._store.start(lambda client: client.abort_multipart_upload(**self._target))
        except ObjectStoreError as error:
            if error.reason != _ABORTED:
                raise

    @property
    def _target(self) -> dict[str, Any]:
        return {"Bucket": self._store.bucket, "Key": self._key, "UploadId": self._id}

    async def _put(self, body: bytes) -> int | None:
        about = {"Bucket": self._store.bucket, "Key": self._key, **self._head.parameters}
        return await self._end(lambda client: client.put_object(**about, Body=body, IfNoneMatch="*"))

    async def _end(self, action: Callable[[Any], Any]) -> int | None:
        """Let the object exist; return the length of the one that is there already."""
        try:
            await self._run(lambda client: member(action(client), "ETag"))  # a success that does not name the object is none
        except ObjectStoreError as error:
            other = await self._store.length(self._key) if error.reason in _NOT_FIRST else None
            if other is None:
                raise
            return other
        return None

    async def _send_part(self, number: int, body: bytes | bytearray) -> None:
        """Begin to send a part, once there is room for it; its buffer is used again when it has been sent."""
        if number > MAX_PARTS:
            raise TooLargeError(f"The MP4 has more than the {MAX_PARTS * PART_BYTES} bytes that can be stored.")
        if self._id is None:
            await self._run(self._create)
        await self._slots.acquire()
        self._sent[number] = self.tasks.create_task(self._upload_part(number, body))

    def _create(self, client: Any) -> None:
        about = {"Bucket": self._store.bucket, "Key": self._key, **self._head.parameters}
        self._id = member(client.create_multipart_upload(**about), "UploadId")

    async def _upload_part(self, number: int, body: bytes | bytearray) -> str:
        try:
            etag = str(await self._run(lambda client: member(client.upload_part(**self._target, PartNumber=number, Body=body), "ETag")))
        finally:
            self._slots.release()
        if isinstance(body, bytearray) and len(body) == PART_BYTES:
            self._unused.append(body)
        return etag

    async def _run(self, action: Callable[[Any], T]) -> T:
        """Return what a call of S3 returns. It goes on in its thread if nobody waits for it any more."""
        future = self._store.start(lambda client: self._carry_out(action, client))
        self._running.add(future)
        future.add_done_callback(self._forget)
        return await asyncio.shield(future)

    def _carry_out(self, action: Callable[[Any], T], client: Any) -> T:
        """Return what a call of S3 returns; abort the upload again if nobody waits for that any more."""
        result = action(client)
        if self._is_closed and self._id is not None:
            client.abort_multipart_upload(**self._target)
        return result

    def _forget(self, future: "asyncio.Future[Any]") -> None:
        self._running.discard(future)
        if not future.cancelled():
            future.exception()  # it was raised where the call was awaited, or nobody waits for it any more
