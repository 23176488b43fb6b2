"""Selects a variant and its audio rendition from a Multivariant Playlist, with redundant variants to fail over to."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from transcoder.core.hls.codecs import AUDIO_CODECS
from transcoder.core.hls.playlist import MultivariantPlaylist, Rendition, TextEnd, Variant
from transcoder.core.hls.playlist.uris import without_query
from transcoder.core.media.streams import Medium
from transcoder.errors import UnsupportedSourceError, UpstreamError

_TEXT_CODECS = re.compile(r"(wvtt|stpp|tx3g)", re.IGNORECASE)
# What browsers play in an MP4: people watch the output there, and Dolby's and DTS's codecs are silent in most of them.
_BROWSER_AUDIO_CODECS = re.compile(r"(mp4a(?!\.a)|opus|flac|mp3)", re.IGNORECASE)
_DESCRIBES_VIDEO = "public.accessibility.describes-video"
# Dolby Vision without a base layer that other players understand: the colours are wrong.
_DOLBY_VISION_ONLY = re.compile(r"(dvh1|dvhe|dva1|dvav|dav1)", re.IGNORECASE)

MAX_CHOICES = 8
"""At most this many redundant variants are returned to fail over to, including the first."""


class VariantChoice(NamedTuple):
    """A selected variant: the Media Playlist of its video, and that of its audio if it is separate."""

    video: str
    """The variant's address; its segments contain the audio too if `audio` is None. For an audio-only variant, the audio's address."""
    audio: str | None
    variant: Variant
    rendition: Rendition | None

    @property
    def bandwidth(self) -> int | None:
        """Bits per second of video and audio, the average if the playlist gives it; None if it gives neither."""
        return bits_per_second(self.variant) or None


def select_variants(
    multivariant: MultivariantPlaylist, *, height: int | None = None, audio: str | None = None
) -> tuple[VariantChoice, ...]:
    """Return the best variant whose short side is at most `height` pixels, or the smallest if none is.

    It is followed by its redundant variants (equal bandwidth, resolution, frame rate and codecs), to fail over to in that order.
    `audio` is the language (`de`, `en-US`) or the name of an audio rendition.

    Raises:
        UnsupportedSourceError: there are no variants, or none with that audio.
        UpstreamError: the playlist's text is cut, so that the best variant may be missing.
    """
    if not multivariant.variants:
        raise UnsupportedSourceError("The playlist lists no variants.")
    if multivariant.text_end is TextEnd.CUT:
        raise UpstreamError(f"{without_query(multivariant.url)} is incomplete: the origin sent a text that ends in the middle of an entry.")
    variants = _variants_with_audio(multivariant, audio) if audio is not None else list(multivariant.variants)
    best = max(variants, key=_ranking(multivariant.variants, height))
    redundant = [variant for variant in variants if _redundancy_key(variant) == _redundancy_key(best)]
    redundant.sort(key=lambda variant: variant is not best)
    # Two variants may differ in an attribute that does not matter here and have the same two playlists.
    choices: dict[tuple[str, str | None], VariantChoice] = {}
    for choice in (_choice(multivariant, each, audio) for each in redundant[:MAX_CHOICES]):
        choices.setdefault((choice.video, choice.audio), choice)
    return tuple(choices.values())


def select_audio(multivariant: MultivariantPlaylist, *, language: str | None) -> str:
    """Return the address of the best audio, in that language if it is there; its segments may contain video, too.

    Raises:
        UnsupportedSourceError, UpstreamError: as `select_variants` does.
    """
    is_there = any(each.kind == "AUDIO" and language and _matches_audio(each, language) for each in multivariant.renditions)
    choice = select_variants(multivariant, audio=language if is_there else None)[0]
    return choice.audio or choice.video


def sibling_playlists(multivariant: MultivariantPlaylist, choice: VariantChoice, medium: Medium) -> list[str]:
    """Return the addresses of the other playlists that have the same video, or the same audio, as the choice, the most similar first."""
    if medium is Medium.VIDEO:
        siblings = [variant.url for variant in multivariant.variants if not is_audio_only(variant)]
        return [url for url in dict.fromkeys(siblings) if url != choice.video]
    chosen = choice.rendition
    renditions = [each for each in multivariant.renditions if each.kind == "AUDIO" and each.url not in {None, choice.audio, choice.video}]
    renditions.sort(key=lambda each: chosen is None or (each.language, each.name) != (chosen.language, chosen.name))
    return [each.url for each in renditions if each.url is not None]


def within_bandwidth(multivariant: MultivariantPlaylist, *, limit: int) -> MultivariantPlaylist:
    """Return the playlist without the variants that exceed `limit` bits per second or do not give their bandwidth."""
    return multivariant._replace(variants=tuple(each for each in multivariant.variants if 0 < bits_per_second(each) <= limit))


def bits_per_second(variant: Variant) -> int:
    """Return the bits per second of video and audio, the average if the playlist gives it; 0 if it gives neither."""
    return variant.average_bandwidth or variant.bandwidth


def is_audio_only(variant: Variant) -> bool:
    """Whether the variant declares audio and no video."""
    return variant.resolution is None and bool(variant.codecs) and all(AUDIO_CODECS.match(codec) for codec in variant.codecs)


def _redundancy_key(variant: Variant) -> tuple[object, ...]:
    """Return the attributes that redundant variants have in common (RFC 8216, 6.2.4)."""
    return variant.bandwidth, variant.average_bandwidth, variant.resolution, variant.frame_rate, variant.codecs


def _ranking(variants: Iterable[Variant], height: int | None) -> Callable[[Variant], tuple[int, ...]]:
    """Return a sort key for these variants: the larger, the better."""
    # The same video is listed once for each audio group; the lowest bandwidth among them is closest to that of the video.
    video_bandwidth: dict[str, int] = {}
    for variant in variants:
        video_bandwidth[variant.url] = min(variant.bandwidth, video_bandwidth.get(variant.url, variant.bandwidth))

    def rank(variant: Variant) -> tuple[int, ...]:
        side = variant.short_side or 0
        fits = height is None or side <= height
        return (
            not variant.codecs or not all(_TEXT_CODECS.match(codec) for codec in variant.codecs),
            not is_audio_only(variant),
            not any(_DOLBY_VISION_ONLY.match(codec) for codec in variant.codecs),
            side > 0,
            fits,
            side if fits else -side,
            all(_BROWSER_AUDIO_CODECS.match(codec) for codec in variant.codecs if AUDIO_CODECS.match(codec)),
            video_bandwidth[variant.url],
            variant.bandwidth,
        )

    return rank


def _variants_with_audio(multivariant: MultivariantPlaylist, language_or_name: str) -> list[Variant]:
    """Return the variants whose audio group has a rendition of that language or name."""
    renditions = [rendition for rendition in multivariant.renditions if rendition.kind == "AUDIO"]
    groups = {rendition.group for rendition in renditions if _matches_audio(rendition, language_or_name)}
    variants = [variant for variant in multivariant.variants if variant.audio_group in groups]
    if not variants:
        names = sorted({f"{each.language} ({each.name})" if each.language else each.name for each in renditions} - {""})
        available = f" It has: {', '.join(names)[:300]}." if names else ""
        raise UnsupportedSourceError(f"The source has no audio {language_or_name[:100]!r}.{available}")
    return variants


def _matches_audio(rendition: Rendition, language_or_name: str) -> bool:
    """Compare with language and name, ignoring case; `en` also matches `en-US`."""
    language = (rendition.language or "").lower()
    return language_or_name.lower() in {language, language.partition("-")[0], rendition.name.lower()}


def _choice(multivariant: MultivariantPlaylist, variant: Variant, audio: str | None) -> VariantChoice:
    """Select the audio rendition for a variant.

    In its audio group, the order of preference is: matches `audio`, no audio description, default, autoselect, no special characteristics,
    most channels.
    """
    group = [each for each in multivariant.renditions if each.kind == "AUDIO" and each.group == variant.audio_group]
    if variant.audio_group is None or not group:
        return VariantChoice(variant.url, None, variant, None)
    rendition = max(
        group,
        key=lambda each: (
            audio is not None and _matches_audio(each, audio),
            # "en" matches "en-US", but an exact match is better.
            audio is not None and audio.lower() in {(each.language or "").lower(), each.name.lower()},
            _DESCRIBES_VIDEO not in each.characteristics,
            each.default,
            each.autoselect,
            not each.characteristics,
            each.channels or 0,
        ),
    )
    if rendition.url is None or rendition.url == variant.url:
        return VariantChoice(variant.url, None, variant, rendition)
    if is_audio_only(variant):
        return VariantChoice(rendition.url if audio is not None else variant.url, None, variant, rendition)
    return VariantChoice(variant.url, rendition.url, variant, rendition)
