"""Finished files in the bucket of the service: each is there once, under a key that says what it was made of."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import quote

from transcoder import __version__
from transcoder.core.answer.file_names import content_disposition
from transcoder.core.hls.plan import Plan
from transcoder.core.output.labels import Labels
from transcoder.edge.object_store import PATIENT, ObjectHead, ObjectStore, ObjectUpload, uploading
from transcoder.pipeline.finished_file import CollectingSink
from transcoder.pipeline.output_stream import Sink
from transcoder.settings import Settings

LINK_SECONDS = 3600
"""How long a link to an object is valid."""
_CACHE_SECONDS = 24 * 3600
_RECIPE = ("file-1", __version__)
"""The version of the bytes that are made of the same source: other bytes need another one, so that they get another key."""


class FileName(NamedTuple):
    """What identifies a finished file, and what it is called."""

    key: str
    """Of its object."""
    name: str
    content_type: str

    @classmethod
    def of(cls, plan: Plan, labels: Labels, name: str, *, version: str) -> "FileName":
        """Name the finished file of a plan.

        The key has a digest of all that the playlists say, of what is chosen and of what the file says about itself. The addresses of the
        segments are in it with their queries, which may tell one video from another, or be known only to who may fetch it.

        Args:
            plan: what it is made of, with the format of the output.
            labels: what it says about itself.
            name: what it is called.
            version: what the origin says of a source that is a file itself, rather than a playlist; empty for a playlist.
        """
        digest = hashlib.sha256(repr((_RECIPE, plan, labels, name, version)).encode()).hexdigest()
        return cls(f"files/{digest}/{name}", name, plan.output_format.format.content_type)


class StoredFile(NamedTuple):
    """A finished file in the bucket."""

    key: str
    length: int


class FileStore:
    """The finished files of the service."""

    def __init__(self, settings: Settings, *, signed: bool) -> None:
        """Keep files in the bucket that `settings` name; `signed` says that only signed links are served."""
        self._store = ObjectStore(settings.bucket, patience=PATIENT)
        # A link that everybody can read for good would outlive the signed one that led to it.
        self._public_url = None if signed or not settings.files_url else settings.files_url.rstrip("/")
        self._cache_control = f"{'private' if signed else 'public'}, max-age={_CACHE_SECONDS}"

    async def find(self, name: FileName) -> StoredFile | None:
        """Return a file that is there; None if it is not.

        Raises:
            ObjectStoreError: the bucket cannot be used.
        """
        length = await self._store.length(name.key)
        return None if length is None else StoredFile(name.key, length)

    async def link(self, file: StoredFile) -> tuple[str, int | None]:
        """Return where a file can be read, and for how many seconds; None: as long as it is there. Raises what `find` does."""
        if self._public_url is not None:
            return f"{self._public_url}/{quote(file.key)}", None
        return await self._store.link(file.key, seconds=LINK_SECONDS), LINK_SECONDS

    def upload(self, name: FileName) -> "FileUpload":
        """Prepare the upload of a file."""
        return FileUpload(self._store, name, self._cache_control)

    def close(self) -> None:
        """Close the connections to S3."""
        self._store.close()


class FileUpload:
    """A finished file that is uploaded while it is made."""

    def __init__(self, store: ObjectStore, name: FileName, cache_control: str) -> None:
        """Upload nothing yet."""
        self._store = store
        self._name = name
        self._head = ObjectHead(name.content_type, content_disposition(name.name), cache_control)
        self._collecting: CollectingSink | None = None
        self.is_first = True
        """Whether the object is the one that was uploaded, and not that of somebody who was faster."""
        self.problem = ""
        """Why parts of a failed upload may be left; empty if none are."""

    @property
    def seconds(self) -> float:
        """Up to which second the file has been made."""
        return self._collecting.seconds if self._collecting else 0.0

    async def run(self, make: Callable[[Sink], Awaitable[None]], announced: Callable[[ObjectUpload], Sink]) -> StoredFile:
        """Upload what is made of the output of `make`; `announced` puts a sink before the upload, which learns what is announced.

        Raises:
            ObjectStoreError: the bucket cannot be used.
            TranscoderError: what `make` raises, and `CollectingSink.finish_in_place`. Nothing is left in the bucket.
        """
        upload: ObjectUpload | None = None
        try:
            async with uploading(self._store, self._name.key, self._head) as upload:
                self._collecting = CollectingSink(announced(upload))
                await make(self._collecting)
                movie = self._collecting.finish_in_place()
                other_length = await upload.finish(movie.bytes.head)
                self.is_first = other_length is None
                return StoredFile(self._name.key, movie.bytes.length if other_length is None else other_length)
        finally:
            self.problem = upload.problem if upload else ""
