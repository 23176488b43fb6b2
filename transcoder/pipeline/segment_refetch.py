"""The check of prefetched segments, before any of their bytes is read: odd ones are fetched again before they are believed."""

import hashlib
from collections.abc import Sequence

from transcoder.core.hls.plan import Segment
from transcoder.core.media.segment_plausibility import SegmentPlausibility
from transcoder.errors import UpstreamError
from transcoder.pipeline.key_store import KeyStore


class SegmentRefetch:
    """Checks the segments of one rendition, period by period."""

    def __init__(self, listed: Sequence[tuple[int, Segment]], keys: KeyStore) -> None:
        """Check the segments that are `listed` with the index of their period; decrypt with the keys of `keys`."""
        self._keys = keys
        self._period_of = {segment: period for period, segment in listed}
        self._checks = {period: SegmentPlausibility() for period, _ in listed}
        self._rejected: dict[Segment, bytes] = {}
        """The digest of the last body of a segment that was rejected."""

    async def accepts(self, segment: Segment, chunks: Sequence[bytes]) -> bool:
        """Return whether a body may be passed on: it looks right, or the origin has sent the same one twice.

        Raises:
            UpstreamError: its key or its initialization section cannot be fetched.

        """
        body = b"".join(chunks)
        check = self._checks[self._period_of[segment]]
        clear = await self._decrypted(segment, body)
        if clear is not None:
            init = await self._keys.initialization_section(segment.init)
            if check.accepts(clear, init=init, at=segment.at, seconds=segment.seconds):
                return True
        digest = hashlib.sha256(body).digest()
        if self._rejected.get(segment) == digest:
            check.believe()
            return True
        self._rejected[segment] = digest
        return False

    async def _decrypted(self, segment: Segment, body: bytes) -> bytes | None:
        """Return a body in the clear; None if it cannot be decrypted."""
        decryptor = await self._keys.decryptor(segment.key)
        try:
            return decryptor.feed(body) + decryptor.end() if decryptor else body
        except UpstreamError:
            return None  # cut off: it may be whole the next time
