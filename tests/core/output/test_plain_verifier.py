"""A plain MP4 is whole if its boxes come in their turn, and each of its samples lies in its media."""

import struct
from collections.abc import Sequence

import pytest
from peers.exact_fragments import AUDIO, VIDEO, fragment, frames, header, pictures
from peers.plain_movies import whole_file

from transcoder.core.media.mp4.boxes import box, boxes_of
from transcoder.core.output.header import Durations
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.plain_collector import PlainCollector
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.core.output.verifier import WholeMp4
from transcoder.errors import TranscodeError


@pytest.fixture(scope="module")
def plain() -> bytes:
    """Return a plain MP4 of ten pictures and twenty audio frames, 1.25 s long."""
    joiner, collector = Joiner(Durations(1.25, {})), PlainCollector()
    joiner.begin_period()
    parts = joiner.feed(header(VIDEO, AUDIO) + b"".join(_fragments()))
    parts += [*joiner.end_period()[0], joiner.finish()]
    media = b"".join(each for part in parts for each in collector.feed(part))
    return whole_file(collector.finish().bytes, [media])


def _fragments() -> list[bytes]:
    runs = ([pictures(5 * n, (0, 3, 1, 2, 4), time=625 * n), frames(100 + 10 * n, 10, time=64 + 320 * n)] for n in range(2))
    return [fragment(*each, number=number) for number, each in enumerate(runs, 1)]


def verified(data: bytes, *, length: int | None = None, size: int = 10_000) -> WholeMp4:
    verifier = PlainVerifier(length=len(data) if length is None else length)
    for at in range(0, len(data), size):
        verifier.feed(data[at : at + size])
    return verifier.end()


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_whole_file_is_found_whole_however_it_comes(plain: bytes, size: int) -> None:
    assert verified(plain, size=size) == WholeMp4(len(plain), 0, {VIDEO: 10, AUDIO: 20}, 1.25, 1.25)


def test_a_file_has_the_length_that_was_announced(plain: bytes) -> None:
    for length in (len(plain) - 1, len(plain) + 1):
        with pytest.raises(TranscodeError, match=f"has {len(plain)} bytes instead of {length}: it is not whole"):
            verified(plain, length=length)
    for end in range(0, len(plain), 37):
        with pytest.raises(TranscodeError):
            verified(plain[:end], length=len(plain))


@pytest.mark.parametrize(
    ("order", "words"),
    [
        pytest.param([0, 1], "not whole", id="no media"),
        pytest.param([], "not whole", id="nothing"),
        pytest.param([1, 0, 2], "box moov out of its turn", id="moov first"),
        pytest.param([0, 2, 1], "box mdat out of its turn", id="media first"),
        pytest.param([0, 0, 1, 2], "box ftyp out of its turn", id="two beginnings"),
        pytest.param([0, 1, 1, 2], "box moov out of its turn", id="two headers"),
        pytest.param([0, 1, 2, 2], "box mdat out of its turn", id="media twice"),
    ],
)
def test_boxes_come_in_their_turn(plain: bytes, order: Sequence[int], words: str) -> None:
    parts = [plain[each.start : each.end] for each in boxes_of(plain)]
    with pytest.raises(TranscodeError, match=words):
        verified(b"".join(parts[number] for number in order))


@pytest.mark.parametrize(("moved", "fails"), [(0, False), (1, True), (-1, True)])
def test_each_sample_lies_in_the_media(plain: bytes, moved: int, *, fails: bool) -> None:
    """All chunks are moved, so that the first or the last one reaches a byte too far."""
    data, at = bytearray(plain), -1
    while (at := data.find(b"stco", at + 1)) >= 0:
        (count,) = struct.unpack_from(">I", data, at + 8)
        for place in range(at + 12, at + 12 + 4 * count, 4):
            struct.pack_into(">I", data, place, struct.unpack_from(">I", data, place)[0] + moved)
    if fails:
        with pytest.raises(TranscodeError, match="samples that are not in its media"):
            verified(bytes(data))
    else:
        verified(bytes(data))


def test_each_track_has_samples(plain: bytes) -> None:
    with pytest.raises(TranscodeError, match="a track without samples"):
        verified(plain.replace(b"stsz", b"free", 1))
    with pytest.raises(TranscodeError, match="a track without samples"):
        verified(plain.replace(b"soun", b"text"))


def test_boxes_of_other_types_are_refused(plain: bytes) -> None:
    with pytest.raises(TranscodeError, match="broken"):
        verified(box(b"moof") + plain)


def test_without_a_timescale_its_duration_is_what_it_says(plain: bytes) -> None:
    data = bytearray(plain)
    at = data.index(b"mvhd") + 16
    struct.pack_into(">II", data, at, 0, 7)
    assert verified(bytes(data)).announced == 7.0
