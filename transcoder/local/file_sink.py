"""Files that `get` saves unchanged."""

from transcoder.core.answer.passthrough import SNIFFED_BYTES, FileHead
from transcoder.core.media.signatures import is_media
from transcoder.core.output.announcement import Announcement
from transcoder.edge.resource_name import resource_name
from transcoder.errors import UnsupportedSourceError
from transcoder.pipeline import Sink


class FileSink:
    """Passes a file on into the sink of an output, which shows its progress; refuses one that is no media before its first byte."""

    def __init__(self, sink: Sink, *, any_file: bool) -> None:
        """Pass the file on into `sink`, whatever it is if `any_file`."""
        self._sink = sink
        self._any_file = any_file
        self._held = b""
        self._begun = False
        self._name = "The source"

    async def start(self, head: FileHead) -> None:
        """Receive the file's description."""
        self._name = resource_name(head.url)
        await self._sink.start(Announcement(0.0, {}, head.length))

    async def write(self, chunk: bytes) -> None:
        """Receive the next bytes.

        Raises:
            UnsupportedSourceError: the file is no media.
        """
        if not self._begun:
            self._held += chunk
            if len(self._held) < SNIFFED_BYTES:
                return
            chunk = self._begin()
        await self._sink.write(chunk)

    async def finish(self) -> None:
        """Pass on what is held of a short file; raises what `write` does."""
        if not self._begun:
            await self._sink.write(self._begin())

    def _begin(self) -> bytes:
        if not self._any_file and not is_media(self._held):
            raise UnsupportedSourceError(f"{self._name} is neither video nor audio nor an image; use --format file to save it as it is.")
        self._begun = True
        return self._held
