"""The boxes of a fragmented MP4 that ffmpeg or this project writes, and the verdict if they are broken."""

from collections.abc import Iterator
from contextlib import contextmanager

from transcoder.core.media.mp4.box_reader import BoxReader
from transcoder.core.media.mp4.boxes import Box, Mp4Error
from transcoder.errors import TranscodeError

MAX_BOX_BYTES = 64 * 1024 * 1024
"""A longer box, other than `mdat`, is refused: boxes are collected in memory, media data is not."""
_COLLECTED = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"sidx", b"mfra", b"free", b"skip"})
_STREAMED = frozenset({b"mdat"})
_CONTAINERS = {
    **dict.fromkeys((b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl", b"mvex", b"moof", b"traf", b"mfra"), 0),
    **dict.fromkeys((b"dref", b"stsd"), 8),
}
"""The boxes that have other boxes inside, and how many bytes of other content come before those."""


def output_reader() -> BoxReader:
    """Return a reader that collects every box but `mdat`, and refuses a type that does not belong into such a file."""
    return BoxReader(collected=_COLLECTED, streamed=_STREAMED, max_box_bytes=MAX_BOX_BYTES)


def check_inner_boxes(outer: Box) -> None:
    """Check that every box inside, at any depth, has the short header with a size: what rewrites boxes part by part counts on that.

    Raises:
        Mp4Error: one has a 64-bit size, or reaches to the end of what is around it without saying where that is, or is broken.
    """
    for inner in outer.children(skip=_CONTAINERS[outer.type]):
        if int.from_bytes(inner.data[inner.start : inner.start + 4], "big") != inner.end - inner.start:
            raise Mp4Error(inner.position, f"the box {inner.type.decode('latin-1')} has not the short header with a size that it needs")
        if inner.type in _CONTAINERS:
            check_inner_boxes(inner)


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
