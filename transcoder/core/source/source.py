"""The source of a job: before anything of it is fetched, and after its playlists have been read."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from transcoder.core.answer.file_names import title_from_url
from transcoder.core.answer.passthrough import FileHead, file_extension
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.hls.playlist import MultivariantPlaylist
from transcoder.core.hls.variant_selection import VariantChoice
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job

if TYPE_CHECKING:
    from transcoder.core.source.reddit import Image, Mp4Files, Video  # its code is for links to Reddit alone


class SourceKind(Enum):
    """The kind of address that a caller named."""

    ADDRESS = "address"
    """The address of a playlist or a file."""
    REDDIT = "reddit"
    BUCKET = "bucket"
    """The address of an object in S3."""


class Source(NamedTuple):
    """Where the video of a job is, and what is known about it without fetching it."""

    kind: SourceKind
    page: str
    """The web page where people see it, or else its address."""
    url: str | None
    """The playlist or the file; None if there is neither, only separate files of video and audio."""
    title: str | None = None
    subreddit: str | None = None
    posted: float | None = None
    """When it was posted, in seconds since 1970."""
    author: str | None = None
    over_18: bool | None = None
    """Whether its post is marked as for adults only; None: unknown."""
    thumbnail: Image | None = None
    poster: Image | None = None
    original: str | None = None
    """The address of the post whose video this is, if it is known to be another than `page`."""
    step: str | None = None
    """The step of the search on Reddit that named the video."""
    seconds: float | None = None
    videos: tuple[Video, ...] = ()
    """All videos of a Reddit post."""
    item: int = 1
    """Which of `videos` is selected, counted from 1."""

    @property
    def video(self) -> Video | None:
        """The selected one of `videos`."""
        return self.videos[self.item - 1] if self.videos else None

    @property
    def name(self) -> str:
        """Its title, or else a name from its address, with a number unless it is the first video of its post."""
        number = f" ({self.item})" if self.item > 1 else ""
        return (self.title or title_from_url(self.url or self.page)) + number


class ResolvedSource(NamedTuple):
    """A source whose playlists have been read."""

    plan: Plan
    multivariant: MultivariantPlaylist | None = None
    """None if the source has no variants to choose from."""
    choice: VariantChoice | None = None
    """The selected variant of `multivariant`."""
    file: FileHead | None = None
    """The file to pass through; the plan is empty then."""
    version: str = ""
    """What the origin says of the version of a source that is a file; a playlist says it itself."""

    @property
    def audio_language(self) -> str | None:
        """The language of its audio, if the playlist gives it."""
        return self.choice.rendition.language if self.choice and self.choice.rendition else None

    def extension(self, job: Job) -> str:
        """Return the file name extension of the output."""
        return file_extension(self.file) if self.file else job.format.value


def plan_mp4_files(files: Mp4Files, *, seconds: float | None = None) -> Plan:
    """Return the plan for two fragmented MP4 files, each as one segment that contains its own header.

    `seconds` is the duration to use if the files' manifest does not give it.
    """
    duration = files.seconds or seconds or 0.0
    addresses = [(TrackKind.VIDEO, files.video), *([(TrackKind.AUDIO, files.audio)] if files.audio else [])]
    tracks = tuple(Track(kind, (Segment(url, duration, 0.0, None, None, None),), duration) for kind, url in addresses)
    estimated = round(files.bandwidth * duration / 8) if files.bandwidth and duration else None
    return Plan((Period(tracks),), target_seconds=duration, estimated_bytes=estimated)
