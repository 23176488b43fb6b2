"""Fetches playlists, and asks once more before it believes one that may be cut."""

from collections.abc import Mapping
from dataclasses import replace

from transcoder.core.hls.agreement import find_shortfall, is_longer
from transcoder.core.hls.playlist import MediaPlaylist, MultivariantPlaylist, TextEnd, parse, require_media_playlist
from transcoder.core.hls.variant_selection import VariantChoice, sibling_playlists
from transcoder.core.media.streams import Medium
from transcoder.core.request.allowlist import ANY_HOST, check_host
from transcoder.edge.fetch import Fetcher
from transcoder.errors import UnsupportedSourceError, UpstreamError, UpstreamTimeoutError

_ATTEMPTS = 3
"""A playlist is asked for at most so many times until two texts agree."""


async def fetch_playlist(
    url: str, fetcher: Fetcher, *, imported: Mapping[str, str] | None = None, allowed: tuple[str, ...] = (ANY_HOST,)
) -> MultivariantPlaylist | MediaPlaylist:
    """Fetch and parse a playlist; one whose text does not say that it is whole is believed if the origin sends it twice.

    `imported` are the Multivariant Playlist's variables, `allowed` the hosts that it may redirect to.

    Raises:
        UpstreamError, UpstreamTimeoutError, NotAPlaylistError: as `Fetcher.playlist` does.
        ForbiddenSourceError: it redirects to a host that is not allowed.
        UnsupportedSourceError: it is not a playlist, twice.

    """
    previous: MultivariantPlaylist | MediaPlaylist | None = None
    for attempt in range(_ATTEMPTS):
        got = await fetcher.playlist(url)
        check_host(got.url, allowed)
        try:
            playlist = parse(got.text, got.url, imported=imported)
        except UnsupportedSourceError:
            if attempt:
                raise
            continue  # a proxy may have answered once with a page of its own
        if playlist.text_end is TextEnd.WHOLE or (previous is not None and _shape(playlist) == _shape(previous)):
            return playlist
        previous = playlist
    # Two texts without an end that differ: at least one of them is cut.
    assert previous is not None  # noqa: S101 - the second attempt raises or sets it
    return replace(previous, text_end=TextEnd.CUT)


async def fetch_media_playlist(url: str, multivariant: MultivariantPlaylist, fetcher: Fetcher) -> MediaPlaylist:
    """Fetch the playlist of a variant or a rendition. Raises what `fetch_playlist` does, also if it lists variants."""
    return require_media_playlist(await fetch_playlist(url, fetcher, imported=multivariant.variables))


async def refuse_lost_entries(
    video: MediaPlaylist, audio: MediaPlaylist, multivariant: MultivariantPlaylist, choice: VariantChoice, *, fetcher: Fetcher
) -> None:
    """Refuse a source if one of its two playlists has lost entries; where only their lengths differ, a third playlist is asked.

    Raises:
        UpstreamError: entries are missing.
        UnsupportedSourceError: the breaks of video and audio do not coincide.

    """
    shortfall = find_shortfall(video, audio)
    if shortfall is None:
        return
    if not shortfall.conclusive:
        shorter = video if shortfall.medium is Medium.VIDEO else audio
        for url in sibling_playlists(multivariant, choice, shortfall.medium)[:1]:
            try:
                sibling = await fetch_media_playlist(url, multivariant, fetcher)
            except (UpstreamError, UpstreamTimeoutError, UnsupportedSourceError):
                continue
            if not is_longer(sibling, shorter):
                return  # another list of the same medium is as short: so is the medium
    raise shortfall.error()


def _shape(playlist: MultivariantPlaylist | MediaPlaylist) -> tuple[object, ...]:
    """Return what two texts of the same playlist have in common; the addresses may be signed differently each time."""
    if isinstance(playlist, MediaPlaylist):
        return playlist.text_end, [segment.seconds for segment in playlist.segments]
    variants = [(variant.bandwidth, variant.resolution, variant.codecs) for variant in playlist.variants]
    return playlist.text_end, variants, [(each.kind, each.group, each.name) for each in playlist.renditions]
