"""What the film will be: which streams go into it, how long it is, and what cannot be made into one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transcoder.core.command import PICTURE_CODECS, SOUND_CODECS
from transcoder.core.media import Medium, Probe, Stream
from transcoder.core.plan import Kind, Track
from transcoder.core.timestamps import unwrap
from transcoder.errors import UnsupportedSourceError


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A track of one period with what the head of its first segment tells, and its end where something tells it."""

    track: Track
    probe: Probe
    ends: Mapping[Medium, float]
    """Presentation end in seconds on the source's timeline, read from the last segment; empty where it was not read."""

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams of this track that go into the film."""
        wanted = {Kind.VIDEO: (Medium.VIDEO,), Kind.AUDIO: (Medium.AUDIO,), Kind.BOTH: tuple(Medium)}[self.track.kind]
        return tuple(stream for medium in wanted if (stream := self.probe.first(medium)))


@dataclass(frozen=True, slots=True)
class Film:
    """What is announced before the first byte."""

    seconds: float
    media: Mapping[Medium, float]
    """How long its picture and its sound are, in seconds."""
    estimated_bytes: int | None


def make_film(periods: Sequence[Sequence[Surveyed]], *, estimated_bytes: int | None) -> Film:
    """Say what the film will be.

    Raises:
        UnsupportedSourceError: MP4 cannot hold a codec, there is neither picture nor sound, or a later period differs in what
            only re-encoding could make alike.

    """
    first = _formats(periods[0])
    for surveyed in periods:
        _refuse_foreign(surveyed)
        _refuse_change(first, _formats(surveyed))
    spans = [_spans(surveyed) for surveyed in periods]
    return Film(
        seconds=sum(max(end for _, end in span.values()) - min(start for start, _ in span.values()) for span in spans),
        media={medium: sum(span[medium][1] - span[medium][0] for span in spans) for medium in first},
        estimated_bytes=estimated_bytes,
    )


def first_start(surveyed: Sequence[Surveyed]) -> float:
    """Return the earliest first timestamp of a period in seconds: the zero of what has no timestamps of its own."""
    return min((stream.start for track in surveyed for stream in track.streams if stream.start is not None), default=0.0)


def _formats(surveyed: Sequence[Surveyed]) -> dict[Medium, Stream]:
    return {stream.medium: stream for track in surveyed for stream in track.streams}


def _refuse_foreign(surveyed: Sequence[Surveyed]) -> None:
    streams = [stream for track in surveyed for stream in track.streams]
    if not streams:
        raise UnsupportedSourceError("The source holds neither picture nor sound.")
    for stream in streams:
        if stream.codec not in (PICTURE_CODECS if stream.medium is Medium.VIDEO else SOUND_CODECS):
            raise UnsupportedSourceError(
                f"The {stream.medium.value} of the source is {stream.codec}, which cannot be put into an MP4 as it is."
            )


def _refuse_change(first: Mapping[Medium, Stream], later: Mapping[Medium, Stream]) -> None:
    if first.keys() != later.keys():
        raise UnsupportedSourceError("Picture or sound is missing in a part of the source.")
    for medium, stream in first.items():
        other = later[medium]
        if stream.codec != other.codec:
            raise UnsupportedSourceError(f"The {medium.value} changes from {stream.codec} to {other.codec} within the source.")
        if (stream.sample_rate, stream.channels) != (other.sample_rate, other.channels):
            raise UnsupportedSourceError("The sound changes its sampling rate or its channels within the source.")


def _spans(surveyed: Sequence[Surveyed]) -> dict[Medium, tuple[float, float]]:
    """Return first and last presentation time of each medium, all on one timeline."""
    zero = first_start(surveyed)
    spans = {}
    for track in surveyed:
        for stream in track.streams:
            start = zero if stream.start is None else unwrap(stream.start, near=zero)
            end = start + track.track.seconds
            spans[stream.medium] = (start, unwrap(track.ends[stream.medium], near=end) if stream.medium in track.ends else end)
    return spans
