"""A plain MP4 that is made on this machine: its index first, then its media, checked as it is written."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from transcoder.core.hls.plan import Plan
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.labels import Labels
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import FileFormat, Layout
from transcoder.edge.fetch import Fetcher
from transcoder.edge.temporary_file import TemporaryFile
from transcoder.errors import PlainLayoutError
from transcoder.local.output import Output
from transcoder.local.progress import NOBODY_WATCHES, MeasuringSink, Watch, Written
from transcoder.local.verifying_sink import VerifyingSink
from transcoder.pipeline import Sink
from transcoder.pipeline.finished_file import CollectingSink
from transcoder.pipeline.plain_file import PlainFile, Write, send_part
from transcoder.pipeline.plain_index import make_index, max_heads_of
from transcoder.pipeline.storage_limit import StorageLimit
from transcoder.settings import Settings

MAX_FINISHED_SECONDS = 6 * 3600
"""Where the layout is left to the source, a longer video is not made in a temporary file first."""


async def find_index(plan: Plan, labels: Labels, layout: Layout, *, fetcher: Fetcher, settings: Settings) -> PlainFile | None:
    """Return the plain MP4 that exists as a map; None if `layout` does not ask for it, or the source has none.

    Raises:
        UpstreamError: the source cannot be fetched, or is damaged.
    """
    if layout is not Layout.FRAGMENTED:
        with suppress(PlainLayoutError):
            return await make_index(plan, labels, fetcher=fetcher, settings=settings, max_heads=max_heads_of(layout, settings))
    return None


async def write_mapped(file: PlainFile, output: Output, *, fetcher: Fetcher, settings: Settings, watch: Watch = NOBODY_WATCHES) -> Written:
    """Fetch a plain MP4 that exists as a map, write it, and return what was written.

    Raises:
        TranscodeError: what was written is not whole.
        UpstreamError: the source cannot be fetched, is damaged, or changes meanwhile.
    """
    sink = MeasuringSink(output, watch)
    await sink.start(Announcement(file.movie.seconds, {}, file.length))
    verifier = PlainVerifier(length=file.length)
    await send_part(file, 0, file.length, fetcher=fetcher, settings=settings, write=_verified(verifier, sink.write))
    verifier.end()
    return Written(file.length, file.movie.seconds)


def is_finished_first(job: Job, plan: Plan, output: Output) -> bool:
    """Return whether the output is a plain MP4 that is made in a temporary file first: if it is asked for, or goes into a file anyway."""
    if job.format is FileFormat.MP3 or job.layout is Layout.FRAGMENTED:
        return False
    return job.layout is Layout.PLAIN or (output.folder is not None and plan.output_seconds <= MAX_FINISHED_SECONDS)


async def write_finished(
    make: Callable[[Sink], Awaitable[None]], output: Output, settings: Settings, *, watch: Watch = NOBODY_WATCHES
) -> Written:
    """Call `make` with a sink that keeps its output, write that as a plain MP4, and return what was written.

    The media go into a temporary file beside the output, or into the temporary folder if the output is none that has a folder.

    Raises:
        TranscodeError: the output is not whole.
        PlainLayoutError: it cannot be plain.
        StorageError: there is no room for the temporary file.
        TooLargeError: the media are more than the temporary folder may hold.
    """
    with TemporaryFile(output.folder) as media:
        sink = MeasuringSink(media, watch)
        collecting = CollectingSink(sink if output.folder else StorageLimit(sink, limit=settings.tmp_bytes))
        verifying = VerifyingSink(collecting, sink.reached)
        await make(verifying)
        seconds = verifying.finish().sent
        file = collecting.finish(media)
        verifier = PlainVerifier(length=file.length)
        await file.send(_verified(verifier, output.write))
        verifier.end()
        return Written(file.length, seconds)


def _verified(verifier: PlainVerifier, write: Write) -> Write:
    """Return what passes pieces on once `verifier` has taken them."""

    async def verify(chunk: bytes) -> None:
        verifier.feed(chunk)
        await write(chunk)

    return verify
