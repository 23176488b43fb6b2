"""The indexes of plain MP4s that are kept in a bucket for all execution environments."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from transcoder.core.hls.plan import Plan
from transcoder.pipeline.plain_file import PlainFile
from transcoder.pipeline.plain_file_bytes import from_bytes, to_bytes

if TYPE_CHECKING:
    from transcoder.edge.object_store import ObjectStore

LEAST_SEGMENTS = 30
"""The index of fewer is not kept: it is made again sooner than AWS's SDK is loaded."""


class IndexStore:
    """Keeps indexes in a bucket. Where that fails, they are made as without a bucket, and `problem` says why."""

    def __init__(self, bucket: str, *, limit: int) -> None:
        """Keep indexes of at most `limit` bytes in a bucket; none if its name is empty."""
        self._store = _open(bucket) if bucket else None
        self._limit = limit
        self.problem = ""
        """Why the bucket could not be used for the current request; empty if it could."""

    async def find(self, key: str, plan: Plan) -> PlainFile | None:
        """Return the index of `plan` that is kept under that key; None if there is none."""
        self.problem = ""
        if self._store and _is_kept(plan):
            with self._noting_problem():
                data = await self._store.read(_name(key), limit=self._limit)
                return from_bytes(data) if data else None
        return None

    async def keep(self, key: str, plan: Plan, file: PlainFile) -> None:
        """Keep the index of `plan` that has just been made, if making it takes long."""
        if self._store and _is_kept(plan) and len(data := to_bytes(file)) <= self._limit:
            with self._noting_problem():
                await self._store.write(_name(key), data)

    async def drop(self, key: str, plan: Plan) -> None:
        """Forget the index of `plan`: its source has changed."""
        if self._store and _is_kept(plan):
            with self._noting_problem():
                await self._store.delete(_name(key))

    @contextmanager
    def _noting_problem(self) -> Iterator[None]:
        from transcoder.edge.object_store import ObjectStoreError  # noqa: PLC0415  # as below

        try:
            yield
        except ObjectStoreError as error:
            self.problem = error.reason
        except ValueError as error:
            self.problem = str(error)


def _open(bucket: str) -> "ObjectStore":
    from transcoder.edge.object_store import ObjectStore  # noqa: PLC0415  # only a service with a bucket needs it

    return ObjectStore(bucket)


def _is_kept(plan: Plan) -> bool:
    return sum(len(track.segments) for period in plan.periods for track in period.tracks) >= LEAST_SEGMENTS


def _name(key: str) -> str:
    return f"indexes/{key}"
