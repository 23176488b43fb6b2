"""What an address turned out to be: before anything of it is fetched, and after its playlists are."""

from dataclasses import dataclass
from enum import Enum

from transcoder.core.answer.file_names import title_from_url
from transcoder.core.answer.passthrough import FileHead, file_extension
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.hls.playlist import Multivariant
from transcoder.core.hls.variant_selection import VariantChoice
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job
from transcoder.core.source.reddit import Mp4Files, Video


class SourceKind(Enum):
    """What sort of address a caller named."""

    ADDRESS = "address"
    """That of a playlist or a file."""
    REDDIT = "reddit"
    BUCKET = "bucket"
    """That of an object in S3."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the video of a job lies, and what is known of it from elsewhere."""

    kind: SourceKind
    page: str
    """Where people see it, as far as it is known."""
    url: str | None
    """The playlist or the file; None where there is neither, but files of picture and sound."""
    title: str | None = None
    subreddit: str | None = None
    posted: float | None = None
    """When it was posted, in seconds since 1970."""
    seconds: float | None = None
    videos: tuple[Video, ...] = ()
    """All the videos of a Reddit post."""
    item: int = 1
    """Which of them it is, counted from 1."""

    @property
    def video(self) -> Video | None:
        """The chosen one of `videos`."""
        return self.videos[self.item - 1] if self.videos else None

    @property
    def name(self) -> str:
        """What to call it: its title, with a number where it is not the first of its post, or what is telling in its address."""
        number = f" ({self.item})" if self.item > 1 else ""
        return (self.title or title_from_url(self.url or self.page)) + number


@dataclass(frozen=True, slots=True)
class ResolvedSource:
    """A source whose playlists have been read."""

    plan: Plan
    multivariant: Multivariant | None = None
    """None where the source offers no choice."""
    choice: VariantChoice | None = None
    """What was chosen of `multivariant`."""
    file: FileHead | None = None
    """A file that is passed on as it is; there is nothing to plan then."""

    def extension(self, job: Job) -> str:
        """Return the ending of the name of what is made."""
        return file_extension(self.file) if self.file else job.format.value


def plan_mp4_files(files: Mp4Files, *, seconds: float | None = None) -> Plan:
    """Plan the film of two fragmented MP4 files, each a segment that brings its own header; `seconds` where they do not tell."""
    length = files.seconds or seconds or 0.0
    named = [(TrackKind.VIDEO, files.picture), *([(TrackKind.AUDIO, files.sound)] if files.sound else [])]
    tracks = tuple(Track(kind, (Segment(url, length, 0.0, None, None, None),), length) for kind, url in named)
    estimated = round(files.bandwidth * length / 8) if files.bandwidth and length else None
    return Plan((Period(tracks),), target_seconds=length, estimated_bytes=estimated)
