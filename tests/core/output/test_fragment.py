"""A fragment as it is read, and as it is written again: in place, or from its samples."""

import struct
from collections.abc import Sequence

import pytest
from fuzz.media_pieces import moof, moov, trun
from peers.exact_fragments import AUDIO, VIDEO, fragment, frames, header, pictures, samples

from transcoder.core.media.mp4.boxes import Box, box, boxes_of, full_box
from transcoder.core.output.fragment import DataEdit, Fragment, MediaEditor, read_fragment, write_moof
from transcoder.core.output.header import OutputHeader, read_header
from transcoder.errors import TranscodeError

HEADER = read_header(Box.whole(moov()))


def run(offset: int | None, *sizes: int, duration: int = 10) -> bytes:
    """Write a `trun` of samples of these sizes, whose bytes begin at `offset`."""
    table = b"".join(struct.pack(">II", duration + number, size) for number, size in enumerate(sizes))
    start = b"" if offset is None else struct.pack(">i", offset)
    return trun(len(sizes), flags=0x300 | (offset is not None), samples=start + table)


def read(data: bytes, output: OutputHeader = HEADER) -> Fragment:
    return read_fragment(Box.whole(data), output)


def test_runs_that_follow_one_another_are_one() -> None:
    (found,) = read(moof(run(200, 3, 4), run(207), run(207, 5), time=99)).runs
    assert (found.decode_time, found.data_start, found.data_end) == (99, 200, 212)
    assert (list(found.sizes), list(found.durations), list(found.offsets)) == ([3, 4, 5], [10, 11, 10], [0] * 3)
    assert len(found.flags) == 3


def test_an_empty_track_fragment_is_none() -> None:
    assert read(moof(run(200))).runs == []
    assert read(moof()).runs == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(moof(run(200, 3), run(204, 4)), "do not follow one another", id="a hole"),
        pytest.param(moof(run(200, 3), run(202, 4)), "do not follow one another", id="an overlap"),
        pytest.param(moof(run(None, 3)), "does not say where its data is", id="no offset"),
        pytest.param(moof(run(200, 3), run(None, 4)), "does not say where its data is", id="no offset of the second"),
        pytest.param(moof(run(200, 3), track=9), "track 9, which the header does not list", id="another track"),
        pytest.param(moof(run(200, 3)).replace(b"tfdt", b"free"), "no tfdt", id="no time"),
        pytest.param(moof(run(200, 3)).replace(b"\0\2\0\0\0\0\0\1", b"\0\0\0\0\0\0\0\1"), "from its own beginning", id="another base"),
    ],
)
def test_a_fragment_in_another_form_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(TranscodeError, match=words):
        read(data)


def test_a_track_is_in_a_fragment_once() -> None:
    traf = next(each for each in Box.whole(moof(run(200, 3))).children() if each.type == b"traf").raw
    with pytest.raises(TranscodeError, match="one track twice"):
        read(box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), traf, traf))


@pytest.mark.parametrize(("length", "header_bytes", "lies"), [(9, 8, True), (8, 8, False), (9, 16, False), (17, 8, True)])
def test_samples_lie_in_the_media_that_follow(length: int, header_bytes: int, *, lies: bool) -> None:
    """They begin behind a header of 8 bytes, and have 9."""
    start = len(moof(run(0, 4, 5))) + 8
    assert read(moof(run(start, 4, 5))).lies_in_media(length, header_bytes) is lies
    assert read(moof(run(start + 8, 4, 5))).lies_in_media(17, 8)
    assert not read(moof(run(start + 9, 4, 5))).lies_in_media(17, 8)


@pytest.mark.parametrize(("rewritten", "long_header"), [(False, 0), (True, 0), (True, 8)])
@pytest.mark.parametrize("edits", [(), ((0, 2, b""),), ((0, 0, b"new"), (7, 3, b"")), ((10, 3, b"x"),)])
def test_samples_are_found_in_what_is_written(*, rewritten: bool, long_header: int, edits: Sequence[tuple[int, int, bytes]]) -> None:
    """Pictures of two bytes, and frames of three. Edits count from the first byte of the media. A longer header of it is not kept."""
    both = read_header(next(each for each in boxes_of(header(VIDEO, AUDIO)) if each.type == b"moov"))
    data = fragment(pictures(0, (0, 2, 1)), frames(9, 4, time=64))
    source, _ = boxes_of(data)
    part = read_fragment(Box.whole(data[: source.end]), both)
    part.media_bytes, part.media_header_bytes, part.rewritten = 18, 8, rewritten or bool(edits)
    part.edits = [DataEdit(part.media_start + at, length, insert) for at, length, insert in edits]
    part.runs[0].decode_time, part.runs[1].decode_time = 5000, 640
    for at, length, insert in edits:  # the columns change with the bytes
        one = part.runs[0] if at < 6 else part.runs[1]
        one.sizes = [size - length + len(insert) if not number else size for number, size in enumerate(one.sizes)]
    part.media_header_bytes += long_header
    for one in part.runs if long_header else []:
        one.data_start += long_header
    part.edits = [edit._replace(at=edit.at + long_header) for edit in part.edits]
    media = b"".join(MediaEditor(part.edits, part.media_start).feed(data[source.end + 8 :]))
    assert len(media) == part.written_media_bytes
    output = header(VIDEO, AUDIO) + write_moof(part, sequence=7, output=both) + box(b"mdat", media)
    found = samples(output)
    assert [(each.decoded, each.shown, each.duration) for each in found[VIDEO]] == [(5000, 5125, 125), (5125, 5375, 125), (5250, 5250, 125)]
    assert [(each.decoded, each.duration) for each in found[AUDIO]] == [(640 + 32 * number, 32) for number in range(4)]
    assert b"".join(each.data for medium in (VIDEO, AUDIO) for each in found[medium]) == media
    assert [len(each.data) for medium in (VIDEO, AUDIO) for each in found[medium]] == [size for one in part.runs for size in one.sizes]
    assert output.count(struct.pack(">4sII", b"mfhd", 0, 7)) == 1
