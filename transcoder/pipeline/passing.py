"""What is known of a segment once it has passed its inspector."""

from collections.abc import Collection, Mapping

from transcoder.core.media.inspector import Inspector
from transcoder.core.media.passed_segment import PassedSegment, SegmentExtent
from transcoder.core.media.segment_sequence import SegmentSequence
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import DamagedMediaError
from transcoder.pipeline.segment import LocatedSegment
from transcoder.pipeline.segment_names import about_listed
from transcoder.pipeline.segment_places import identity_of


def ends_before(segment: LocatedSegment, inspector: Inspector) -> Mapping[Medium, float]:
    """Return the presentation ends before a segment, by decode times where they are known: those rise, whatever comes first."""
    ends = dict(inspector.ends)
    for medium, last in inspector.last_decode_times.items():
        stream, sample_seconds = segment.probe.main(medium), inspector.sample_seconds.get(medium)
        if stream and stream.start is not None and stream.decode_start is not None and sample_seconds is not None:
            ends[medium] = last + sample_seconds + unwrap(stream.start, near=stream.decode_start) - stream.decode_start
    return ends


def passed_segment(segment: LocatedSegment, inspector: Inspector, samples_before: Mapping[Medium, int], prefix: bytes) -> PassedSegment:
    """Return what the segment that has just ended brought; `prefix` is what tells its content from that of others."""
    counts = {medium: count - samples_before.get(medium, 0) for medium, count in inspector.samples.items()}
    starts, ends, durations, spans = inspector.starts, inspector.ends, inspector.sample_seconds, inspector.decode_spans
    extents = {
        medium: SegmentExtent(count, unwrap(starts[medium], near=ends[medium]), ends[medium], durations.get(medium, 0.0), spans.get(medium))
        for medium, count in counts.items()
        if count and medium in starts and medium in ends
    }
    listed = segment.segment
    # Without timestamps two segments of silence may be the same, byte for byte.
    main_start = next((starts[medium] for medium in Medium if medium in starts), None)
    fingerprint = (object(),) if main_start is None else (prefix, main_start)
    return PassedSegment(
        listed.at, listed.seconds, listed.rounding, identity_of(listed), fingerprint, extents, inspector.packets, listed.guessed
    )


def add_passed(sequence: SegmentSequence, passed: PassedSegment) -> None:
    """Add a segment to those before it. Raises DamagedMediaError if it does not continue them."""
    with about_listed(passed.identity):
        sequence.add(passed)


def check_end(sequence: SegmentSequence, unfinished: Collection[Medium]) -> None:
    """Check what only the whole track shows.

    Raises:
        DamagedMediaError: a segment lost packets at its end, or the first or the last one is shorter than the playlist says, where the
            playlist has been right about the others.

    """
    if lost := sequence.lost_packets():
        with about_listed(sequence.incomplete[lost]):
            raise DamagedMediaError(f"The end of a segment is missing: the next one does not continue its {lost.value}.")
    if not sequence.ends:
        return
    only_a_part = "the origin has only a part of it"
    with about_listed(sequence.ends[-1]):
        for medium in unfinished:
            raise DamagedMediaError(f"The last segment ends inside a packet of the {medium.value}: {only_a_part}.")
    if (seconds := sequence.missing_beginning()) > 0:
        with about_listed(sequence.ends[0]):
            raise DamagedMediaError(f"The first segment is {seconds:.3f} s shorter than the playlist says: {only_a_part}.")
    if (seconds := sequence.shortfall()) > 0:
        with about_listed(sequence.ends[-1]):
            raise DamagedMediaError(f"The last segment is {seconds:.3f} s shorter than the playlist says: {only_a_part}.")
