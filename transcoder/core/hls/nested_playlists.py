"""Multivariant Playlists that another one names where it should name Media Playlists: what they list takes their place.

RFC 8216 does not provide for them, but some services put a list of one variant in front of the real one.
"""

from collections.abc import Mapping
from itertools import count

from transcoder.core.hls.playlist import MultivariantPlaylist, Rendition, TextEnd, Variant
from transcoder.core.hls.playlist.uris import without_query
from transcoder.core.hls.variant_selection import is_audio_only, select_audio
from transcoder.errors import UnsupportedSourceError

MAX_LEVELS = 2
"""So many levels of Multivariant Playlists may lie below the first one."""
MAX_NESTED_PLAYLISTS = 16
"""A job takes the variants of at most so many Multivariant Playlists below the first one."""
MAX_VARIANTS = 10_000
"""A playlist that has more variants than this, with those of the nested ones, is refused."""


def with_nested(outer: MultivariantPlaylist, named: str, inner: MultivariantPlaylist) -> MultivariantPlaylist:
    """Return `outer` with the variants and renditions of `inner`, which is the playlist of its variants with the address `named`.

    What an inner variant does not say of itself, the outer one says of it. An audio rendition with that address gets the best audio of
    `inner`, in its own language if `inner` has that.

    Raises:
        UnsupportedSourceError: the playlists are nested too deeply, or in a circle, or are too many.
        UpstreamError: a rendition needs `inner`, and its text is cut.

    """
    _check_nesting(outer, named, inner)
    renditions = tuple(_with_audio_of(inner, each) if each.url == named else each for each in outer.renditions)
    if all(variant.url != named for variant in outer.variants):
        return outer._replace(renditions=renditions, nested=outer.nested + 1)
    groups = _group_names(inner, taken={rendition.group for rendition in renditions})
    variants: list[Variant] = []
    for variant in outer.variants:
        variants += _completed(inner, variant, groups) if variant.url == named else [variant]
    return outer._replace(
        variants=tuple(variants),
        renditions=(*renditions, *(each._replace(group=groups[each.group]) for each in inner.renditions)),
        variables={**outer.variables, **inner.variables},
        text_end=inner.text_end if inner.text_end is TextEnd.CUT else outer.text_end,
        nested=outer.nested + 1,
    )


def _check_nesting(outer: MultivariantPlaylist, named: str, inner: MultivariantPlaylist) -> None:
    where = f"{without_query(outer.url)} leads to lists of variants where there should be lists of segments"
    variants = [variant for variant in outer.variants if variant.url == named]
    levels = [variant.level for variant in variants] + [rendition.level for rendition in outer.renditions if rendition.url == named]
    if max(levels, default=0) >= MAX_LEVELS:
        raise UnsupportedSourceError(f"{where}, more than {MAX_LEVELS} levels deep or in a circle.")
    if outer.nested >= MAX_NESTED_PLAYLISTS or len(outer.variants) + len(variants) * len(inner.variants) > MAX_VARIANTS:
        raise UnsupportedSourceError(f"{where}: too many of them.")


def _with_audio_of(inner: MultivariantPlaylist, rendition: Rendition) -> Rendition:
    """Return a rendition with the address of audio that its nested playlist lists."""
    return rendition._replace(url=select_audio(inner, language=rendition.language), level=rendition.level + 1)


def _group_names(inner: MultivariantPlaylist, *, taken: set[str]) -> Mapping[str, str]:
    """Return a name for each group of renditions that no other group has: groups are named for one playlist alone."""
    names: dict[str, str] = {}
    for group in dict.fromkeys(rendition.group for rendition in inner.renditions):
        name = next(each for number in count() if (each := f"{group}'{number}" if number else group) not in taken)
        names[group] = name
        taken.add(name)
    return names


def _completed(inner: MultivariantPlaylist, outer: Variant, groups: Mapping[str, str]) -> list[Variant]:
    """Return the variants of a nested playlist, with the attributes of the variant that names it where their own are missing."""
    return [
        _with_video_of(outer, variant, groups, shared=len(inner.variants) > 1)._replace(
            bandwidth=variant.bandwidth or (0 if variant.average_bandwidth else outer.bandwidth),
            average_bandwidth=variant.average_bandwidth or (None if variant.bandwidth else outer.average_bandwidth),
            codecs=variant.codecs or outer.codecs,
            subtitles_group=groups.get(variant.subtitles_group or "", variant.subtitles_group) or outer.subtitles_group,
            name=variant.name or outer.name,
            level=outer.level + 1,
        )
        for variant in inner.variants
    ]


def _with_video_of(outer: Variant, variant: Variant, groups: Mapping[str, str], *, shared: bool) -> Variant:
    """Return a variant with what the outer one says of its video and of the audio beside that; one of audio alone has neither."""
    audio_group = groups.get(variant.audio_group or "", variant.audio_group)
    if is_audio_only(variant):
        return variant._replace(audio_group=audio_group)
    return variant._replace(
        resolution=variant.resolution or outer.resolution,
        is_resolution_shared=shared and not variant.resolution,
        frame_rate=variant.frame_rate or outer.frame_rate,
        audio_group=audio_group or outer.audio_group,
    )
