"""What the film will be: which streams go into it, how long it is, and what cannot be made into one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from transcoder.core.hls.plan import Segment, Track
from transcoder.core.media.streams import Container, Medium, Probe, Stream, TrackKind
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.ffmpeg_command import AUDIO_CODECS, ENCODABLE, VIDEO_CODECS, Silence, can_generate_silence
from transcoder.core.request.output_format import COPY_EVERYTHING, ENCODER_CODECS, OutputFormat, VideoMode
from transcoder.errors import UnsupportedSourceError

_ROUNDING = 0.25
MEDIA: Mapping[TrackKind, tuple[Medium, ...]] = {
    TrackKind.VIDEO: (Medium.VIDEO,),
    TrackKind.AUDIO: (Medium.AUDIO,),
    TrackKind.BOTH: tuple(Medium),
}
"""What a track of each kind may bring into the film."""


@dataclass(frozen=True, slots=True)
class ProbedTrack:
    """A track of one period with what the head of its first segment tells, and its end where something tells it."""

    track: Track
    probe: Probe
    ends: Mapping[Medium, float]
    """Presentation end in seconds on the source's timeline, read from the last segment; empty where it was not read."""
    cut: bool = False
    """`ends` comes from a part of the last segment that may have more fragments behind it."""

    def begun(self, probe: Probe, segment: Segment) -> "ProbedTrack":
        """Return the same with the look at the segment that has come, which may be a later one than the survey's."""
        first = self.track.segments[0]
        if (segment.url, segment.range) == (first.url, first.range):
            probe = probe.merged_with(self.probe)
        return replace(self, probe=probe)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams of this track that go into the film; what a program map announces and no packet brings is none."""
        streams = tuple(stream for medium in self.track.kind.media if (stream := self.probe.first(medium)))
        return tuple(stream for stream in streams if stream.start is not None or self.probe.container is not Container.MPEGTS)


def _drift(track: Track) -> float:
    """Return by how many seconds a track may end elsewhere than its EXTINF say.

    Each may be rounded by half a second, and the last may be any length at all: some packagers give every segment the same. Where the
    last segment seems to end before it begins, it is not that but another timeline, of which no tag told.
    """
    return max(0.98 * track.segments[-1].seconds, 0.5 * len(track.segments))


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is announced before the first byte."""

    seconds: float
    media: Mapping[Medium, float]
    """How long its picture and its sound are, in seconds."""
    estimated_bytes: int | None
    sound: Stream | None = None
    """What its sound is like: silence is made in its form for a period that has none."""


def announce(
    periods: Sequence[Sequence[ProbedTrack]], *, estimated_bytes: int | None, output_format: OutputFormat = COPY_EVERYTHING
) -> Announcement:
    """Say what the film of all that is fetched will be, in that form.

    Raises:
        UnsupportedSourceError: MP4 cannot hold a codec, there is neither picture nor sound, or a later period differs in what
            only re-encoding could make alike.

    """
    formats: dict[Medium, Stream] = {}
    for surveyed in periods:
        _refuse_foreign(surveyed, output_format)
        formats = _formats(surveyed, output_format) | formats
    for surveyed in periods:
        _refuse_change(formats, _formats(surveyed, output_format))
    spans = [media_spans(surveyed) for surveyed in periods]
    lengths = [max(end for _, end in span.values()) - min(start for start, _ in span.values()) for span in spans]
    return Announcement(
        seconds=sum(lengths),
        media={
            medium: sum(
                span[medium][1] - span[medium][0] if medium in span else length for span, length in zip(spans, lengths, strict=True)
            )
            for medium in formats
        },
        estimated_bytes=estimated_bytes,
        sound=formats.get(Medium.AUDIO),
    )


def silence_for_period(surveyed: Sequence[ProbedTrack], sound: Stream | None) -> Silence | None:
    """Return the silence that a period needs in a film with that sound; None if it has sound itself, or the film has none."""
    if sound is None or Medium.AUDIO in _formats(surveyed, COPY_EVERYTHING):
        return None
    start, end = media_spans(surveyed)[Medium.VIDEO]
    return Silence(sound.codec, sound.sample_rate or 0, sound.channels or 0, start, end - start)


def first_start(surveyed: Sequence[ProbedTrack]) -> float:
    """Return the earliest first timestamp of a period in seconds: the zero of what has no timestamps of its own."""
    return min((stream.start for track in surveyed for stream in track.streams if stream.start is not None), default=0.0)


def _formats(surveyed: Sequence[ProbedTrack], output_format: OutputFormat) -> dict[Medium, Stream]:
    """Return what each medium is in the film."""
    streams = [(stream, output_format.encoder(stream)) for track in surveyed for stream in track.streams]
    return {stream.medium: replace(stream, codec=ENCODER_CODECS[encoder]) if encoder else stream for stream, encoder in streams}


def _refuse_foreign(surveyed: Sequence[ProbedTrack], output_format: OutputFormat) -> None:
    streams = [stream for track in surveyed for stream in track.streams]
    for track in surveyed:
        if track.probe.container is Container.MP4 and len(track.track.segments) > 1:
            raise UnsupportedSourceError("The segments are ordinary MP4 files; only fragmented MP4 can be joined.")
        if not track.streams:
            missing = {TrackKind.VIDEO: "no picture", TrackKind.AUDIO: "no sound", TrackKind.BOTH: "neither picture nor sound"}[
                track.track.kind
            ]
            if len(surveyed) == 1:
                raise UnsupportedSourceError(f"The source holds {missing}.")
            raise UnsupportedSourceError(f"A playlist of the source holds {missing}, for which it is listed.")
    for stream in streams:
        if stream.codec in (VIDEO_CODECS if stream.medium is Medium.VIDEO else AUDIO_CODECS):
            continue
        if output_format.encoder(stream) is None or stream.codec not in ENCODABLE:
            way_out = (
                f"; video={VideoMode.H264.value} encodes it anew" if stream.medium is Medium.VIDEO and stream.codec in ENCODABLE else ""
            )
            raise UnsupportedSourceError(
                f"The {stream.medium.value} of the source is {stream.codec}, which cannot be put into an MP4 as it is{way_out}."
            )


def _refuse_change(first: Mapping[Medium, Stream], later: Mapping[Medium, Stream]) -> None:
    if Medium.VIDEO in first and Medium.VIDEO not in later:
        raise UnsupportedSourceError("A part of the source has no picture.")
    if Medium.AUDIO in first and Medium.AUDIO not in later and not can_generate_silence(first[Medium.AUDIO]):
        raise UnsupportedSourceError("A part of the source has no sound.")
    for medium, other in later.items():
        stream = first[medium]
        if stream.codec != other.codec:
            raise UnsupportedSourceError(f"The {medium.value} changes from {stream.codec} to {other.codec} within the source.")
        if (stream.sample_rate, stream.channels) != (other.sample_rate, other.channels):
            raise UnsupportedSourceError("The sound changes its sampling rate or its channels within the source.")


def media_spans(surveyed: Sequence[ProbedTrack]) -> dict[Medium, tuple[float, float]]:
    """Return first and last presentation time of each medium, all on one timeline."""
    zero = first_start(surveyed)
    spans: dict[Medium, tuple[float, float]] = {}
    for track in surveyed:
        starts = {stream.medium: zero if stream.start is None else unwrap(stream.start, near=zero) for stream in track.streams}
        # EXTINF tells of segments: where picture and sound share them, of both together from whichever begins first.
        end = min(starts.values()) + track.track.seconds
        spans |= {medium: (start, max(start, _end(track, medium, by_playlist=end))) for medium, start in starts.items()}
    return spans


def _end(track: ProbedTrack, medium: Medium, *, by_playlist: float) -> float:
    """Choose between what the last segment says and the sum of EXTINF, which may be rounded to whole seconds."""
    if medium not in track.ends:
        return by_playlist
    end = unwrap(track.ends[medium], near=by_playlist)
    if track.track.seconds and abs(end - by_playlist) > _drift(track.track):
        return by_playlist  # another timeline: it begins anew on the way, and no tag said so
    # Several fragments to a segment: the ones that were read end well before EXTINF does, by more than it could be rounded.
    return by_playlist if track.cut and end < by_playlist - _ROUNDING * track.track.segments[-1].seconds else end
