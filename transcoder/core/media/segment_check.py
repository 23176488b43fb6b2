"""A quick look at a whole segment before any of it is passed on, to find faulty copies that are worth fetching again.

This is suspicion, not a verdict: a segment that looks odd is fetched once more, and what arrives twice is believed. So it may be quick and
strict, while `SegmentSequence` decides about what is passed on.
"""

from dataclasses import dataclass

from transcoder.core.media.mpegts.continuity_counters import ContinuityCounters
from transcoder.core.media.mpegts.packets import PACKET_BYTES, SYNC
from transcoder.core.media.presentation_ends import presentation_ends
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Container, Medium, Probe
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import TranscoderError

_END_BYTES = 256 * 1024
_FIRST_TOLERANCE = 0.25
"""Share of EXTINF by which a segment may differ before anything is known about how exact EXTINF is."""
_MIN_TOLERANCE_SECONDS = 0.03
_DEVIATION_FACTOR = 3.0


@dataclass(slots=True)
class SegmentCheck:
    """The quick look at the segments of one track; learns from those that it accepts how exact the playlist is."""

    _origin: float | None = None
    """When the track begins, less where the playlist puts its first segment, in seconds."""
    _deviation: float | None = None
    """By how many seconds EXTINF and the playlist's places have been wrong so far, at most."""

    def accepts(self, body: bytes, *, init: bytes, at: float, seconds: float) -> bool:
        """Return whether a whole segment looks undamaged, is as long as EXTINF says, and lies where the playlist puts it.

        Args:
            body: all bytes of the segment, decrypted.
            init: its initialization section, decrypted.
            at: where the playlist puts it in its period, in seconds.
            seconds: EXTINF.

        """
        try:
            found = probe(body, init=init, whole=True)
            if found is None or (found.container is Container.MPEGTS and not _packets_follow(body, found)):
                return False
            is_mpegts = found.container is Container.MPEGTS
            ends = presentation_ends(body[-_END_BYTES:] if is_mpegts else body, found, init=init)
        except TranscoderError:
            return False
        spans = {
            stream.medium: (stream.start, unwrap(ends[stream.medium], near=stream.start))
            for stream in (found.first(medium) for medium in Medium)
            if stream is not None and stream.start is not None and stream.medium in ends
        }
        return not spans or self._is_plausible(spans, at=at, seconds=seconds)

    def _is_plausible(self, spans: dict[Medium, tuple[float, float]], *, at: float, seconds: float) -> bool:
        start, end = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
        origin = unwrap(start, near=self._origin + at) - at if self._origin is not None else start - at
        moved = abs(origin - self._origin) if self._origin is not None else 0.0
        deviation = max(abs(end - start - seconds), moved)
        tolerance = _FIRST_TOLERANCE * seconds if self._deviation is None else _DEVIATION_FACTOR * self._deviation + _MIN_TOLERANCE_SECONDS
        if deviation > tolerance:
            return False
        self._origin = origin if self._origin is None else self._origin
        self._deviation = max(deviation, self._deviation or 0.0)
        return True

    def believe(self) -> None:
        """Accept what did not look right twice: the playlist is less exact than it seemed, and the next segments are measured anew."""
        self._origin = self._deviation = None


def _packets_follow(body: bytes, found: Probe) -> bool:
    """Return whether the body is whole transport packets, none of which is missing by its counter."""
    media = body[found.skip :]
    packets, rest = divmod(len(media), PACKET_BYTES)
    if rest or media[::PACKET_BYTES].count(SYNC) != packets:
        return False
    counters = ContinuityCounters(stream.id for stream in (found.first(medium) for medium in Medium) if stream)
    counters.feed(media, packets)
    return not (counters.lost_inside or counters.jumped)
