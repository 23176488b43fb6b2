"""The head of a plain MP4, box by box, read with `struct` alone: what is copied, what is written anew, and where the samples lie."""

import math
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction

import pytest
from fuzz.media_pieces import u32
from peers.plain_movies import whole_file

from transcoder.core.media.mp4.boxes import Box, box, full_box
from transcoder.core.media.mp4.fragment import NOT_SYNC, SampleRun
from transcoder.core.media.mp4.movie import read_movie
from transcoder.core.media.mp4.plain_movie import PlainMovie, PlainTrack, write_movie_before, write_plain_movie
from transcoder.core.media.mp4.track_samples import Place, TrackSamples
from transcoder.core.media.streams import Medium

VIDEO, AUDIO = 0, 1
UNDETERMINED = b"\x55\xc4\0\0"
HVCC = bytes(22)
Tree = dict[str, list[bytes]]
"""The contents of the boxes of a `moov`, by the types on the way to them."""


def header(kind: bytes, *fields: bytes) -> bytes:
    return full_box(kind, 0, 0, u32(11, 12), *fields)


def entry(sets: int) -> bytes:
    return box(b"hev1", bytes(78), box(b"hvcC", HVCC + bytes([sets, 0, 0])))


def trak(number: int, handler: bytes, timescale: int, *entries: bytes) -> bytes:
    """Write a track with boxes that are copied, and others that are not."""
    tables = [full_box(kind, 0, 0, u32(0)) for kind in (b"stts", b"stsc", b"stco")] + [full_box(b"stsz", 0, 0, u32(0, 0))]
    stbl = box(b"stbl", full_box(b"stsd", 1, 2, u32(len(entries)), *entries), *tables)
    minf = box(b"minf", full_box(handler[:1] + b"mhd", 0, 1, bytes(8)), box(b"dinf", b"data"), stbl)
    mdhd = header(b"mdhd", u32(timescale, 0), UNDETERMINED)
    mdia = box(b"mdia", mdhd, full_box(b"hdlr", 0, 0, u32(0), handler, bytes(13)), minf)
    tkhd = header(b"tkhd", u32(number, 0, 0), bytes(range(60)))
    edits = box(b"edts", full_box(b"elst", 0, 0, u32(1, 0, 7, 0x10000)))
    return box(b"trak", tkhd, box(b"tref", box(b"cdsc", u32(9))), edits, mdia, box(b"udta", box(b"name", handler)))


MOOV = box(
    b"moov",
    header(b"mvhd", u32(1000, 0), bytes(range(76)), u32(77)),
    trak(5, b"vide", 12_800, entry(3), entry(0)),
    trak(6, b"soun", 44_100, box(b"ac-3", bytes(28))),
    box(b"mvex", full_box(b"trex", 0, 0, u32(5, 1, 0, 0, 0))),
)
RESOURCES = [bytes(range(100)), bytes(range(100, 200))]


def track(index: int, parts: Sequence[tuple[int, int, int]], *, duration: int, offset: int = 0, shift: int = 0) -> PlainTrack:
    """Return a track whose parts have two samples each, of two and three bytes, at a decode time, and an offset in a resource."""
    movie, samples = read_movie(Box.whole(MOOV)), TrackSamples()
    for time, resource, at in parts:
        run = SampleRun(None, [duration] * 2, [2, 3], [0, NOT_SYNC], [offset, offset])
        samples.add(run, Place(resource, at), decode_time=time)
    return PlainTrack(movie, movie.tracks[index], samples, shift)


VIDEO_TRACK = track(VIDEO, [(1024, 0, 10), (2048, 0, 30)], duration=512, offset=1536, shift=1000)
AUDIO_TRACK = track(AUDIO, [(5000, 1, 50), (7048, 1, 20)], duration=1024, shift=300)
VIDEO_START, AUDIO_START = Fraction(1024 + 1536 - 1000, 12_800), Fraction(5000 - 300, 44_100)
VIDEO_LENGTH, AUDIO_LENGTH = Fraction(4 * 512, 12_800), Fraction(4 * 1024, 44_100)


def read(data: bytes, path: str = "") -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        name = path + kind.decode()
        yield name, data[at + 8 : at + size]
        if kind in {b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl"}:
            yield from read(data[at + 8 : at + size], name + "/")
        at += size
    assert at == len(data)


def tree(movie: PlainMovie) -> Tree:
    found: Tree = {}
    head = movie.bytes.head
    for name, content in read(head[: -16 if b"\0\0\0\1mdat" in head[-16:] else -8]):
        found.setdefault(name.removeprefix("moov/trak/"), []).append(content)
    return found


def ticks(seconds: Fraction) -> int:
    """Return a duration in ticks of the movie, none of it lost."""
    return math.ceil(seconds * 90_000)


@pytest.mark.parametrize(("brand", "others"), [(b"isom", b""), (b"M4A ", b"M4A ")])
def test_a_file_names_its_brands(brand: bytes, others: bytes) -> None:
    written = tree(write_plain_movie([VIDEO_TRACK], brand=brand))
    assert written["ftyp"] == [brand + u32(512) + b"isomiso2mp41" + others]
    assert tree(write_movie_before([VIDEO_TRACK], 100, brand=brand))["ftyp"] == written["ftyp"]


@pytest.mark.parametrize("user_data", [b"", box(b"udta", b"title")])
def test_a_movie_has_a_header_its_tracks_and_its_metadata(user_data: bytes) -> None:
    for written in (
        write_plain_movie([VIDEO_TRACK, AUDIO_TRACK], user_data=user_data),
        write_movie_before([VIDEO_TRACK, AUDIO_TRACK], 100, user_data=user_data),
    ):
        moov = tree(written)["moov"][0]
        assert [name for name, _ in read(moov) if "/" not in name] == ["mvhd", "trak", "trak", *(["udta"] if user_data else [])]
        assert moov.endswith(user_data)


@pytest.mark.parametrize("created", [None, 99])
@pytest.mark.parametrize(("language", "packed"), [(None, UNDETERMINED), ("de", b"\x10\xb5\0\0")])
def test_headers_have_new_times_and_keep_the_rest(created: int | None, language: str | None, packed: bytes) -> None:
    tracks = [each._replace(created=created, language=language) for each in (VIDEO_TRACK, AUDIO_TRACK)]
    found = tree(write_plain_movie(tracks))
    dates = u32(0, 11, 12) if created is None else u32(0, created, created)
    delay = ticks(VIDEO_START - AUDIO_START)
    durations = [delay + ticks(VIDEO_LENGTH), ticks(AUDIO_LENGTH)]
    assert durations[0] > durations[1]
    assert found["moov/mvhd"] == [dates + u32(90_000, durations[0]) + bytes(range(76)) + u32(3)]
    heads = [u32(3) + dates[4:] + u32(number, 0, duration) + bytes(range(60)) for number, duration in enumerate(durations, 1)]
    assert found["tkhd"] == heads
    assert found["mdia/mdhd"] == [dates + u32(12_800, 2048) + packed, dates + u32(44_100, 4096) + packed]


def test_the_header_of_the_movie_is_that_of_the_first_track() -> None:
    other = read_movie(Box.whole(MOOV.replace(bytes(range(76)), bytes(range(1, 77)))))
    for tracks in ([VIDEO_TRACK, AUDIO_TRACK._replace(movie=other)], [AUDIO_TRACK._replace(movie=other), VIDEO_TRACK]):
        (header,) = tree(write_plain_movie(tracks))["moov/mvhd"]
        assert header[20:] == (bytes(range(76)) if tracks[0] is VIDEO_TRACK else bytes(range(1, 77))) + u32(3)


def test_edit_lists_keep_the_distance_of_the_tracks() -> None:
    found = tree(write_plain_movie([VIDEO_TRACK, AUDIO_TRACK]))
    delay = ticks(VIDEO_START - AUDIO_START)
    assert found["edts/elst"] == [
        u32(0, 2, delay, 2**32 - 1, 0x10000, ticks(VIDEO_LENGTH), 1536, 0x10000),
        u32(0, 1, ticks(AUDIO_LENGTH), 0, 0x10000),
    ]


def test_a_movie_lasts_from_its_first_presentation_to_its_last() -> None:
    both = write_plain_movie([VIDEO_TRACK, AUDIO_TRACK])
    assert both.seconds == float(VIDEO_START + VIDEO_LENGTH - AUDIO_START)
    assert both.samples == {Medium.VIDEO: 4, Medium.AUDIO: 4}
    later = track(AUDIO, [(50_000, 1, 0)], duration=1024)
    last = write_plain_movie([VIDEO_TRACK, later])
    assert last.seconds == float(Fraction(52_048, 44_100) - VIDEO_START)
    assert last.samples == {Medium.VIDEO: 4, Medium.AUDIO: 2}
    duration = ticks(Fraction(50_000, 44_100) - VIDEO_START) + ticks(Fraction(2048, 44_100))
    assert struct.unpack_from(">I", tree(last)["moov/mvhd"][0], 16)[0] == duration


def test_a_track_keeps_what_says_nothing_about_times_and_places() -> None:
    found = tree(write_plain_movie([VIDEO_TRACK, AUDIO_TRACK]))
    video, audio = ([name for name, _ in read(each) if "/" not in name] for each in found["moov/trak"])
    assert video == audio == ["tkhd", "edts", "mdia", "udta"]
    assert found["udta"] == [box(b"name", b"vide"), box(b"name", b"soun")]
    assert [name for name, _ in read(found["mdia"][0]) if "/" not in name] == ["mdhd", "hdlr", "minf"]
    assert [each[8:12] for each in found["mdia/hdlr"]] == [b"vide", b"soun"]
    assert [name for name, _ in read(found["mdia/minf"][0]) if "/" not in name] == ["vmhd", "dinf", "stbl"]
    tables = [[name for name, _ in read(each)] for each in found["mdia/minf/stbl"]]
    assert tables == [["stsd", "stts", "ctts", "stss", "stsc", "stsz", "stco"], ["stsd", "stts", "stsc", "stsz", "stco"]]


def test_hevc_is_named_as_apple_expects_it_where_the_entry_has_its_parameter_sets() -> None:
    written = tree(write_plain_movie([VIDEO_TRACK, AUDIO_TRACK]))["mdia/minf/stbl/stsd"]
    named = box(b"hvc1", entry(3)[8:])
    assert written == [u32(1 << 24 | 2, 2) + named + entry(0), u32(1 << 24 | 2, 1) + box(b"ac-3", bytes(28))]


def chunk_offsets(movie: PlainMovie) -> list[list[int]]:
    found = tree(movie)
    kind, layout, size = ("co64", "Q", 8) if "mdia/minf/stbl/co64" in found else ("stco", "I", 4)
    return [list(struct.unpack(f">{(len(each) - 8) // size}{layout}", each[8:])) for each in found[f"mdia/minf/stbl/{kind}"]]


def test_chunks_follow_one_another_by_the_time_of_their_decoding() -> None:
    """Those of the video are decoded at 0.002 and 0.082 s, those of the audio at 0.107 and 0.153 s."""
    movie = write_plain_movie([VIDEO_TRACK, AUDIO_TRACK])
    start = len(movie.bytes.head)
    assert chunk_offsets(movie) == [[start, start + 5], [start + 10, start + 15]]
    data = whole_file(movie.bytes, RESOURCES)
    places = ((0, 10), (0, 30), (1, 50), (1, 20))
    assert data[start:] == b"".join(RESOURCES[resource][at : at + 5] for resource, at in places)
    assert data[start - 8 : start] == struct.pack(">I4s", 28, b"mdat")


@pytest.mark.parametrize(
    ("video", "audio", "order"),
    [
        pytest.param([0, 25_600], [44_100], "vav", id="between"),
        pytest.param([12_800], [44_100], "va", id="at the same time"),
        pytest.param([12_800], [44_099], "av", id="a tick earlier"),
        pytest.param([0, 12_800], [0, 44_100, 88_200], "vavaa", id="by turns"),
    ],
)
def test_chunks_are_in_the_order_of_decoding_and_video_first(video: list[int], audio: list[int], order: str) -> None:
    tracks = [
        track(VIDEO, [(time, 0, 10 * number) for number, time in enumerate(video)], duration=512),
        track(AUDIO, [(time, 1, 10 * number) for number, time in enumerate(audio)], duration=1024),
    ]
    places = chunk_offsets(write_plain_movie(tracks))
    named = sorted((at, name) for name, offsets in zip("va", places, strict=True) for at in offsets)
    assert "".join(name for _, name in named) == order


def test_chunks_in_front_of_which_the_head_is_put_keep_their_places() -> None:
    movie = write_movie_before([VIDEO_TRACK, AUDIO_TRACK], 200)
    start = len(movie.bytes.head)
    assert chunk_offsets(movie) == [[start + 10, start + 30], [start + 50, start + 20]]
    assert (movie.bytes.length, movie.bytes.head[-8:]) == (start + 200, struct.pack(">I4s", 208, b"mdat"))
    assert whole_file(movie.bytes, [b"".join(RESOURCES)])[start:] == b"".join(RESOURCES)


def test_offsets_have_64_bits_where_the_file_does_not_fit_into_32() -> None:
    usual = len(write_movie_before([VIDEO_TRACK], 100).bytes.head)
    longest = 2**32 - 1 - usual
    for media, head in ((longest, usual), (longest + 1, usual + 2 * 4), (2**32, usual + 2 * 4 + 8)):
        movie = write_movie_before([VIDEO_TRACK], media)
        assert len(movie.bytes.head) == head
        assert ("mdia/minf/stbl/co64" in tree(movie)) == (head != usual)
        assert chunk_offsets(movie) == [[head + 10, head + 30]]
