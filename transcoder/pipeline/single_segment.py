"""Plans the output of a file that is one segment, without a playlist."""

from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.plan import Plan
from transcoder.core.media.presentation_ends import END_BYTES
from transcoder.core.media.streams import Container
from transcoder.core.source.single_segment import has_movie_header, measured_seconds, no_movie_header, plan_segment, segment_container
from transcoder.edge.fetch import Fetcher

_HEAD_BYTES = 64 * 1024
_PROBED_BYTES = 1024 * 1024
_MAX_MEASURED_BYTES = 16 * 1024 * 1024
"""So much is read where only all of a file shows how long it is; of a longer one, the duration is estimated by that."""


async def plan_single_segment(head: FileHead, *, fetcher: Fetcher) -> Plan | None:
    """Return the plan for a file that is one segment; None if it is another file, which is passed through.

    Raises:
        UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: its beginning cannot be fetched, or is damaged.
        UnsupportedSourceError: it is a segment that cannot be read without an initialization section.
    """
    url, container = head.requested_url, segment_container(head)
    if container is None:
        return None
    if container is Container.FMP4:
        await _require_movie_header(url, fetcher)
    last = await fetcher.last_bytes(url, size=END_BYTES) if container is Container.MPEGTS else None
    size = _PROBED_BYTES if last else _MAX_MEASURED_BYTES
    first = await fetcher.first_bytes(url, size=size)
    seconds = measured_seconds(first, whole=len(first) < size, length=head.length, last=last or b"")
    return plan_segment(url, seconds=seconds, length=head.length)


async def _require_movie_header(url: str, fetcher: Fetcher) -> None:
    size = _HEAD_BYTES
    while size <= _MAX_MEASURED_BYTES:
        first = await fetcher.first_bytes(url, size=size)
        found = has_movie_header(first)
        if found:
            return
        if found is False or len(first) < size:
            break
        size *= 4
    raise no_movie_header(url.partition("?")[0].rpartition("/")[2][:60] or "The file")
