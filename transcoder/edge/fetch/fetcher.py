"""Everything that a job fetches: playlists, small resources, first and last bytes of segments, whole segments and files."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Self, TypeVar

import httpx

from transcoder.core.hls.plan import ByteRange
from transcoder.core.request.user_origins import NOBODY, UserOrigins
from transcoder.core.source.reply import HttpReply
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.edge.fetch import local_files
from transcoder.edge.fetch.collected import append_to
from transcoder.edge.fetch.connections import Connections
from transcoder.edge.fetch.file_versions import FileVersions
from transcoder.edge.fetch.known_version import ANY_VERSION, KnownVersion
from transcoder.edge.fetch.last_bytes import fetch_last_bytes
from transcoder.edge.fetch.local_files import LocalSources
from transcoder.edge.fetch.media_guard import MediaGuard
from transcoder.edge.fetch.pace import SmallRequests
from transcoder.edge.fetch.passthrough import FileSink, FileTransfer, PlaylistSniffer, local_file_head, refuse_local_file
from transcoder.edge.fetch.playlist_text import PlaylistText
from transcoder.edge.fetch.reply import read_reply
from transcoder.edge.fetch.retry import LATE_PAUSES, retry_late
from transcoder.edge.fetch.session import ApiRequest, HttpSession
from transcoder.edge.fetch.transfer import ByteSink, Transfer
from transcoder.settings import Settings

T = TypeVar("T")


class Fetcher:
    """Fetches for one job, with its own connections and cookies, and one decision about which addresses are allowed."""

    def __init__(self, session: HttpSession, settings: Settings, *, local_files: bool) -> None:
        """Use `open` instead."""
        self._session = session
        self._settings = settings
        self._doubts = settings.attempts - 1
        self._versions = FileVersions()
        self._local = LocalSources(files_allowed=local_files)
        # Small resources only wait for each other, not for media: a media transfer may be held up until a key has arrived.
        self._small_requests = SmallRequests(settings)
        self.bytes = 0
        """How many bytes have arrived, also of transfers that have not ended."""
        self.segments = 0
        """How many segments have been delivered completely."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, *, user: UserOrigins = NOBODY, local_files: bool = False, network: Network | Connections = INTERNET
    ) -> AsyncIterator[Self]:
        """Open a fetcher for one job. `user` says which headers go to which host; `local_files` allows paths and file: URLs.

        Private addresses and local files are allowed only until a playlist comes from a public address.
        """
        async with HttpSession.open(settings, user, network) as session:
            yield cls(session, settings, local_files=local_files)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Restore after the block what the job may reach: nothing follows an address that is found in it."""
        local_files_allowed, private_allowed = self._local.files_allowed, self._session.private_allowed
        try:
            yield
        finally:
            self._local.files_allowed, self._session.private_allowed = local_files_allowed, private_allowed

    def sign_with(self, signed: Callable[[str], str]) -> None:
        """Let `signed` turn the address of each request into the one that it is sent to; messages and plans have the former."""
        self._session.signed = signed

    def start_again(self) -> None:
        """Forget what is known of files that are fetched range by range, because nothing of what was fetched before is used."""
        self._versions.forget()

    @property
    def requests(self) -> int:
        """How many requests have been sent, including redirects and retries."""
        return self._session.requests

    @property
    def retries(self) -> int:
        """How many of the requests repeated a failed one."""
        return self._session.retries

    async def playlist(self, url: str) -> PlaylistText:
        """Fetch a playlist of at most `max_playlist_bytes`, decompressed.

        Raises:
            NotAPlaylistError: the resource is a file; no more than its beginning was read.
            UpstreamError, UpstreamTimeoutError: the origin failed.
            ForbiddenSourceError: the address may not be fetched.
            UnsupportedSourceError: the playlist is too long.
        """
        limit, buffer = self._settings.max_playlist_bytes, bytearray()

        async def attempt() -> str:
            buffer.clear()
            async with self._session.stream(url, {"Accept-Encoding": "gzip"}, more_follow=True) as response:
                self._restrict_after(response)
                sniffer = PlaylistSniffer(url, response, append_to(buffer), limit=limit)
                await Transfer(url, None, limit=sys.maxsize).receive(response, sniffer.write)  # a file may be longer
                sniffer.end()
                return str(response.url)

        async with self._small_requests.slot(url):
            if (local := self._local.chunks(url, None, exact=True)) is None:
                base_url = await self._retry(attempt, late=LATE_PAUSES[:1])
            else:
                refuse_local_file(url)
                base_url = local_files.base_url(url)
                await Transfer(url, None, limit=limit).push_all(local, append_to(buffer))
        self.bytes += len(buffer)
        return PlaylistText(base_url, bytes(buffer))

    async def pass_through(self, url: str, headers: Mapping[str, str], sink: FileSink) -> None:
        """Push a file unchanged, or the range that `headers` ask for. Returns only after all of it was pushed.

        Raises:
            UnsupportedSourceError: it has more than `max_file_bytes`.
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: as for `playlist`.
        """
        local, limit = self._local.chunks(url, None, exact=True), self._settings.max_file_bytes
        if local is not None and (head := local_file_head(url)):
            await sink.start(head)
            await Transfer(url, None, limit=limit).push_all(local, sink.write)
            return
        transfer = FileTransfer(self._session, url, headers, sink, limit=limit)
        await self._retry(transfer.attempt, lambda: transfer.delivered)
        self.bytes += transfer.delivered

    async def api_reply(self, request: ApiRequest, *, limit: int) -> HttpReply:
        """Send an API request, and return the reply whatever its status below 500; at most `limit` bytes, decompressed.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError, UnsupportedSourceError: as for `playlist`.
        """

        async def attempt() -> HttpReply:
            compressible = request._replace(headers={"Accept-Encoding": "gzip", **request.headers})
            async with self._session.stream_api(compressible) as response:
                self._restrict_after(response)
                return await read_reply(response, limit=limit)

        async with self._small_requests.slot(request.url):
            return await self._retry(attempt)

    async def small_resource(self, url: str, byte_range: ByteRange | None = None, *, limit: int, media: bool = False) -> bytes:
        """Fetch a small resource into memory, such as a key or an initialization section; text is not expected if it is `media`.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: as for `playlist`.
            UnsupportedSourceError: the resource is longer than `limit` bytes.
        """
        return await self._collect(Transfer(url, byte_range, limit=limit), doubts=self._doubts if media else 0)

    async def first_bytes(self, url: str, byte_range: ByteRange | None = None, *, size: int, guessed: bool = False) -> bytes:
        """Fetch the first `size` bytes of a segment, or fewer if it is shorter; one whose URL is `guessed` is often missing.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: as for `playlist`.
        """
        first = ByteRange(0, size) if byte_range is None else ByteRange(byte_range.start, min(size, byte_range.length))
        transfer = Transfer(url, first, limit=self._settings.max_segment_bytes, exact=byte_range is not None)
        return await self._collect(transfer, doubts=self._doubts, late=() if guessed else LATE_PAUSES)

    async def last_bytes(self, url: str, byte_range: ByteRange | None = None, *, size: int) -> bytes | None:
        """Fetch the last `size` bytes of a segment, or all of a shorter one; None without ranges. Raises what `first_bytes` does."""
        if (local := self._local.chunks(url, byte_range, exact=False)) is not None:
            return b"".join(local)[-size:]
        async with self._small_requests.slot(url):
            content = await self._retry(lambda: fetch_last_bytes(self._session, url, byte_range, size=size), late=LATE_PAUSES)
        self.bytes += len(content or b"")
        return content

    async def segment(self, url: str, byte_range: ByteRange | None, sink: ByteSink) -> None:
        """Push a segment's bytes as they arrive, in chunks of at most 96 KiB. Returns only after all of them were pushed.

        A body that begins with text is fetched again, and pushed only if the origin insists on it.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: as for `playlist`.
            UnsupportedSourceError: the segment is longer than `max_segment_bytes`.
        """
        await self._deliver(Transfer(url, byte_range, limit=self._settings.max_segment_bytes), sink, doubts=self._doubts)
        self.segments += 1

    async def part(self, url: str, byte_range: ByteRange, sink: ByteSink, *, version: KnownVersion) -> None:
        """Push a byte range of one `version` of a resource; raises what `segment` does, and ChangedFileError if there is another now."""
        await self._deliver(Transfer(url, byte_range, limit=self._settings.max_segment_bytes), sink, doubts=0, version=version)

    async def head(self, url: str, byte_range: ByteRange, *, version: KnownVersion) -> bytes:
        """Return a byte range of one `version` of a resource, or what it has of it. Raises what `part` does."""
        transfer = Transfer(url, byte_range, limit=self._settings.max_segment_bytes, exact=False)
        return await self._collect(transfer, doubts=self._doubts, version=version)

    async def _collect(
        self, transfer: Transfer, *, doubts: int, late: Sequence[float] = LATE_PAUSES, version: KnownVersion = ANY_VERSION
    ) -> bytes:
        buffer = bytearray()
        async with self._small_requests.slot(transfer.url):
            await self._deliver(transfer, append_to(buffer), doubts=doubts, late=late, version=version)
        return bytes(buffer)

    async def _deliver(
        self, transfer: Transfer, sink: ByteSink, *, doubts: int, late: Sequence[float] = LATE_PAUSES, version: KnownVersion = ANY_VERSION
    ) -> None:
        """Carry out a transfer from the network, a local file or a data: URL."""

        async def counted(chunk: bytes) -> None:
            self.bytes += len(chunk)
            await sink(chunk)

        guard = MediaGuard(transfer, counted, doubts=doubts)

        async def attempt() -> None:
            async with self._session.stream(transfer.url, transfer.headers()) as response:
                version.check(response)
                with self._versions.checked(transfer, response):
                    await guard.receive(response)

        if (local := self._local.chunks(transfer.url, transfer.byte_range, exact=transfer.exact and not doubts)) is None:
            await self._retry(attempt, lambda: transfer.delivered, late=late)
        else:
            await transfer.push_all(local, counted)

    async def _retry(self, attempt: Callable[[], Awaitable[T]], delivered: Callable[[], int] = int, *, late: Sequence[float] = ()) -> T:
        """Retry what is transient; after the `late` pauses, if the origin has served anything to this job, also what is missing there."""
        pauses = late if self.bytes else ()
        return await retry_late(attempt, self._settings, on_retry=self._session.count_retry, delivered=delivered, pauses=pauses)

    def _restrict_after(self, response: httpx.Response) -> None:
        """Forbid local files after anything from the network, and private addresses after a response from a public one."""
        self._local.files_allowed = False
        self._session.restrict_after(response)
