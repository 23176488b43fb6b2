"""What the temporary folder may hold."""

from transcoder.core.output.announcement import Announcement
from transcoder.errors import TooLargeError
from transcoder.pipeline.output_stream import Sink


def check_storage(size: int | None, *, limit: int) -> None:
    """Check that so many bytes, if it is known how many, fit into the temporary folder.

    Raises:
        TooLargeError: they do not.
    """
    if size is not None and size > limit:
        raise TooLargeError(
            f"layout: a plain MP4 of this source is made in the temporary folder, which may hold {limit} bytes; it takes more than that. "
            "layout=fragmented sends it while it is made."
        )


class StorageLimit:
    """Passes media on into a temporary file, up to a limit."""

    def __init__(self, media: Sink, *, limit: int) -> None:
        """Pass at most `limit` bytes on into `media`."""
        self._media = media
        self._limit = limit
        self._bytes = 0

    async def start(self, announcement: Announcement) -> None:
        """Pass the announcement on.

        Raises:
            TooLargeError: by its estimate the media will be too many.
        """
        check_storage(announcement.estimated_bytes, limit=self._limit)
        await self._media.start(announcement)

    async def write(self, chunk: bytes) -> None:
        """Pass bytes on.

        Raises:
            TooLargeError: they are too many.
        """
        self._bytes += len(chunk)
        check_storage(self._bytes, limit=self._limit)
        await self._media.write(chunk)
