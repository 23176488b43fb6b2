"""A plain MP4 made in one pass: media are kept somewhere as they come, and `ftyp` and `moov` are written in front at the end.

The fragmented MP4 that `transcode` makes stays what is checked; the plain one is made of its own fragments.
"""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from transcoder.core.media.mp4.plain_movie import PlainMovie
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.plain_collector import PlainCollector
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.edge.temporary_file import TemporaryFile
from transcoder.pipeline.output_stream import Sink
from transcoder.pipeline.plain_file import Write


class CollectingSink:
    """Takes the fragmented MP4, and passes its media on."""

    def __init__(self, media: Sink) -> None:
        """Pass the media on into `media`, which keeps them."""
        self._media = media
        self._collector = PlainCollector()

    @property
    def seconds(self) -> float:
        """Up to which second the output has been made."""
        return self._collector.seconds

    async def start(self, announcement: Announcement) -> None:
        """Pass the announcement on."""
        await self._media.start(announcement)

    async def write(self, chunk: bytes) -> None:
        """Take the next piece of the fragmented MP4; raises what `PlainCollector.feed` does."""
        for piece in self._collector.feed(chunk):
            await self._media.write(piece)

    def finish_in_place(self) -> PlainMovie:
        """Return the plain MP4 as `finish` does; its media are those that were passed on, in that order."""
        return _verified(self._collector.finish_in_place())

    def finish(self, file: TemporaryFile) -> "FinishedFile":
        """Return the plain MP4 whose media are in `file`, once the fragmented one has ended.

        Raises:
            TranscodeError: the fragmented MP4 is not whole, or the plain one lists samples that are not in its media.
            StorageError: the temporary file cannot be written.
        """
        movie = _verified(self._collector.finish())
        file.end()
        return FinishedFile(movie, file)


def _verified(movie: PlainMovie) -> PlainMovie:
    """Return a plain MP4 whose chunks lie in its media; this is checked before the first byte is sent."""
    PlainVerifier(length=movie.bytes.length).feed(movie.bytes.head)
    return movie


class FinishedFile(NamedTuple):
    """A plain MP4 that is whole; its media are in a temporary file."""

    movie: PlainMovie
    media: TemporaryFile

    @property
    def length(self) -> int:
        """Bytes of the MP4."""
        return self.movie.bytes.length

    async def send(self, write: Write) -> None:
        """Write all of it."""
        for piece in self._pieces():
            await write(piece)
            await asyncio.sleep(0)  # a file takes everything at once, and a signal must get its turn

    def _pieces(self) -> Iterator[bytes]:
        for part in self.movie.bytes.part(0, self.length):
            if isinstance(part, bytes):
                yield part
            else:
                yield from self.media.pieces(part.place.offset, part.length)
