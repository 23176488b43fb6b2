"""Judges the segments of one track of one period as they pass; ffmpeg itself takes rubbish and exits with 0."""

from collections.abc import Mapping
from typing import Protocol

from transcoder.core.media.mp4_source import FragmentInspector, PlainFileInspector
from transcoder.core.media.mpegts import TransportInspector
from transcoder.core.media.packed_audio import PackedAudioInspector
from transcoder.core.media.streams import Container, Medium, Probe


class Inspector(Protocol):
    """Judges segments that come in any pieces: `begin`, `feed` as often as needed, `end`, and again for the next segment."""

    @property
    def samples(self) -> Mapping[Medium, int]:
        """Samples of the first stream of each medium so far, as `ffmpeg -c copy -copyinkf` puts out; uncounted codecs are left out."""

    @property
    def starts(self) -> Mapping[Medium, float]:
        """First presentation time in this segment, in seconds as written (not unwrapped), where one has been seen."""

    @property
    def ends(self) -> Mapping[Medium, float]:
        """Latest presentation end so far, in seconds on the source's timeline (unwrapped), where it is told."""

    def begin(self) -> None:
        """Begin a segment."""

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the segment, return those that go on to ffmpeg; what is no media at the head is left out.

        Raises UpstreamError if the bytes are not what they should be, ProgramChangedError if other streams are announced.
        """

    def end(self) -> bytes:
        """End the segment, return what was held back; raises UpstreamError if it is cut off or holds no sample."""


def inspector(probe: Probe, *, init: bytes = b"") -> Inspector:
    """Return what judges the segments that follow from the first one's `probe`; `init` as it was given to `probe`."""
    if probe.container is Container.MPEGTS:
        return TransportInspector(probe)
    if probe.container is Container.MP4:
        return PlainFileInspector(probe, init=init)
    if probe.container is Container.FMP4:
        return FragmentInspector(probe, init=init)
    return PackedAudioInspector(probe)
