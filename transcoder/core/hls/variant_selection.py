"""A Multivariant Playlist and a wish → the variant and the sound to take, and what to fail over to."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from transcoder.core.hls.playlist import Multivariant, Rendition, Variant
from transcoder.errors import UnsupportedSourceError

_SOUND = re.compile(r"(mp4a|ac-3|ec-3|ac-4|opus|flac|mp3|vorbis|alac|dts|iamf|mhm|mha|samr)", re.IGNORECASE)
_TEXT = re.compile(r"(wvtt|stpp|tx3g)", re.IGNORECASE)
# What browsers play inside an MP4: the film is made to be watched there, and Dolby's and DTS's codecs are silent in most of them.
_PLAYS_EVERYWHERE = re.compile(r"(mp4a(?!\.a)|opus|flac|mp3)", re.IGNORECASE)
# Dolby Vision without a base layer that other players understand: the colours are wrong.
_DOLBY_VISION_ONLY = re.compile(r"(dvh1|dvhe|dva1|dvav|dav1)", re.IGNORECASE)

MAX_CHOICES = 8
"""So many variants of a kind are offered to fail over to, the first included."""


@dataclass(frozen=True, slots=True)
class VariantChoice:
    """What to take: the Media Playlist of the picture, and that of the sound where it is apart."""

    video: str
    """The variant's address; it brings the sound too where `audio` is None. Of an audio-only variant, the sound's address."""
    audio: str | None
    variant: Variant
    rendition: Rendition | None

    @property
    def bandwidth(self) -> int | None:
        """Bits per second of picture and sound, the average where it is told."""
        return bits_per_second(self.variant) or None


def select_variants(multivariant: Multivariant, *, height: int | None = None, audio: str | None = None) -> tuple[VariantChoice, ...]:
    """Pick the best variant whose short side is at most `height` pixels, or the smallest if none is; the best comes first.

    What follows are variants of the same kind (equal bandwidth, resolution, frame rate, codecs), to fail over to in that order.
    `audio` is the language (`de`, `en-US`) or the name of the sound that is wanted.

    Raises:
        UnsupportedSourceError: there are no variants, or no sound as wanted.
    """
    if not multivariant.variants:
        raise UnsupportedSourceError("The playlist names no variants.")
    variants = _with_sound(multivariant, audio) if audio is not None else list(multivariant.variants)
    best = max(variants, key=_ranking(multivariant.variants, height))
    alike = [variant for variant in variants if _kind(variant) == _kind(best)]
    alike.sort(key=lambda variant: variant is not best)
    # Two variants may differ in something that is of no use here and lead to the same two playlists.
    choices: dict[tuple[str, str | None], VariantChoice] = {}
    for choice in (_choice(multivariant, each, audio) for each in alike[:MAX_CHOICES]):
        choices.setdefault((choice.video, choice.audio), choice)
    return tuple(choices.values())


def without(multivariant: Multivariant, *, above: int) -> Multivariant:
    """Return the playlist without the variants that have more bits per second than `above`, or do not tell."""
    return replace(multivariant, variants=tuple(each for each in multivariant.variants if 0 < bits_per_second(each) <= above))


def bits_per_second(variant: Variant) -> int:
    """Return the bits per second of picture and sound, the average where it is told; 0 if nothing is."""
    return variant.average_bandwidth or variant.bandwidth


def is_audio_only(variant: Variant) -> bool:
    """Tell whether the variant says that it has sound and no picture."""
    return variant.resolution is None and bool(variant.codecs) and all(_SOUND.match(codec) for codec in variant.codecs)


def _kind(variant: Variant) -> tuple[object, ...]:
    """Collect what redundant variants have in common (RFC 8216, 6.2.4)."""
    return variant.bandwidth, variant.average_bandwidth, variant.resolution, variant.frame_rate, variant.codecs


def _ranking(variants: Iterable[Variant], height: int | None) -> Callable[[Variant], tuple[int, ...]]:
    """Make what ranks these variants: the larger, the better."""
    # The same picture is listed once for each audio group; the least bandwidth of them tells most about the picture.
    picture: dict[str, int] = {}
    for variant in variants:
        picture[variant.url] = min(variant.bandwidth, picture.get(variant.url, variant.bandwidth))

    def rank(variant: Variant) -> tuple[int, ...]:
        side = variant.short_side or 0
        fits = height is None or side <= height
        return (
            not variant.codecs or not all(_TEXT.match(codec) for codec in variant.codecs),
            not is_audio_only(variant),
            not any(_DOLBY_VISION_ONLY.match(codec) for codec in variant.codecs),
            side > 0,
            fits,
            side if fits else -side,
            all(_PLAYS_EVERYWHERE.match(codec) for codec in variant.codecs if _SOUND.match(codec)),
            picture[variant.url],
            variant.bandwidth,
        )

    return rank


def _with_sound(multivariant: Multivariant, wanted: str) -> list[Variant]:
    """Keep the variants that come with the sound that is wanted."""
    sounds = [rendition for rendition in multivariant.renditions if rendition.kind == "AUDIO"]
    groups = {rendition.group for rendition in sounds if _is_wanted(rendition, wanted)}
    variants = [variant for variant in multivariant.variants if variant.audio_group in groups]
    if not variants:
        names = sorted({f"{each.language} ({each.name})" if each.language else each.name for each in sounds} - {""})
        told = f" It has: {', '.join(names)[:300]}." if names else ""
        raise UnsupportedSourceError(f"The source names no sound {wanted[:100]!r}.{told}")
    return variants


def _is_wanted(rendition: Rendition, wanted: str) -> bool:
    """Compare language (`en` also means `en-US`) and name, in any letters."""
    language, wish = (rendition.language or "").lower(), wanted.lower()
    return wish in {language, language.partition("-")[0], rendition.name.lower()}


def _choice(multivariant: Multivariant, variant: Variant, wanted: str | None) -> VariantChoice:
    """Find the sound of a variant: of its audio group, the wanted, default, selectable, for everybody, of most channels."""
    group = [each for each in multivariant.renditions if each.kind == "AUDIO" and each.group == variant.audio_group]
    if variant.audio_group is None or not group:
        return VariantChoice(variant.url, None, variant, None)
    rendition = max(
        group,
        key=lambda each: (
            wanted is not None and _is_wanted(each, wanted),
            # "en" for "en-US" is good, the very words are better.
            wanted is not None and wanted.lower() in {(each.language or "").lower(), each.name.lower()},
            each.default,
            each.autoselect,
            not each.characteristics,
            each.channels or 0,
        ),
    )
    if rendition.url is None or rendition.url == variant.url:
        return VariantChoice(variant.url, None, variant, rendition)
    if is_audio_only(variant):
        return VariantChoice(rendition.url if wanted is not None else variant.url, None, variant, rendition)
    return VariantChoice(variant.url, rendition.url, variant, rendition)
