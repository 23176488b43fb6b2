"""Inspection of segments on their way to ffmpeg: a check that each one is undamaged, and a count of its samples."""

from collections.abc import Collection, Mapping
from typing import Protocol

from transcoder.core.media.mp4_source import FragmentInspector, PlainFileInspector
from transcoder.core.media.mpegts import TransportInspector
from transcoder.core.media.packed_audio import PackedAudioInspector
from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.streams import Container, Medium, Probe


class Inspector(Protocol):
    """Checks the segments of one track of one period while they pass through to ffmpeg, and counts their samples.

    ffmpeg cannot be relied on for this: it accepts garbage in its input and still exits with status 0.

    An inspector checks that each segment is in the container that the first one's probe found, that its structure is unbroken (transport
    packets, boxes or audio frames follow each other without a hole), that it is not cut off in the middle of such a unit, that it contains
    at least one sample, and that it does not bring other streams than those before it. It does not decode anything.

    It counts the samples of the first stream of each medium, as the streams with those ids go into the output. The accounting compares
    these numbers with the samples that ffmpeg wrote. It also records when these streams start and end.

    For each segment, call `begin`, then `feed` with its bytes in pieces of any size, then `end`. `samples` and `ends` continue over all
    segments; `starts` is about the current one.
    """

    @property
    def step_bytes(self) -> int:
        """At most so many bytes are to be fed at once, so that everything else has its turn soon."""

    @property
    def samples(self) -> Mapping[Medium, int]:
        """Number of samples so far in the first stream of each medium; a codec that cannot be counted is missing.

        It is the number of packets that `ffmpeg -c copy -copyinkf` writes for the same bytes.
        """

    @property
    def undecodable(self) -> Mapping[Medium, int]:
        """Number of samples at the beginning that nothing can decode; ffmpeg leaves them out."""

    @property
    def starts(self) -> Mapping[Medium, float]:
        """First presentation time in the current segment, in seconds as written (not unwrapped); no entry until one was found."""

    @property
    def ends(self) -> Mapping[Medium, float]:
        """Latest presentation end so far, in seconds on the source's timeline (unwrapped); no entry if it is not known."""

    @property
    def last_decode_times(self) -> Mapping[Medium, float]:
        """Decode time of the last sample so far, in seconds on the source's timeline (unwrapped); no entry if it is not known."""

    @property
    def sample_seconds(self) -> Mapping[Medium, float]:
        """Duration of the last sample of each medium in seconds; no entry if it is not known."""

    @property
    def decode_spans(self) -> Mapping[Medium, tuple[float, float]]:
        """First and last decode time in the current segment, in seconds, unwrapped; no entry if they are not known.

        Only video needs it: nothing else can lose frames that are shown before others that it keeps.
        """

    @property
    def packets(self) -> PacketEvidence:
        """What the packets or fragments of the current segment show; nothing if its container has neither."""

    @property
    def units(self) -> Collection[int]:
        """Hashes of the PES packets of the video, or of the fragments, in the current segment; none if its container has neither.

        The timestamps are in them, so that no two of a timeline are equal.
        """

    def begin(self) -> None:
        """Begin a segment."""

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the segment and return the bytes to pass on to ffmpeg.

        Bytes in front of the media are dropped, and some bytes may be held back until the next call.

        Raises:
            UpstreamError: the bytes are damaged, or not in the expected container.
            ProgramChangedError: the segment announces other streams.
            UnsupportedSourceError: the media are encrypted, or change in a way that the output cannot follow.

        """

    def end(self) -> bytes:
        """End the segment and return the bytes that were held back.

        Raises UpstreamError if the segment is cut off or contains no sample.
        """


def inspector_for(probe: Probe, *, init: bytes = b"", written_from: float | None = None) -> Inspector:
    """Return an inspector for a series of segments.

    `probe` is that of the first segment; `init` is the initialization section that was used to probe it. With `written_from`, in seconds,
    packed audio is passed on as a transport stream that begins at that time, since its frames have no timestamps.
    """
    if probe.container is Container.MPEGTS:
        return TransportInspector(probe)
    if probe.container is Container.MP4:
        return PlainFileInspector(probe, init=init)
    if probe.container is Container.FMP4:
        return FragmentInspector(probe, init=init)
    return PackedAudioInspector(probe, written_from=written_from)
