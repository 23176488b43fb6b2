"""The boxes of a fragmented MP4 that ffmpeg or this project writes, and the verdict if they are broken."""

from collections.abc import Iterator
from contextlib import contextmanager

from transcoder.core.media.mp4.box_reader import BoxReader
from transcoder.core.media.mp4.boxes import Mp4Error
from transcoder.errors import TranscodeError

MAX_BOX_BYTES = 64 * 1024 * 1024
"""A longer box, other than `mdat`, is refused: boxes are collected in memory, media data is not."""
_COLLECTED = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"sidx", b"mfra", b"free", b"skip"})
_STREAMED = frozenset({b"mdat"})


def output_reader() -> BoxReader:
    """Return a reader that collects every box but `mdat`, and refuses a type that does not belong into such a file."""
    return BoxReader(collected=_COLLECTED, streamed=_STREAMED, max_box_bytes=MAX_BOX_BYTES)


@contextmanager
def broken_as(whose: str) -> Iterator[None]:
    """Turn broken MP4 in the block into the verdict on an output; `whose` begins the sentence.

    Raises:
        TranscodeError: in place of `Mp4Error`.
    """
    try:
        yield
    except Mp4Error as error:
        raise TranscodeError(f"{whose} is broken: {error}.") from error
