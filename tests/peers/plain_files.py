"""Plain MP4s over an origin, made by the pipeline without the application."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from peers.event_loop import run

from transcoder.core.output.labels import Labels
from transcoder.core.request.parameters import make_job
from transcoder.edge.fetch import Fetcher
from transcoder.pipeline.plain_file import PlainFile, send_part
from transcoder.pipeline.plain_index import make_index
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import Settings

SETTINGS = Settings(allow_private=True, read_seconds=2.0, connect_seconds=2.0, retry_seconds=0.01)
NO_LABELS = Labels({})
NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Indexed:
    """A plain file, and how many bytes and requests its index took."""

    file: PlainFile
    bytes: int
    requests: int


def index_of(url: str, *, max_heads: int = 1000, labels: Labels = NO_LABELS, parameters: Mapping[str, str] = NO_PARAMETERS) -> Indexed:
    """Resolve `url` with a new fetcher, and read its index."""

    async def make() -> Indexed:
        async with Fetcher.open(SETTINGS) as fetcher:
            job, resolver = make_job(url, parameters), Resolver(SETTINGS)
            source = await resolver.find(job, fetcher=fetcher)
            resolved = await resolver.resolve(source, job, fetcher=fetcher)
            file = await make_index(resolved.plan, labels, fetcher=fetcher, settings=SETTINGS, max_heads=max_heads)
            return Indexed(file, fetcher.bytes, fetcher.requests)

    return run(make())


def part_of(file: PlainFile, start: int = 0, stop: int | None = None) -> bytes:
    """Return a part of a file, fetched with a new fetcher."""

    async def fetch() -> bytes:
        received = bytearray()

        async def write(chunk: bytes) -> None:
            received.extend(chunk)

        async with Fetcher.open(SETTINGS) as fetcher:
            end = file.length if stop is None else stop
            await send_part(file, start, end, fetcher=fetcher, settings=SETTINGS._replace(ahead_bytes=256 * 1024), write=write)
        return bytes(received)

    return run(fetch())
