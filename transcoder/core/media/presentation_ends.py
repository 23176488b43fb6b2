"""The presentation end of a track, read from its last segment."""

from collections.abc import Mapping

from transcoder.core.media.mp4_source import fragment_ends
from transcoder.core.media.mpegts import transport_stream_ends
from transcoder.core.media.packed_audio import packed_audio_ends
from transcoder.core.media.slide import Slide
from transcoder.core.media.streams import Container, Medium, Probe

END_BYTES = 256 * 1024
"""So many last bytes of a transport stream segment show where its streams end."""


def presentation_ends(last_bytes: bytes, probe: Probe, *, init: bytes = b"") -> Mapping[Medium, float]:
    """Return the presentation end of the first stream of each medium, in seconds on the source's timeline.

    A medium whose end cannot be read from `last_bytes` is missing from the result.

    Args:
        last_bytes: bytes of the track's last segment. For a transport stream its last bytes, beginning anywhere; for packed audio the whole
            segment; for fragmented MP4 the whole segment, or its first bytes: these are enough if the first moof covers the segment.
        probe: the probe of the track's first segment.
        init: the initialization section.

    """
    if probe.container is Container.MPEGTS:
        return {found.medium: found.end for found in transport_stream_ends(last_bytes, probe) if found.end is not None}
    if probe.container is Container.MP4:
        return {}  # the playlist of a plain MP4 is made from its own sample tables, so its durations are exact
    if probe.container is Container.FMP4:
        return fragment_ends(last_bytes, probe, init=init)
    return packed_audio_ends(last_bytes, probe)


def needs_longer_end(last_bytes: bytes, probe: Probe) -> bool:
    """Return whether more of the end of a transport stream segment is worth reading.

    It is if a stream that has begun has no timestamp in `last_bytes`, or the video one only, which does not say how long a picture lasts.
    """
    if probe.container is not Container.MPEGTS:
        return False
    begun = {medium for medium in Medium if (stream := probe.main(medium)) and stream.start is not None}
    ends = transport_stream_ends(last_bytes, probe)
    return any(found.slide and found.slide.apart is None for found in ends) or not begun <= {
        found.medium for found in ends if found.end is not None
    }


def last_slide(last_bytes: bytes, probe: Probe) -> Slide | None:
    """Return the last picture of a track if it may be shown for any time; None if the media say how long, as those of an MP4 do."""
    ends = transport_stream_ends(last_bytes, probe) if probe.container is Container.MPEGTS else []
    return next((found.slide for found in ends if found.slide), None)
