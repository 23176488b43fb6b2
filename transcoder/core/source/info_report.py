"""What is told of a source instead of making its film: what it offers, what would be taken, how large and how long that would be."""

import math
from dataclasses import asdict, dataclass

from transcoder.core.hls.clip import length
from transcoder.core.hls.plan import Plan
from transcoder.core.hls.playlist import Rendition, Variant
from transcoder.core.media.streams import TrackKind
from transcoder.core.source.source import ResolvedSource, Source, SourceKind

LAMBDA_BURST_BYTES = 6 * 1024 * 1024
LAMBDA_BYTES_PER_SECOND = 2 * 1024 * 1024
"""How fast Lambda streams an answer after the burst (AWS Lambda developer guide, "Response streaming", bandwidth limits)."""


@dataclass(frozen=True, slots=True)
class VariantLine:
    """One variant that could be chosen."""

    width: int | None
    height: int | None
    frame_rate: float | None
    codecs: tuple[str, ...]
    bandwidth: int | None
    """Bits per second at most, sound included."""
    average_bandwidth: int | None
    estimated_bytes: int | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class TrackLine:
    """One rendition of sound or text."""

    group: str
    name: str
    language: str | None
    default: bool
    forced: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One of several videos of a post."""

    item: int
    width: int | None
    height: int | None
    seconds: float | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that the film has to keep to."""

    name: str
    value: int
    unit: str
    kept: bool | None
    """None: it cannot be told in advance."""


@dataclass(frozen=True, slots=True)
class InfoReport:
    """All that is told."""

    kind: str
    """reddit, or hls for the address of a playlist."""
    page: str
    title: str | None
    subreddit: str | None
    seconds: float
    """Of the film, or of the part that is wanted of it."""
    items: tuple[ItemLine, ...]
    variants: tuple[VariantLine, ...]
    audio: tuple[TrackLine, ...]
    subtitles: tuple[TrackLine, ...]
    file_name: str
    estimated_bytes: int | None
    estimated_seconds_on_lambda: float | None
    """For sending alone; what the origin takes comes on top where it is slower."""
    limits: tuple[Limit, ...]
    download: str | None = None
    """The film's address, relative to that of the report."""

    def document(self) -> dict[str, object]:
        """Return it as what JSON has a notation for."""
        return asdict(self)


def make_report(source: Source, resolved: ResolvedSource, *, file_name: str, response_limit: int) -> InfoReport:
    """Say what is known of a source once its playlists have been read."""
    fetched = length(resolved.plan)
    estimated = resolved.plan.estimated_bytes
    main = resolved.multivariant
    tracks = main.renditions if main else ()
    return InfoReport(
        kind="reddit" if source.kind is SourceKind.REDDIT else "file" if resolved.file else "hls",
        page=source.page,
        title=source.title,
        subreddit=source.subreddit,
        seconds=round(_seconds(resolved.plan, fetched), 3),
        items=_items(source),
        variants=tuple(_variant(each, resolved, fetched) for each in main.variants) if main else (),
        audio=tuple(_track(each, resolved) for each in tracks if each.kind == "AUDIO"),
        subtitles=tuple(_track(each, resolved) for each in tracks if each.kind in {"SUBTITLES", "CLOSED-CAPTIONS"}),
        file_name=file_name,
        estimated_bytes=estimated,
        estimated_seconds_on_lambda=None if estimated is None else round(lambda_seconds(estimated), 1),
        limits=(Limit("response_limit", response_limit, "bytes", None if estimated is None else estimated <= response_limit),),
    )


def lambda_seconds(size: int) -> float:
    """Return how long Lambda takes to stream so many bytes."""
    return max(0, size - LAMBDA_BURST_BYTES) / LAMBDA_BYTES_PER_SECOND


def _seconds(plan: Plan, fetched: float) -> float:
    """Return how long the film is, of which so many seconds are fetched."""
    clip = plan.output_format.clip
    if clip is None:
        return fetched
    if clip.seconds is not None:
        return clip.seconds
    # Of the sound more is fetched; where the part begins is counted from the picture.
    leaders = (min(period.tracks, key=lambda track: track.kind is TrackKind.AUDIO) for period in plan.periods)
    return math.fsum(track.seconds for track in leaders) - (clip.start or 0.0)


def _brings(resolved: ResolvedSource, kind: TrackKind) -> bool:
    return any(track.kind in {kind, TrackKind.BOTH} for period in resolved.plan.periods for track in period.tracks)


def _variant(variant: Variant, resolved: ResolvedSource, seconds: float) -> VariantLine:
    width, height = variant.resolution or (None, None)
    rate = variant.average_bandwidth or variant.bandwidth
    picture = _brings(resolved, TrackKind.VIDEO) or not (resolved.choice and resolved.choice.rendition)
    chosen = picture and resolved.choice is not None and resolved.choice.variant is variant
    estimated = round(rate * seconds / 8) if rate else None
    return VariantLine(
        width,
        height,
        variant.frame_rate,
        variant.codecs,
        variant.bandwidth or None,
        variant.average_bandwidth,
        resolved.plan.estimated_bytes if chosen else estimated,
        chosen=chosen,
    )


def _track(rendition: Rendition, resolved: ResolvedSource) -> TrackLine:
    chosen = _brings(resolved, TrackKind.AUDIO) and resolved.choice is not None and resolved.choice.rendition is rendition
    return TrackLine(rendition.group, rendition.name, rendition.language, rendition.default, rendition.forced, chosen)


def _items(source: Source) -> tuple[ItemLine, ...]:
    lines = []
    for item, video in enumerate(source.videos, 1):
        width, height = video.size or (None, None)
        lines.append(ItemLine(item, width, height, video.seconds, chosen=item == source.item))
    return tuple(lines)
