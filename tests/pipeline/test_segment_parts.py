"""The first and the last bytes of segments, in the clear, and whether there is more of them."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote_from_bytes

import pytest
from conftest import Serve
from fault_sets import KEY, encrypt
from fuzz.media_pieces import ADTS, INIT, NULL_PACKET, TABLES, moof, timestamp, trun
from peers.fetch_calls import SETTINGS, with_fetcher
from peers.origin import Rule, garbage

from transcoder.core.hls.plan import ByteRange, Init, Segment
from transcoder.core.hls.plan import Key as SegmentKey
from transcoder.core.media.mp4.boxes import box
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Container, Medium
from transcoder.errors import UpstreamError
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.segment_parts import NOTHING, SegmentPart, SegmentParts
from transcoder.settings import MIB, Settings

KIB = 1024
T = TypeVar("T")


def data(content: bytes) -> str:
    return "data:," + quote_from_bytes(content)


def with_parts(use: Callable[[SegmentParts], Awaitable[T]], settings: Settings = SETTINGS) -> T:
    return with_fetcher(lambda fetcher: use(SegmentParts(fetcher, KeyStore(fetcher, max_init_bytes=MIB))), settings, local_files=True)


def segment(url: str, *, encrypted: bool = False, byte_range: ByteRange | None = None, init: bytes = b"") -> Segment:
    """Return a segment of two seconds; an encrypted one has the number 1."""
    key = SegmentKey(data(KEY), (1).to_bytes(16)) if encrypted else None
    return Segment(url, 2.0, 0.0, byte_range, key, Init(data(init), None, None) if init else None)


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[bytes], str]:
    """Return what writes a file, and returns its path."""
    numbers = itertools.count()

    def write(content: bytes) -> str:
        path = tmp_path / str(next(numbers))
        path.write_bytes(content)
        return str(path)

    return write


@pytest.mark.parametrize(("length", "cut"), [(99, False), (100, True), (101, True)])
def test_a_head_that_is_as_long_as_was_asked_for_may_not_be_all(length: int, stored: Callable[[bytes], str], *, cut: bool) -> None:
    content = garbage(length)
    assert with_parts(lambda parts: parts.head_of(segment(stored(content)), size=100)) == SegmentPart(content[:100], cut=cut)


def test_a_head_is_of_the_byte_range_and_usually_64_kib(stored: Callable[[bytes], str]) -> None:
    content = garbage(100 * KIB)
    url = stored(content)
    assert with_parts(lambda parts: parts.head_of(segment(url))) == SegmentPart(content[: 64 * KIB], cut=True)
    part = segment(url, byte_range=ByteRange(7, 1000))
    assert with_parts(lambda parts: parts.head_of(part)) == SegmentPart(content[7:1007], cut=False)


def test_a_head_is_decrypted_but_for_its_last_block(stored: Callable[[bytes], str]) -> None:
    """That may be padding."""
    content = garbage(1000)
    found = with_parts(lambda parts: parts.head_of(segment(stored(encrypt(content, number=1)), encrypted=True), size=160))
    assert found == SegmentPart(content[:144], cut=True)


@pytest.mark.parametrize("length", [1000, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 300_000])
def test_the_end_of_a_transport_stream_is_its_last_256_kib(length: int, stored: Callable[[bytes], str]) -> None:
    content = garbage(length)
    found = with_parts(lambda parts: parts.end_of(segment(stored(content))))
    assert found == SegmentPart(content[-256 * KIB :], cut=length >= 256 * KIB)


@pytest.mark.parametrize("length", [100, 256 * KIB - 17, 256 * KIB - 16, 256 * KIB - 1, 256 * KIB, 300_000])
def test_an_encrypted_end_is_decrypted_from_its_second_block_on(length: int, stored: Callable[[bytes], str]) -> None:
    """The first one is what the second one was mixed with, unless it is the first one of all."""
    content = garbage(length)
    body = encrypt(content, number=1)
    cut = len(body) >= 256 * KIB
    found = with_parts(lambda parts: parts.end_of(segment(stored(body), encrypted=True)))
    assert found == SegmentPart(content[len(body) - 256 * KIB + 16 :] if cut else content, cut=cut)


def test_the_end_of_a_range_is_not_that_of_its_file(stored: Callable[[bytes], str]) -> None:
    content = garbage(5000)
    part = segment(stored(content), byte_range=ByteRange(10, 1000))
    assert with_parts(lambda parts: parts.end_of(part)) == SegmentPart(content[10:1010], cut=False)


@pytest.mark.parametrize("length", [1000, 256 * KIB, 300_000])
def test_without_ranges_there_is_an_end_only_if_all_may_be_fetched(length: int, serve: Serve) -> None:
    origin = serve({"/a.ts": garbage(length)})
    origin.rules["*"] = Rule(ignore_range=True, no_length=True)
    listed = segment(origin.url("/a.ts"))
    assert with_parts(lambda parts: parts.end_of(listed)) == NOTHING
    found = with_parts(lambda parts: parts.end_of(listed, whole=True))
    assert found == SegmentPart(garbage(length)[-256 * KIB :], cut=length > 256 * KIB)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("length", [1000, 64 * KIB, 100 * KIB])
def test_the_end_of_a_fragmented_segment_shows_at_its_head(length: int, stored: Callable[[bytes], str], *, whole: bool) -> None:
    content = garbage(length)
    found = with_parts(lambda parts: parts.end_of(segment(stored(content), init=INIT), whole=whole))
    assert found == (SegmentPart(content, cut=False) if whole else SegmentPart(content[: 64 * KIB], cut=length >= 64 * KIB))


def test_a_transport_stream_may_have_a_section_too(stored: Callable[[bytes], str]) -> None:
    content = garbage(300_000)
    found = with_parts(lambda parts: parts.end_of(segment(stored(content), init=TABLES)))
    assert found == SegmentPart(content[-256 * KIB :], cut=True)


FRAGMENT = moof(trun(1, flags=0x100, samples=(3000).to_bytes(4)), time=90_000) + box(b"mdat", bytes(100))


@pytest.mark.parametrize("before", [0, 63 * KIB, 64 * KIB, 300 * KIB])
def test_a_segment_is_probed_with_as_many_bytes_as_that_takes(before: int, stored: Callable[[bytes], str]) -> None:
    body = (box(b"free", bytes(before)) if before else b"") + FRAGMENT
    found = with_parts(lambda parts: parts.probe(segment(stored(body), init=INIT)))
    assert found.container is Container.FMP4
    assert [(stream.medium, stream.start) for stream in found.streams] == [(Medium.VIDEO, 1.0)]


@pytest.mark.parametrize(("before", "start"), [(0, 1.0), (400 * KIB, 1.0), (511 * KIB, 1.0), (520 * KIB, None)])
def test_a_later_segment_is_looked_at_once(before: int, start: float | None, stored: Callable[[bytes], str]) -> None:
    body = (box(b"free", bytes(before)) if before else b"") + FRAGMENT
    found = with_parts(lambda parts: parts.later_probe(segment(stored(body), init=INIT)))
    assert found is not None
    assert [stream.start for stream in found.streams] == [start]


def test_a_segment_that_is_no_media_is_named() -> None:
    listed: Sequence[Segment] = [segment(data(timestamp() + b"no frame" * 20)), segment(data(timestamp(9.0) + ADTS * 5))]
    with pytest.raises(UpstreamError):
        with_parts(lambda parts: parts.probe(listed[0]))
    found = with_parts(lambda parts: parts.probe(listed[1]))
    assert [(stream.medium, stream.start) for stream in found.streams] == [(Medium.AUDIO, 9.0)]


@pytest.mark.parametrize(
    ("padding", "length", "cut"),
    [
        pytest.param(100 * KIB, 256 * KIB, True, id="shown by the usual end"),
        pytest.param(600 * KIB, MIB, True, id="shown by a longer one"),
        pytest.param(2 * MIB, 4 * MIB, True, id="shown by the longest one"),
        pytest.param(5 * MIB, 4 * MIB, True, id="not shown by the longest one"),
    ],
)
def test_more_of_the_end_is_fetched_until_it_shows_how_each_stream_ends(
    padding: int, length: int, media: Callable[[str], Path], stored: Callable[[bytes], str], *, cut: bool
) -> None:
    """At 20 Mbit/s, the last timestamp of the audio may lie a megabyte before the end."""
    film = (media("ts-muxed") / "segment-0.ts").read_bytes()
    url = stored(film[: 188 * 10] + (4 * MIB // 188) * NULL_PACKET + film[188 * 10 :] + (padding // 188) * NULL_PACKET)

    async def use(parts: SegmentParts) -> SegmentPart:
        found = probe(film, whole=True)
        assert found
        return await parts.longer_end(segment(url), await parts.end_of(segment(url)), found)

    part = with_parts(use)
    assert (len(part.clear), part.cut) == (length, cut)
    assert part.clear == Path(url).read_bytes()[-length:]
