"""The first and the last bytes of a segment, fetched by small requests beside those that carry the media."""

from typing import NamedTuple

from transcoder.core.hls.plan import Key, Segment
from transcoder.core.media.mpegts import is_transport_init
from transcoder.core.media.presentation_ends import END_BYTES, needs_longer_end
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Medium, Probe
from transcoder.edge.fetch import Fetcher
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import single_error
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.segment_names import about

_HEAD_BYTES = 64 * 1024
_LATER_HEAD_BYTES = 512 * 1024
_LONGER_END_BYTES = (1024 * 1024, 4 * 1024 * 1024)
"""So many last bytes are fetched where fewer do not show how each stream ends: at 20 Mbit/s, half a second of audio may lie before them."""
_AES_BLOCK_BYTES = 16
_MAX_WHOLE_BYTES = 16 * 1024 * 1024
"""A longer segment is not fetched for its end alone."""


class SegmentPart(NamedTuple):
    """The first or the last bytes of a segment."""

    clear: bytes
    """Decrypted, which makes them fewer than were asked for."""
    cut: bool
    """There is more of the segment."""


NOTHING = SegmentPart(b"", cut=False)


class SegmentParts:
    """Fetches the first or the last bytes of segments."""

    def __init__(self, fetcher: Fetcher, keys: KeyStore) -> None:
        """Fetch with `fetcher`, decrypt with the keys of `keys`."""
        self._fetcher = fetcher
        self._keys = keys

    async def later_probe(self, segment: Segment, *, previous: Probe | None = None) -> Probe | None:
        """Probe what a segment has at its head, and nothing after it; `previous` is the probe of a segment that it continues."""
        part = await self.head_of(segment, size=_LATER_HEAD_BYTES)
        init = await self._keys.initialization_section(segment.init)
        with about(segment):
            return probe(part.clear, init=init, whole=True, previous=previous, media=tuple(Medium))

    async def probe(self, segment: Segment) -> Probe:
        """Probe a segment that is fetched for this alone, with as many bytes as that takes."""
        init = await self._keys.initialization_section(segment.init)
        size = _HEAD_BYTES
        while True:
            part = await self.head_of(segment, size=size)
            with about(segment):
                found = probe(part.clear, init=init, whole=not part.cut)
            if found is not None:
                return found
            size *= 4

    async def head_of(self, segment: Segment, *, size: int = _HEAD_BYTES) -> SegmentPart:
        """Return the first `size` bytes of a segment, decrypted."""
        head = await self._fetcher.first_bytes(segment.url, segment.range, size=size)
        with about(segment):
            decryptor = await self._keys.decryptor(segment.key)
            return SegmentPart(decryptor.feed(head) if decryptor else head, cut=len(head) >= size)

    async def end_of(self, segment: Segment, *, whole: bool = False) -> SegmentPart:
        """Return the bytes that show where `segment` ends; without ranges none, unless fetching the `whole` segment is worth it."""
        if segment.init:
            is_transport, head = await self._init_and_head(segment, size=_MAX_WHOLE_BYTES if whole else _HEAD_BYTES)
            if not is_transport:
                return head
        part = await self._last_bytes(segment, END_BYTES)
        if part.clear or not whole:
            return part
        part = await self.head_of(segment, size=_MAX_WHOLE_BYTES)
        return NOTHING if part.cut else SegmentPart(part.clear[-END_BYTES:], cut=len(part.clear) > END_BYTES)

    async def longer_end(self, segment: Segment, part: SegmentPart, probe: Probe) -> SegmentPart:
        """Return more of the end of a segment than `part`, as far as that is needed to see how each stream of `probe` ends."""
        for size in _LONGER_END_BYTES:
            if not part.cut or not needs_longer_end(part.clear, probe):
                break
            longer = await self._last_bytes(segment, size)
            part = longer if longer.clear else part
        return part

    async def _last_bytes(self, segment: Segment, size: int) -> SegmentPart:
        """Return the last bytes of a segment, decrypted; without ranges none."""
        end = await self._fetcher.last_bytes(segment.url, segment.range, size=size) or b""
        cut = len(end) == size
        if not end or not segment.key:
            return SegmentPart(end, cut)
        # In CBC each block is the IV of the next, so an end that begins with a whole block can be decrypted without what is before it.
        key = Key(segment.key.url, end[:_AES_BLOCK_BYTES]) if cut else segment.key
        with about(segment):
            decryptor = await self._keys.decryptor(key)
            return SegmentPart(decryptor.feed(end[_AES_BLOCK_BYTES:] if cut else end) + decryptor.end() if decryptor else b"", cut)

    async def _init_and_head(self, segment: Segment, *, size: int) -> tuple[bool, SegmentPart]:
        """Return whether a segment's initialization section is one of a transport stream, which hardly any is, and the segment's head.

        So the head does not wait for the section.
        """
        with single_error():
            async with TaskGroup() as tasks:
                init = tasks.create_task(self._keys.initialization_section(segment.init))
                head = tasks.create_task(self.head_of(segment, size=size))
        return is_transport_init(init.result()), head.result()
