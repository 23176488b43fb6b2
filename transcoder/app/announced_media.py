"""The way of media into the place where they are kept: what is announced of an output is checked first."""

from collections.abc import Callable
from typing import Protocol

from transcoder.core.output.announcement import Announcement


class _Place(Protocol):
    async def write(self, chunk: bytes) -> None: ...


class AnnouncedMedia:
    """Takes media for a place, once what is announced of the output has been checked."""

    def __init__(self, place: _Place, seconds: float, check: Callable[[int | None, float], None]) -> None:
        """Call `check` with the estimated bytes, and with how many seconds of video are encoded; `seconds` is a first estimate."""
        self._place = place
        self._check = check
        self.seconds = seconds
        """How long the output is."""
        self.reencoded: tuple[str, ...] = ()
        """The codecs of audio that is re-encoded."""

    async def start(self, announcement: Announcement) -> None:
        """Check the announcement."""
        self._check(announcement.estimated_bytes, announcement.seconds if announcement.encodes_video else 0.0)
        self.seconds, self.reencoded = announcement.seconds, announcement.reencoded

    async def write(self, chunk: bytes) -> None:
        """Pass media on."""
        await self._place.write(chunk)
