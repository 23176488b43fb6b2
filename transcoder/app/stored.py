"""A plain MP4 in the bucket of the service: found there, or made and uploaded at the same time; responses redirect to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus

from transcoder.app.announced_media import AnnouncedMedia
from transcoder.app.answer import Answer
from transcoder.app.delivery import OVER_EVENTS, check_silence, encoded_seconds
from transcoder.app.dependencies import Dependencies
from transcoder.app.finished import Make
from transcoder.app.response_head import ServerTiming
from transcoder.core.answer.function_url import ResponseHead
from transcoder.core.hls.plan import Plan
from transcoder.core.output.labels import Labels
from transcoder.core.source.source import ResolvedSource
from transcoder.edge.object_store import ObjectStoreError, ObjectUpload
from transcoder.pipeline import Sink
from transcoder.pipeline.stored_file import FileName, FileStore, FileUpload, StoredFile

FILE_TIME = "file"
"""How the phase is called in which a file is looked for, or made."""


def stored_output(resolved: ResolvedSource, labels: Labels, name: str, dependencies: Dependencies, answer: Answer) -> "StoredOutput | None":
    """Return the plain MP4 of a source in the bucket; None if there is no bucket."""
    if dependencies.files is None:
        return None
    return StoredOutput(resolved, labels, name, dependencies.files, answer)


class StoredOutput:
    """The plain MP4 of a plan, in the bucket."""

    def __init__(self, resolved: ResolvedSource, labels: Labels, name: str, files: FileStore, answer: Answer) -> None:
        """Look for nothing yet."""
        self._resolved = resolved
        self._labels = labels
        self._file_name = name
        self._files = files
        self._answer = answer

    @cached_property
    def _name(self) -> FileName:
        # Not before it is needed: a digest of all that the playlists say takes a while.
        return FileName.of(self._resolved.plan, self._labels, self._file_name, version=self._resolved.version)

    async def find(self) -> StoredFile | None:
        """Return the file, if it is there.

        Raises:
            ObjectStoreError: the bucket cannot be used.
        """
        with _noting_problems(self._answer):
            file = await self._files.find(self._name)
        if file:
            self._answer.note(stored="found")
        return file

    async def link(self, file: StoredFile) -> tuple[str, int | None]:
        """Return where the file can be read, and for how many seconds; None: as long as it is there. Raises what `find` does."""
        with _noting_problems(self._answer):
            return await self._files.link(file)

    async def redirect(self, file: StoredFile, timing: ServerTiming) -> None:
        """Redirect to the file. Raises what `find` does."""
        url, _ = await self.link(file)
        timing.mark(FILE_TIME)
        await self._redirect([("location", url), ("x-content-length", str(file.length))], timing)

    async def announce_redirect(self, timing: ServerTiming) -> None:
        """Send what is known of the redirect to a file that has not been made."""
        estimated = self._resolved.plan.estimated_bytes
        await self._redirect([("x-content-length-estimate", str(estimated))] if estimated is not None else [], timing)

    def making(self, *, silent_seconds: float | None = None) -> "StoredMaking":
        """Prepare to make the file; `silent_seconds` says how long that may take by the estimate, if nothing can be sent meanwhile.

        Raises:
            TooLargeError: it takes longer.
        """
        return StoredMaking(self._resolved.plan, self._files.upload(self._name), self._answer, silent_seconds)

    async def _redirect(self, headers: list[tuple[str, str]], timing: ServerTiming) -> None:
        common = [("content-type", "text/plain"), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")]
        await self._answer.start(ResponseHead(HTTPStatus.SEE_OTHER, (*common, ("server-timing", str(timing)), *headers)))


class StoredMaking:
    """A plain MP4 while it is made and uploaded."""

    def __init__(self, plan: Plan, upload: FileUpload, answer: Answer, silent_seconds: float | None) -> None:
        """Make nothing yet. Raises what `StoredOutput.making` does."""
        self._plan = plan
        self._upload = upload
        self._answer = answer
        self._silent_seconds = silent_seconds
        self._announced: AnnouncedMedia | None = None
        self._check(plan.estimated_bytes, encoded_seconds(plan))

    @property
    def seconds(self) -> float:
        """Up to which second it has been made."""
        return self._upload.seconds

    @property
    def total_seconds(self) -> float:
        """How long all of it is."""
        return self._announced.seconds if self._announced else self._plan.output_seconds

    async def run(self, make: Make) -> StoredFile:
        """Upload what is made of the output of `make`.

        Raises:
            ObjectStoreError: the bucket cannot be used.
            TooLargeError: it takes too long to make silently.
            PlainLayoutError: it cannot be plain.
            TranscoderError: what `make` raises. Whatever it is, nothing of the file is left.
        """
        try:
            with _noting_problems(self._answer):
                file = await self._upload.run(make, self._media)
        finally:
            if self._upload.problem:
                self._answer.note(parts_left=self._upload.problem)
        reencoded = ", ".join(self._announced.reencoded) if self._announced else ""
        self._answer.note(stored="made" if self._upload.is_first else "made by another", stored_bytes=file.length)
        self._answer.note(**({"audio_reencoded": reencoded} if reencoded else {}))
        return file

    def _media(self, upload: ObjectUpload) -> Sink:
        self._announced = AnnouncedMedia(upload, self._plan.output_seconds, self._check)
        return self._announced

    def _check(self, estimated_bytes: int | None, encoded: float) -> None:
        check_silence(estimated_bytes, encoded, limit=self._silent_seconds, parameter="deliver", way_out=OVER_EVENTS)


@contextmanager
def _noting_problems(answer: Answer) -> Iterator[None]:
    """Note in the log record what AWS says of a failure: callers are not told."""
    try:
        yield
    except ObjectStoreError as error:
        answer.note(bucket_problem=error.reason)
        raise
