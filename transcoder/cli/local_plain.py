"""A plain MP4 that `get` makes on this machine: its index first, then its media, checked as it is written."""

from transcoder.core.hls.plan import Plan
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.core.request.output_format import Layout
from transcoder.edge.fetch import Fetcher
from transcoder.pipeline import Sink
from transcoder.pipeline.plain_file import send_part
from transcoder.pipeline.plain_index import Labels, fragmented_instead, make_index, max_heads_of
from transcoder.settings import Settings


async def write_plain(plan: Plan, labels: Labels, layout: Layout, *, fetcher: Fetcher, settings: Settings, sink: Sink) -> bool:
    """Write the plain MP4 of a plan into `sink`; return False, and write nothing, if the output is to be fragmented.

    Raises:
        PlainLayoutError: it is to be plain, and the source has no plain layout.
        TranscodeError: what was written is not whole.
        UpstreamError: the source cannot be fetched, is damaged, or changes meanwhile.
    """
    file = None
    if layout is not Layout.FRAGMENTED:
        with fragmented_instead(layout):
            file = await make_index(plan, labels, fetcher=fetcher, settings=settings, max_heads=max_heads_of(layout, settings))
    if file is None:
        return False
    verifier = PlainVerifier(length=file.length)

    async def write(chunk: bytes) -> None:
        verifier.feed(chunk)
        await sink.write(chunk)

    await sink.start(Announcement(file.movie.seconds, {}, file.length))
    await send_part(file, 0, file.length, fetcher=fetcher, settings=settings, write=write)
    verifier.end()
    return True
