"""A plain MP4 that is made in the temporary folder before its first byte is sent, for sources that have none that exists as a map."""

from collections.abc import Awaitable, Callable

from transcoder.app.answer import Answer
from transcoder.app.response_head import OutputHead
from transcoder.core.answer.function_url import MAX_PRELUDE_BYTES
from transcoder.core.hls.plan import Plan
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.making_time import making_seconds
from transcoder.edge.temporary_file import TemporaryFile
from transcoder.errors import TooLargeError
from transcoder.pipeline import Sink
from transcoder.pipeline.finished_file import CollectingSink
from transcoder.pipeline.storage_limit import StorageLimit, check_storage
from transcoder.settings import Settings


class FinishedOutput:
    """The plain MP4 of a plan, which is whole before anything of it is sent."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        """Make nothing yet.

        Raises:
            TooLargeError: by its estimate it is too large, or takes too long to make.
        """
        self._settings = settings
        self._limit = settings.response_limit - MAX_PRELUDE_BYTES
        clip = plan.output_format.clip
        self._check(plan.estimated_bytes, plan.output_seconds if clip and clip.exact else 0.0)

    async def send(self, make: Callable[[Sink], Awaitable[None]], answer: Answer, head: OutputHead) -> None:
        """Let `make` make a fragmented MP4, of which a plain one is made and sent.

        Raises:
            TooLargeError: it is too large, or takes too long to make.
            StorageError: there is no room for it.
            PlainLayoutError: it cannot be plain.
            TranscoderError: what `make` raises.
        """
        with TemporaryFile() as media:
            announced = _AnnouncedMedia(media, self._check)
            collecting = CollectingSink(StorageLimit(announced, limit=self._settings.tmp_bytes))
            await make(collecting)
            file = collecting.finish(media)
            self._check_response(file.length)
            milliseconds = head.timing.mark("media", f"{file.length} bytes")
            reencoded = ", ".join(announced.reencoded)
            answer.note(layout="plain", making_ms=round(milliseconds, 1), **({"audio_reencoded": reencoded} if reencoded else {}))
            headers = [("accept-ranges", "none"), ("x-content-length", str(file.length))]
            headers += [("x-audio-reencoded", reencoded)] if reencoded else []
            await answer.start(head.build(headers, seconds=file.movie.seconds))
            await file.send(answer.write)

    def _check(self, estimated_bytes: int | None, encoded_seconds: float) -> None:
        self._check_response(estimated_bytes or 0)
        check_storage(estimated_bytes, limit=self._settings.tmp_bytes)
        seconds = making_seconds(estimated_bytes=estimated_bytes, encoded_seconds=encoded_seconds)
        if seconds > self._settings.silent_seconds:
            raise TooLargeError(
                f"layout: a plain MP4 of this source takes about {seconds:.0f} s to make, and nothing could be sent for so long. "
                "layout=fragmented sends it while it is made."
            )

    def _check_response(self, size: int) -> None:
        if size > self._limit:
            raise TooLargeError(
                f"The MP4 has about {size} bytes; one response can have at most {self._limit}. A smaller height, or fit, makes it smaller."
            )


class _AnnouncedMedia:
    """Takes the media for the temporary file, once what is announced of the output has been checked."""

    def __init__(self, file: TemporaryFile, check: Callable[[int | None, float], None]) -> None:
        self._file = file
        self._check = check
        self.reencoded: tuple[str, ...] = ()

    async def start(self, announcement: Announcement) -> None:
        self._check(announcement.estimated_bytes, announcement.seconds if announcement.encodes_video else 0.0)
        self.reencoded = announcement.reencoded

    async def write(self, chunk: bytes) -> None:
        await self._file.write(chunk)
