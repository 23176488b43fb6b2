"""Which sources have a plain layout: a `moov` that can be written before their media is read."""

from collections.abc import Sequence

from transcoder.core.hls.plan import Plan, Segment
from transcoder.core.media.mp4.byte_map import ByteMap
from transcoder.core.media.mp4.extent_groups import group_extents
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.formats import formats_of
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.core.request.output_format import COPY_EVERYTHING, FileFormat
from transcoder.errors import PlainLayoutError

MAX_HEADS = 20_000
"""An index of more heads is not made, whoever asks for it."""

MAX_SAMPLES = 1_000_000
"""A track of more samples (more than four hours, at 60 pictures a second) has no plain layout: a `trun` may list a million in 88 bytes."""
MAX_PIECES = 500
"""A file whose media lie in more pieces of less than 2 KiB on average has no plain layout: a request is made for each of them."""
_BYTES_PER_PIECE = 2 * 1024


def check_plan(plan: Plan, *, max_heads: int) -> None:
    """Check what the playlists alone show: one timeline of fragmented MP4 in the clear, with at most so many segments.

    Raises:
        PlainLayoutError: there is no plain layout.
    """
    if plan.output_format.format is FileFormat.MP3:
        raise PlainLayoutError("an MP3 is not one")
    if plan.output_format.clip and plan.output_format.clip.exact:
        raise PlainLayoutError("an exact clip is re-encoded")
    if len(plan.periods) != 1:
        raise PlainLayoutError("it has several parts with clocks or initialization sections of their own")
    segments = [segment for track in plan.periods[0].tracks for segment in track.segments]
    for segment in segments:
        _check_segment(segment)
    check_heads(len(segments), max_heads=max_heads)


def check_heads(heads: int, *, max_heads: int) -> None:
    """Check how many pieces of the source the index needs.

    Raises:
        PlainLayoutError: they are too many.
    """
    if heads > max_heads:
        raise PlainLayoutError(f"more than {max_heads} heads of segments would have to be fetched for its index")


def check_samples(samples: int) -> None:
    """Check how many samples a track has.

    Raises:
        PlainLayoutError: they are too many.
    """
    if samples > MAX_SAMPLES:
        raise PlainLayoutError(f"a track has more than {MAX_SAMPLES:,} samples")


def check_pieces(media: ByteMap) -> None:
    """Check in how many pieces the media of a file lie.

    Raises:
        PlainLayoutError: they are too many and too small.
    """
    extents = (piece for piece in media.part(len(media.head), media.length) if not isinstance(piece, bytes))
    if sum(1 for _ in group_extents(extents)) > MAX_PIECES + media.length // _BYTES_PER_PIECE:
        raise PlainLayoutError(f"its media lie in more than {MAX_PIECES} pieces of less than {_BYTES_PER_PIECE} bytes on average")


def _check_segment(segment: Segment) -> None:
    if segment.init is None:
        raise PlainLayoutError("its segments are not fragmented MP4 with an initialization section")
    if segment.key or segment.init.key:
        raise PlainLayoutError("its segments are encrypted")
    if not segment.url.lower().startswith(("http://", "https://")):
        raise PlainLayoutError("its segments are not on an HTTP server")


def check_formats(plan: Plan, tracks: Sequence[ProbedTrack], announcement: Announcement) -> None:
    """Check that everything is copied, and that what is announced is there from the beginning.

    Raises:
        PlainLayoutError: something would have to be re-encoded, or is not in the first segments.
    """
    streams = [stream for track in tracks for stream in track.streams]
    if announcement.reencoded or any(map(plan.output_format.encoder, streams)):
        raise PlainLayoutError("its media has to be re-encoded for this output")
    if any(track.probe.has_pending_stream for track in tracks):
        raise PlainLayoutError("its video or audio is not in its first segment")
    if len(formats_of(tracks, COPY_EVERYTHING)) != len(streams):
        raise PlainLayoutError("it has several streams of one kind")
