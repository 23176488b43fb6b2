"""When a track ends, told from its last segment."""

from collections.abc import Mapping

from transcoder.core.media.mp4_source import fragment_ends
from transcoder.core.media.mpegts import transport_stream_ends
from transcoder.core.media.packed_audio import packed_audio_ends
from transcoder.core.media.streams import Container, Medium, Probe


def presentation_ends(tail: bytes, probe: Probe, *, init: bytes = b"") -> Mapping[Medium, float]:
    """Return the presentation end of each first stream in seconds on the source's timeline; what `tail` does not tell is left out.

    `tail` is the end of the last segment of a transport stream, beginning anywhere; of packed audio the whole last segment; of fragmented
    MP4 the last segment's head (its end is told if its first moof covers it) or the whole. `probe` is that of the track's first segment.
    """
    if probe.container is Container.MPEGTS:
        return transport_stream_ends(tail, probe)
    if probe.container is Container.MP4:
        return {}  # its playlist, which is made of its own tables, tells
    if probe.container is Container.FMP4:
        return fragment_ends(tail, probe, init=init)
    return packed_audio_ends(tail, probe)
