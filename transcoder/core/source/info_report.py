"""The `/info` report: available variants and renditions, the selected ones, estimated size and duration."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from transcoder.core.answer.lambda_cost import download_cost, lambda_seconds
from transcoder.core.hls.codecs import audio_to_reencode, is_audio
from transcoder.core.hls.plan import Plan
from transcoder.core.hls.playlist import MultivariantPlaylist, Rendition, Variant
from transcoder.core.hls.subtitle_selection import offered_subtitles, selecting_name
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.output_format import AudioMode, FileFormat
from transcoder.core.source.reddit import Image
from transcoder.core.source.source import ResolvedSource, Source, SourceKind


@dataclass(frozen=True, slots=True)
class VariantInfo:
    """One available variant."""

    width: int | None
    height: int | None
    frame_rate: float | None
    codecs: tuple[str, ...]
    bandwidth: int | None
    """Peak bits per second, audio included."""
    average_bandwidth: int | None
    estimated_bytes: int | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class RenditionInfo:
    """One available audio rendition."""

    group: str
    name: str
    language: str | None
    default: bool
    forced: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class SubtitleInfo:
    """One available rendition of subtitles."""

    group: str
    name: str
    language: str | None
    default: bool
    forced: bool
    select: str | None
    """The value of `language` with which `/subtitles` sends it; None: it cannot be sent, because it is in the video (closed captions)."""
    download: str | None = None
    """The address of its text, relative to that of the report."""
    chosen: bool = False
    """Never: no output contains subtitles."""


@dataclass(frozen=True, slots=True)
class ItemInfo:
    """One of several videos of a post."""

    item: int
    width: int | None
    height: int | None
    seconds: float | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that applies to the output."""

    name: str
    value: int
    unit: str
    kept: bool | None
    """Whether the output is within the limit; None: unknown in advance."""


@dataclass(frozen=True, slots=True)
class InfoReport:
    """The whole report; the field names are those of the JSON document."""

    kind: str
    """reddit, hls for a playlist's address, or file for a file that is passed through."""
    page: str
    title: str | None
    subreddit: str | None
    author: str | None
    posted: str | None
    """When it was posted (RFC 3339)."""
    over_18: bool | None
    """Whether the post is marked as for adults only; None: unknown."""
    thumbnail: Image | None
    poster: Image | None
    step: str | None
    """The step of the search on Reddit that named the video."""
    silent: bool | None
    """Whether the source has no audio; None: unknown."""
    seconds: float | None
    """The duration of the output by its playlist, since no segment is fetched; None: a file that is passed through."""
    items: tuple[ItemInfo, ...]
    variants: tuple[VariantInfo, ...]
    audio: tuple[RenditionInfo, ...]
    subtitles: tuple[SubtitleInfo, ...]
    file_name: str
    estimated_bytes: int | None
    estimated_seconds_on_lambda: float | None
    """For sending alone; it takes longer if the origin is slower."""
    estimated_dollars_on_aws: float | None
    """What one download costs by list prices, with the stack's memory and CloudFront, and without re-encoding (docs/operating.md)."""
    limits: tuple[Limit, ...]
    audio_reencoded: str | None = None
    """The codec of audio that `/download` re-encodes, because MP4 cannot hold it; None: none is, or CODECS does not say so."""
    download: str | None = None
    """The address of the output, relative to that of the report."""

    def document(self) -> dict[str, object]:
        """Return the report as an object that can be serialized to JSON."""
        return asdict(self)


def make_report(source: Source, resolved: ResolvedSource, *, file_name: str, response_limit: int) -> InfoReport:
    """Return the report on a source whose playlists have been read."""
    fetched = resolved.plan.seconds
    estimated = resolved.plan.estimated_bytes
    multivariant = resolved.multivariant
    renditions = multivariant.renditions if multivariant else ()
    return InfoReport(
        kind="reddit" if source.kind is SourceKind.REDDIT else "file" if resolved.file else "hls",
        page=source.page,
        title=source.title,
        subreddit=source.subreddit,
        author=source.author,
        posted=None if source.posted is None else datetime.fromtimestamp(source.posted, UTC).isoformat(timespec="seconds"),
        over_18=source.over_18,
        thumbnail=source.thumbnail,
        poster=source.poster,
        step=source.step,
        silent=_is_silent(source, resolved),
        seconds=None if resolved.file else round(resolved.plan.output_seconds, 3),
        items=_items(source),
        variants=tuple(_variant(each, resolved, fetched) for each in multivariant.variants) if multivariant else (),
        audio=tuple(_rendition(each, resolved) for each in renditions if each.kind == "AUDIO"),
        subtitles=_subtitles(multivariant) if multivariant else (),
        file_name=file_name,
        estimated_bytes=estimated,
        estimated_seconds_on_lambda=None if estimated is None else round(lambda_seconds(estimated), 1),
        estimated_dollars_on_aws=None if estimated is None else _dollars(estimated, resolved.plan),
        limits=(Limit("response_limit", response_limit, "bytes", None if estimated is None else estimated <= response_limit),),
        audio_reencoded=_audio_reencoded(resolved),
    )


def _dollars(size: int, plan: Plan) -> float:
    segments = (segment for period in plan.periods for track in period.tracks for segment in track.segments)
    return round(download_cost(size, fragmented=any(segment.init for segment in segments)).total, 7)


def _audio_reencoded(resolved: ResolvedSource) -> str | None:
    output_format = resolved.plan.output_format
    is_copied = output_format.format is FileFormat.MP4 and output_format.audio_mode is AudioMode.AUTO and not resolved.file
    if not is_copied or not resolved.choice or not _has(resolved, TrackKind.AUDIO):
        return None
    return audio_to_reencode(resolved.choice.variant.codecs)


def _has(resolved: ResolvedSource, kind: TrackKind) -> bool:
    """Whether the output has media of this kind."""
    return any(track.kind in {kind, TrackKind.BOTH} for period in resolved.plan.periods for track in period.tracks)


def _is_silent(source: Source, resolved: ResolvedSource) -> bool | None:
    """Tell whether the source has no audio, by what Reddit says and by the playlists: no group of audio, and no codec of it."""
    if resolved.choice and resolved.multivariant:
        if any(each.kind == "AUDIO" for each in resolved.multivariant.renditions):
            return False
        codecs = resolved.choice.variant.codecs
        return not any(is_audio(codec) for codec in codecs) if codecs else None
    return source.video.silent if source.video else None


def _variant(variant: Variant, resolved: ResolvedSource, seconds: float) -> VariantInfo:
    width, height = variant.resolution or (None, None)
    rate = variant.average_bandwidth or variant.bandwidth
    uses_variant = _has(resolved, TrackKind.VIDEO) or not (resolved.choice and resolved.choice.rendition)
    chosen = uses_variant and resolved.choice is not None and resolved.choice.variant is variant
    estimated = round(rate * seconds / 8) if rate else None
    return VariantInfo(
        width,
        height,
        variant.frame_rate,
        variant.codecs,
        variant.bandwidth or None,
        variant.average_bandwidth,
        resolved.plan.estimated_bytes if chosen else estimated,
        chosen=chosen,
    )


def _rendition(rendition: Rendition, resolved: ResolvedSource) -> RenditionInfo:
    chosen = _has(resolved, TrackKind.AUDIO) and resolved.choice is not None and resolved.choice.rendition is rendition
    return RenditionInfo(rendition.group, rendition.name, rendition.language, rendition.default, rendition.forced, chosen)


def _subtitles(multivariant: MultivariantPlaylist) -> tuple[SubtitleInfo, ...]:
    renditions = [*offered_subtitles(multivariant), *(each for each in multivariant.renditions if each.kind == "CLOSED-CAPTIONS")]
    return tuple(
        SubtitleInfo(each.group, each.name, each.language, each.default, each.forced, selecting_name(each, multivariant))
        for each in renditions
    )


def _items(source: Source) -> tuple[ItemInfo, ...]:
    items = []
    for item, video in enumerate(source.videos, 1):
        width, height = video.size or (None, None)
        items.append(ItemInfo(item, width, height, video.seconds, chosen=item == source.item))
    return tuple(items)
