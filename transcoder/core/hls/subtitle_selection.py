"""Selects a rendition of subtitles from a Multivariant Playlist."""

from transcoder.core.hls.playlist import MultivariantPlaylist, Rendition
from transcoder.errors import UnsupportedSourceError


def offered_subtitles(multivariant: MultivariantPlaylist | None) -> list[Rendition]:
    """Return the renditions of subtitles that have a playlist, each playlist once."""
    found: dict[str, Rendition] = {}
    for each in multivariant.renditions if multivariant else ():
        if each.kind == "SUBTITLES" and each.url:
            found.setdefault(each.url, each)
    return list(found.values())


def select_subtitles(multivariant: MultivariantPlaylist | None, *, language: str | None = None) -> Rendition:
    """Return the rendition in a language (`en` also matches `en-US`) or of that name; without one, the source's default.

    Among several, complete ones are preferred to forced ones, then the default, then those without special characteristics.

    Raises:
        UnsupportedSourceError: there is none.

    """
    offered = offered_subtitles(multivariant)
    if not offered:
        in_video = multivariant and any(each.kind == "CLOSED-CAPTIONS" for each in multivariant.renditions)
        raise UnsupportedSourceError(
            "The subtitles of the source are in its video (closed captions), which is not supported."
            if in_video
            else "The source has no subtitles."
        )
    matching = [each for each in offered if language is None or language.lower() in _names(each)]
    if not matching:
        names = sorted({f"{each.language} ({each.name})" if each.language else each.name for each in offered} - {""})
        available = f" It has: {', '.join(names)[:300]}." if names else ""
        raise UnsupportedSourceError(f"The source has no subtitles {(language or '')[:100]!r}.{available}")
    return max(matching, key=lambda each: _rank(each, language))


def selecting_name(rendition: Rendition, multivariant: MultivariantPlaylist) -> str | None:
    """Return the language or the name with which `select_subtitles` returns this rendition; None if neither does."""
    if rendition not in offered_subtitles(multivariant):
        return None
    names = [name for name in (rendition.language, rendition.name) if name]
    return next((name for name in names if select_subtitles(multivariant, language=name) == rendition), None)


def _names(rendition: Rendition) -> set[str]:
    language = (rendition.language or "").lower()
    return {language, language.partition("-")[0], rendition.name.lower()} - {""}


def _rank(rendition: Rendition, language: str | None) -> tuple[bool, ...]:
    exact = language is not None and language.lower() in {(rendition.language or "").lower(), rendition.name.lower()}
    return exact, not rendition.forced, rendition.default, rendition.autoselect, not rendition.characteristics
