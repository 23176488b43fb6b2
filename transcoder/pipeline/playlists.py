"""Fetches playlists, and asks once more before it believes one that may be cut."""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from transcoder.core.hls.agreement import (
    Evidence,
    address_after_last_segment,
    byte_after_last_segment,
    find_shortfall,
    is_longer,
    skips_segments,
)
from transcoder.core.hls.playlist import MediaPlaylist, MultivariantPlaylist, TextEnd, parse, require_media_playlist
from transcoder.core.hls.variant_selection import VariantChoice, sibling_playlists
from transcoder.core.media.streams import Medium
from transcoder.core.media.text import TEXT_BYTES, is_text
from transcoder.core.request.allowlist import ANY_HOST, check_host
from transcoder.edge.fetch import Fetcher, NotAPlaylistError, PlaylistText
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import UnsupportedSourceError, UpstreamError, UpstreamTimeoutError, single_error

Playlist = MultivariantPlaylist | MediaPlaylist

_MORE_ATTEMPTS = 2
"""A playlist that may be cut, or is none, is asked for so many more times before it is believed."""


async def fetch_playlist(
    url: str, fetcher: Fetcher, *, imported: Mapping[str, str] | None = None, allowed: tuple[str, ...] = (ANY_HOST,)
) -> Playlist:
    """Fetch and parse a playlist; one whose text does not say that it is whole, or that skips segments, is asked for again.

    `imported` are the Multivariant Playlist's variables, `allowed` the hosts that it may redirect to.

    Raises:
        UpstreamError, UpstreamTimeoutError, NotAPlaylistError: as `Fetcher.playlist` does.
        ForbiddenSourceError: it redirects to a host that is not allowed.
        UnsupportedSourceError: it is not a playlist, each time.
    """
    texts = _Texts(imported)

    async def attempt() -> Playlist:
        found = await texts.parsed(fetcher.playlist(url), allowed)
        if isinstance(found, UnsupportedSourceError):
            raise found
        return found

    return await _believable(await _parsable(attempt), attempt, fetcher)


class _Texts:
    """The texts that an origin sends for one playlist: the same one is parsed once."""

    def __init__(self, imported: Mapping[str, str] | None) -> None:
        self._imported = imported
        self._known: dict[tuple[str, bytes], Playlist | UnsupportedSourceError] = {}
        """What the newest text is, by its address and digest."""

    async def parsed(self, fetched: Awaitable[PlaylistText], allowed: tuple[str, ...]) -> Playlist | UnsupportedSourceError:
        """Return the playlist that is fetched, or why it cannot be read. That is not raised here, so that no traceback keeps the text."""
        got = await fetched
        check_host(got.url, allowed)
        text = got.url, hashlib.sha256(got.body).digest()
        if text not in self._known:
            self._known.clear()
            self._known[text] = self._parse(got)
        return self._known[text]

    def _parse(self, got: PlaylistText) -> Playlist | UnsupportedSourceError:
        try:
            return parse(got.body, got.url, imported=self._imported)
        except UnsupportedSourceError as error:
            return UnsupportedSourceError(str(error))  # another one: through its traceback, this one would keep the text in memory


async def _parsable(attempt: Callable[[], Awaitable[Playlist]]) -> Playlist:
    """Return the first playlist that is one: a proxy may have answered with a page of its own."""
    for _ in range(_MORE_ATTEMPTS):
        try:
            return await attempt()
        except NotAPlaylistError:
            raise  # a file, not a broken text: its first bytes are not fetched again
        except UnsupportedSourceError:
            continue
    return await attempt()


async def _believable(playlist: Playlist, attempt: Callable[[], Awaitable[Playlist]], fetcher: Fetcher) -> Playlist:
    """Return the playlist if it has its end and skips nothing, or as it is if further attempts give the same one."""
    previous = playlist
    for _ in range(_MORE_ATTEMPTS):
        if playlist.text_end is TextEnd.WHOLE and not (isinstance(playlist, MediaPlaylist) and skips_segments(playlist)):
            return playlist
        previous, playlist = playlist, await attempt()
    if playlist.text_end is TextEnd.WHOLE:
        return playlist
    if _shape(playlist) == _shape(previous) and not await _lacks_media(playlist, fetcher):
        return playlist
    return playlist._replace(text_end=TextEnd.CUT)


class VariantFetcher(NamedTuple):
    """Fetches the Media Playlists of a variant, and compares them."""

    multivariant: MultivariantPlaylist
    choice: VariantChoice
    fetcher: Fetcher

    async def playlists(self, video_url: str, audio_url: str | None) -> tuple[MediaPlaylist, MediaPlaylist | None]:
        """Fetch the playlists of the video and, if it has an address, of the separate audio.

        If one of them seems to have lost entries, it is fetched again. Where only their lengths differ, another list of the same
        medium decides.

        Raises:
            UpstreamError: entries are missing.
            UpstreamError, UpstreamTimeoutError, UnsupportedSourceError: as `fetch_playlist` does.
            NestedPlaylistError: one of them is a Multivariant Playlist.
            UnsupportedSourceError: the breaks of video and audio do not coincide.

        """
        if audio_url is None:
            return await self._fetch(video_url), None
        with single_error():
            async with TaskGroup() as tasks:
                first_tasks = [tasks.create_task(self._fetch(url)) for url in (video_url, audio_url)]
        video, audio = (task.result() for task in first_tasks)
        for _ in range(_MORE_ATTEMPTS):
            shortfall = find_shortfall(video, audio)
            if shortfall is None:
                return video, audio
            if shortfall.medium is Medium.VIDEO:
                video = await self._fetch(video_url)
            else:
                audio = await self._fetch(audio_url)
        await self._refuse_lost_entries(video, audio)
        return video, audio

    async def _refuse_lost_entries(self, video: MediaPlaylist, audio: MediaPlaylist) -> None:
        shortfall = find_shortfall(video, audio)
        if shortfall is None:
            return
        shorter = video if shortfall.medium is Medium.VIDEO else audio
        has_lost_entries = shortfall.evidence is not Evidence.SLIGHT
        if shortfall.evidence is not Evidence.CONCLUSIVE:
            if sibling := await self._sibling(shortfall.medium):
                has_lost_entries = is_longer(sibling, shorter, shortfall=shortfall)
            else:
                has_lost_entries = has_lost_entries or await _has_unlisted_media(shorter, self.fetcher)
        if has_lost_entries:
            raise shortfall.error()

    async def _sibling(self, medium: Medium) -> MediaPlaylist | None:
        """Fetch another playlist of the same medium; None if there is none that can be had."""
        for url in sibling_playlists(self.multivariant, self.choice, medium)[:1]:
            with suppress(UpstreamError, UpstreamTimeoutError, UnsupportedSourceError):
                return await self._fetch(url)
        return None

    async def _fetch(self, url: str) -> MediaPlaylist:
        return require_media_playlist(await fetch_playlist(url, self.fetcher, imported=self.multivariant.variables), named=url)


async def _lacks_media(playlist: Playlist, fetcher: Fetcher) -> bool:
    """Return whether a playlist of all that there is ends before the media of its origin does."""
    return isinstance(playlist, MediaPlaylist) and playlist.kind == "VOD" and await _has_unlisted_media(playlist, fetcher)


async def _has_unlisted_media(playlist: MediaPlaylist, fetcher: Fetcher) -> bool:
    """Return whether there is another segment after the last one: in the file of its byte range, or at the address that follows."""
    try:
        if byte := byte_after_last_segment(playlist):
            return bool(await fetcher.first_bytes(*byte, size=1, guessed=True))
        following = address_after_last_segment(playlist)
        first = await fetcher.first_bytes(following, size=TEXT_BYTES, guessed=True) if following else b""
        return bool(first) and not is_text(first)
    except (UpstreamError, UpstreamTimeoutError, UnsupportedSourceError):
        return False  # there is none; if the file of byte ranges is missing, fetching its segments says so


def _shape(playlist: Playlist) -> tuple[object, ...]:
    """Return what two texts of the same playlist have in common; addresses may be signed differently, and variants listed in any order."""
    if isinstance(playlist, MediaPlaylist):
        return playlist.text_end, [segment.seconds for segment in playlist.segments]
    variants = Counter((variant.bandwidth, variant.resolution, variant.codecs) for variant in playlist.variants)
    return playlist.text_end, variants, Counter((each.kind, each.group, each.name) for each in playlist.renditions)
