"""Bytes that some origins append to a transport stream segment, such as zeros or a comment."""

from transcoder.core.media.mpegts.packets import MAX_JUNK_BYTES, PACKET_BYTES, SYNC, find_packets
from transcoder.errors import DamagedMediaError

_MARK_BYTES = 8


def split_trailer(media: bytes) -> tuple[bytes, bytes]:
    """Return the whole packets that `media` begins with, and the bytes after the last of them."""
    syncs = media[: len(media) // PACKET_BYTES * PACKET_BYTES : PACKET_BYTES]
    end = (len(syncs) - len(syncs.lstrip(SYNC))) * PACKET_BYTES
    return media[:end], media[end:]


def is_trailer(data: bytes) -> bool:
    """Tell whether bytes after the last packet of a segment were appended to it: they are not too many, no packets, and no part of one.

    Bytes that are as long as packets stand in the place of them, as zeros do in a file that was not written to its end.
    """
    if len(data) > MAX_JUNK_BYTES or len(data) % PACKET_BYTES == 0 or data.startswith(SYNC):
        return False
    return 2 * SYNC not in data[::PACKET_BYTES] and find_packets(data, whole=True) == -1


class Trailer:
    """Takes what follows the last packet of each segment of a track, in pieces of any size.

    Its methods raise UpstreamError if it may stand in the place of media.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._bytes = b""
        self._usual: set[bytes] = set()
        """How those of earlier segments begin."""

    def __bool__(self) -> bool:
        """Return whether this segment has one."""
        return bool(self._bytes)

    def begin_segment(self) -> None:
        """Begin a segment."""
        self._bytes = b""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes after the last packet."""
        self._bytes += piece
        if len(self._bytes) > MAX_JUNK_BYTES:
            raise _no_sync_byte()

    def end(self, *, follows_whole_frames: bool) -> None:
        """Check all of it; `follows_whole_frames` says that nothing before it can be a part of a frame.

        A part of a segment may end with other bytes, too, such as a message of the origin. So what follows anything but whole frames has
        to begin as that of an earlier segment.
        """
        if not self._bytes:
            return
        mark = self._bytes[:_MARK_BYTES].rstrip(b"\0")
        if not is_trailer(self._bytes) or not (follows_whole_frames or mark in self._usual):
            raise _no_sync_byte()
        self._usual.add(mark)


def _no_sync_byte() -> DamagedMediaError:
    return DamagedMediaError("A segment is damaged: a transport packet does not begin with the sync byte.")
