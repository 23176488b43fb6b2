"""A plain MP4 that is made in the temporary folder before its first byte is sent, for sources that have none that exists as a map."""

from collections.abc import Awaitable, Callable

from transcoder.app.announced_media import AnnouncedMedia
from transcoder.app.answer import Answer
from transcoder.app.delivery import body_limit, check_silence, encoded_seconds
from transcoder.app.response_head import OutputHead
from transcoder.core.hls.plan import Plan
from transcoder.edge.temporary_file import TemporaryFile
from transcoder.errors import TooLargeError
from transcoder.pipeline import Sink
from transcoder.pipeline.finished_file import CollectingSink, FinishedFile
from transcoder.pipeline.storage_limit import StorageLimit, check_storage
from transcoder.settings import Settings

_NOT_SILENTLY = "layout=fragmented sends it while it is made, and a request with Accept: multipart/mixed gets reports until it is made."
Make = Callable[[Sink], Awaitable[None]]
"""Makes a fragmented MP4 and pushes it into a sink."""


class FinishedOutput:
    """The plain MP4 of a plan, which is whole before anything of it is sent."""

    def __init__(self, plan: Plan, settings: Settings, *, is_silent: bool = True) -> None:
        """Make nothing yet; `is_silent` says that nothing can be sent while it is made.

        Raises:
            TooLargeError: by its estimate it is too large, or takes too long to make silently.
        """
        self.plan = plan
        self.tmp_bytes = settings.tmp_bytes
        self._silent_seconds = settings.silent_seconds if is_silent else None
        self._limit = body_limit(settings)
        self.check(plan.estimated_bytes, encoded_seconds(plan))

    async def send(self, make: Make, answer: Answer, head: OutputHead) -> None:
        """Call `make` with a sink that keeps its output, and send that as a plain MP4.

        Raises:
            TooLargeError: it is too large, or takes too long to make.
            StorageError: there is no room for it.
            PlainLayoutError: it cannot be plain.
            TranscoderError: what `make` raises.
        """
        with TemporaryFile() as media:
            making = Making(self, media)
            file = await making.run(make)
            self.check_response(file.length)
            headers = making.headers(file, answer, head)
            await answer.start(head.build(headers, seconds=file.movie.seconds))
            await file.send(answer.write)

    def check(self, estimated_bytes: int | None, encoded: float) -> None:
        """Check the estimated size of an output, and how long making it takes if so many seconds of it are re-encoded.

        Raises:
            TooLargeError: it is too large, or takes too long to make silently.
        """
        self.check_response(estimated_bytes or 0)
        check_storage(estimated_bytes, limit=self.tmp_bytes)
        check_silence(estimated_bytes, encoded, limit=self._silent_seconds, parameter="layout", way_out=_NOT_SILENTLY)

    def check_response(self, size: int) -> None:
        """Check that a response can have so many bytes; raises TooLargeError."""
        if size > self._limit:
            raise TooLargeError(
                f"The MP4 has about {size} bytes; one response can have at most {self._limit}. A smaller height, or fit, makes it smaller."
            )


class Making:
    """A plain MP4 while it is made in the temporary folder."""

    def __init__(self, output: FinishedOutput, media: TemporaryFile) -> None:
        """Let `media` take the media."""
        self._media = media
        self._announced = AnnouncedMedia(media, output.plan.output_seconds, output.check)
        self._collecting = CollectingSink(StorageLimit(self._announced, limit=output.tmp_bytes))

    @property
    def seconds(self) -> float:
        """Up to which second it has been made."""
        return self._collecting.seconds

    @property
    def total_seconds(self) -> float:
        """How long all of it is."""
        return self._announced.seconds

    async def run(self, make: Make) -> FinishedFile:
        """Return what is made of the output of `make`. Raises what `FinishedOutput.send` does."""
        await make(self._collecting)
        return self._collecting.finish(self._media)

    def headers(self, file: FinishedFile, answer: Answer, head: OutputHead) -> list[tuple[str, str]]:
        """Return the headers of what was made, and note in the log record how long that took."""
        milliseconds = head.timing.mark("media", f"{file.length} bytes")
        reencoded = ", ".join(self._announced.reencoded)
        answer.note(layout="plain", making_ms=round(milliseconds, 1), **({"audio_reencoded": reencoded} if reencoded else {}))
        headers = [("accept-ranges", "none"), ("x-content-length", str(file.length)), ("vary", "accept")]
        return headers + ([("x-audio-reencoded", reencoded)] if reencoded else [])
