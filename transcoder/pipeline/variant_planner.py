"""Plans the best variant of a Multivariant Playlist that fits and is available, also where playlists are nested."""

from contextlib import suppress

from transcoder.core.hls.nested_playlists import with_nested
from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MultivariantPlaylist, NestedPlaylistError, Variant
from transcoder.core.hls.variant_selection import VariantChoice, is_audio_only, select_variants, within_bandwidth
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import FileFormat
from transcoder.core.source.selection import oversize_factor, select, too_large_error
from transcoder.core.source.source import ResolvedSource
from transcoder.edge.fetch import Fetcher
from transcoder.errors import UnsupportedSourceError, UpstreamError, UpstreamTimeoutError
from transcoder.pipeline.playlists import VariantFetcher


class VariantPlanner:
    """Plans a variant of a Multivariant Playlist for a job; the variants of nested playlists take the place of those that name them."""

    def __init__(self, multivariant: MultivariantPlaylist, job: Job, fetcher: Fetcher) -> None:
        """Fetch the playlists of the variants with `fetcher`."""
        self.multivariant = multivariant
        self.job = job
        self.fetcher = fetcher
        self._failed: set[Variant] = set()
        """Variants whose playlists cannot be had, and for which there are redundant ones."""

    async def best_that_fits(self) -> ResolvedSource:
        """Plan the best variant whose output fits into the size that the job allows.

        Raises:
            UpstreamError, UpstreamTimeoutError: its playlists cannot be fetched, or are cut.
            UnsupportedSourceError: there is no such variant, or none that can become an MP4, or playlists are nested too deeply.
            TooLargeError: no variant fits.

        """
        resolved = await self._best_available(limit=None)
        while (limit := self._smaller_rate(resolved)) is not None:
            resolved = await self._best_available(limit=limit, instead_of=resolved)
        return resolved

    def _smaller_rate(self, resolved: ResolvedSource) -> int | None:
        """Return how many bits per second a variant may have to fit where this one does not; None if it fits."""
        over = 0.0 if self.job.fit is None else oversize_factor(resolved.plan, self.job.fit)
        if not over or resolved.choice is None:
            return None
        rate = resolved.choice.bandwidth or 0
        return min(int(rate / over), rate - 1)

    async def _best_available(self, *, limit: int | None, instead_of: ResolvedSource | None = None) -> ResolvedSource:
        """Plan the best variant that does not exceed `limit` bits per second."""
        while True:
            variants = tuple(each for each in self.multivariant.variants if each not in self._failed)
            offered = self.multivariant._replace(variants=variants)
            if limit is not None:
                offered = within_bandwidth(offered, limit=limit)
            if instead_of and self.job.fit is not None and (not offered.variants or self.job.format is FileFormat.MP3):
                raise too_large_error(instead_of.plan, self.job.fit, self.multivariant)
            try:
                return await self._plan_first_available(await self._choices(offered))
            except NestedPlaylistError as found:
                self.multivariant = with_nested(self.multivariant, found.named, found.playlist)

    async def _choices(self, offered: MultivariantPlaylist) -> tuple[VariantChoice, ...]:
        """Select from what is offered; before the audio that the job names is missing, look for a nested playlist that may have it."""
        try:
            return select_variants(offered, height=self.job.height, audio=self.job.audio)
        except UnsupportedSourceError:
            if self.job.audio is None:
                raise
            best = select_variants(offered, height=self.job.height)[0]
            with suppress(UpstreamError, UpstreamTimeoutError):
                await VariantFetcher(self.multivariant, best, self.fetcher).playlists(best.video, None)
            raise

    async def _plan_first_available(self, choices: tuple[VariantChoice, ...]) -> ResolvedSource:
        for choice in choices[:-1]:
            try:
                return await self._plan(choice)
            except (UpstreamError, UpstreamTimeoutError):
                # Redundant variants are there for this (RFC 8216, 6.2.4); the caller hears of the last one's failure.
                self._failed.add(choice.variant)
        return await self._plan(choices[-1])

    async def _plan(self, choice: VariantChoice) -> ResolvedSource:
        """Fetch the playlists of the media that the job wants, no others, and plan them."""
        job, variant = self.job, choice.variant
        video_url, audio_url, kind = choice.video, choice.audio, TrackKind.BOTH
        if audio_url is not None and job.kind is TrackKind.AUDIO:
            video_url, audio_url, kind = audio_url, None, TrackKind.AUDIO
        elif job.kind is TrackKind.VIDEO:
            audio_url = None
        video, audio = await VariantFetcher(self.multivariant, choice, self.fetcher).playlists(video_url, audio_url)
        # A variant does not say how much of its bandwidth is audio.
        bandwidth = None if job.kind is TrackKind.AUDIO and not is_audio_only(variant) else choice.bandwidth
        plan = make_plan(video, audio, bandwidth=bandwidth, kind=kind)
        # A separate playlist is probed for audio of its own; without one, the variant's segments must contain what it names.
        names_audio = variant.audio_group is not None and audio_url is None and job.kind is TrackKind.BOTH
        resolution = None if variant.is_resolution_shared else variant.resolution
        others = frozenset(each.resolution for each in self.multivariant.variants if each.resolution and each.resolution != resolution)
        planned = select(plan, job)._replace(names_audio=names_audio, resolution=resolution, other_resolutions=others)
        return ResolvedSource(planned, self.multivariant, choice)
