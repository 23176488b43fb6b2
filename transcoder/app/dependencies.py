"""What the routes depend on, shared by all requests of one execution environment."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from transcoder.app.answer import Answer
from transcoder.app.signed_links import SignedLinks
from transcoder.core.hls.plan import Plan
from transcoder.core.output.labels import Labels
from transcoder.core.request.job import Job
from transcoder.core.source.source import Source
from transcoder.edge.fetch import Connections, Fetcher
from transcoder.edge.ffmpeg import Program
from transcoder.pipeline import Sink, transcode
from transcoder.pipeline.index_cache import IndexCache
from transcoder.pipeline.index_store import IndexStore
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import Settings

if TYPE_CHECKING:
    from transcoder.pipeline.stored_file import FileStore


class Dependencies(NamedTuple):
    """What one execution environment keeps from one request to the next."""

    settings: Settings
    ffmpeg_path: str
    resolver: Resolver
    signed_links: SignedLinks
    connections: Connections
    clock: Callable[[], float]
    """A monotonic clock, in seconds, for measuring durations."""
    indexes: IndexCache
    stored_indexes: IndexStore
    files: "FileStore | None"
    """Finished files; None if there is no bucket for them."""

    async def find(self, job: Job, *, fetcher: Fetcher, answer: Answer) -> Source:
        """Return where the video of `job` is, as `Resolver.find` does, and note in the log record which step has found it."""
        source = await self.resolver.find(job, fetcher=fetcher)
        if source.step:
            answer.note(reddit_step=source.step)
        return source

    async def make(self, plan: Plan, labels: Labels, sink: Sink, *, fetcher: Fetcher, answer: Answer) -> None:
        """Make the output of a plan, and push it into a sink, as `transcode` does."""
        program = Program(self.ffmpeg_path, self.settings.ffmpeg_seconds, answer.deadline)
        await transcode(plan, fetcher=fetcher, program=program, settings=self.settings, into=sink, labels=labels)

    @asynccontextmanager
    async def fetcher(self, url: str, *, answer: Answer) -> AsyncIterator[Fetcher]:
        """Open a fetcher for a request about `url`, and note its host, segments and retries in the log record of `answer`."""
        answer.note(source_host=urlsplit(url).hostname or "")
        async with Fetcher.open(self.settings, network=self.connections) as fetcher:
            try:
                yield fetcher
            finally:
                answer.note(segments=fetcher.segments, retries=fetcher.retries)
