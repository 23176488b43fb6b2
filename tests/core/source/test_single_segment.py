"""Files that are one segment of HLS media: which ones they are, and how long they last."""

from http import HTTPStatus

import pytest
from make_media import media
from peers.segment_inspection import copy_with_ffmpeg, read_segments

from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.media.mp4.boxes import box
from transcoder.core.media.presentation_ends import END_BYTES
from transcoder.core.media.streams import Container, TrackKind
from transcoder.core.source.single_segment import has_movie_header, measured_seconds, no_movie_header, plan_segment, segment_container

FTYP, MOOF = box(b"ftyp", b"iso5\0\0\0\0"), box(b"moof", box(b"mfhd", bytes(8)))
MOOV = box(b"moov", box(b"mvhd", bytes(100)))
ADTS = b"\xff\xf1\x4c\x80\x02\x1f\xfc" + bytes(9)


def head(first: bytes, name: str = "a", *, redirected_from: str = "a", content_type: str = "video/mp4") -> FileHead:
    base = "https://a.example/"
    return FileHead(base + name, HTTPStatus.OK, content_type, 1000, requested_url=base + redirected_from, first_bytes=first)


def first_segment(name: str) -> bytes:
    init, segments = read_segments(media(name), "audio.m3u8" if name.startswith("packed") else "main.m3u8")
    return (init or b"") + segments[0]


@pytest.mark.parametrize(("name", "container"), [("packed-ac3", Container.AC3), ("packed-eac3", Container.EAC3)])
def test_audio_without_a_tag_is_known_by_its_first_frames(name: str, container: Container) -> None:
    segment = first_segment(name)
    assert segment_container(head(segment[segment.index(b"\x0b\x77") :][:1000])) is container


def test_a_transport_stream_is_known_by_its_first_packets() -> None:
    assert segment_container(head(first_segment("ts-muxed")[:1000])) is Container.MPEGTS


@pytest.mark.parametrize("kind", [b"styp", b"sidx", b"moof", b"emsg", b"prft"])
def test_an_mp4_that_begins_as_segments_do_is_a_segment(kind: bytes) -> None:
    assert segment_container(head(box(kind, bytes(8)))) is Container.FMP4


@pytest.mark.parametrize("name", ["a.m4s", "a.M4S", "a.cmfv?x=1", "a.cmfa#t", "a%2Em4s"])
def test_an_mp4_that_is_called_a_segment_is_one_before_or_after_a_redirect(name: str) -> None:
    assert segment_container(head(FTYP, name)) is Container.FMP4
    assert segment_container(head(FTYP, redirected_from=name)) is Container.FMP4


def test_any_other_mp4_is_a_file() -> None:
    for name in ("a", "a.mp4", "a.m4s.mp4", "a.mp4?name=a.m4s"):
        assert segment_container(head(FTYP, name)) is None
    assert segment_container(head(FTYP, content_type="video/iso.segment")) is Container.FMP4


@pytest.mark.parametrize("name", ["a.aac", "a.AC3", "a.ec3", "a.eac3", "a.mp3", "a"])
def test_what_begins_with_a_tag_is_audio_if_its_name_says_so(name: str) -> None:
    tagged = b"ID3\4\0\0\0\0\x0f\0" + bytes(100)
    assert segment_container(head(tagged, name)) is (None if name in {"a.mp3", "a"} else Container.ADTS)
    assert segment_container(head(ADTS * 3, name)) is Container.ADTS
    assert segment_container(head(b"<html>" * 9, name)) is None


@pytest.mark.parametrize(
    ("first", "has"),
    [
        (FTYP + MOOV + MOOF, True),
        (FTYP + MOOV, True),
        (FTYP + MOOV[:-1], None),
        (FTYP, None),
        (FTYP + MOOF, False),
        (FTYP + box(b"mdat", bytes(9)) + MOOV, False),
        (MOOF, False),
        (b"", None),
    ],
)
def test_a_movie_header_comes_before_the_media(first: bytes, has: bool | None) -> None:  # noqa: FBT001 - a column
    assert has_movie_header(first) is has


@pytest.mark.parametrize(
    ("name", "demuxer"),
    [("ts-muxed", "mpegts"), ("ts-audio-only", "mpegts"), ("fmp4-muxed", "mov"), ("packed-aac", "aac"), ("packed-ac3", "ac3")],
)
def test_a_whole_segment_lasts_as_long_as_its_packets(name: str, demuxer: str) -> None:
    segment = first_segment(name)
    found = copy_with_ffmpeg(segment, demuxer).values()
    expected = max(each.end for each in found) - min(each.start for each in found)
    assert measured_seconds(segment, whole=True, length=len(segment)) == pytest.approx(expected, abs=0.05)


def test_the_end_of_a_transport_stream_shows_how_long_it_is() -> None:
    _, segments = read_segments(media("ts-muxed"))
    whole = b"".join(segments)
    by_all = measured_seconds(whole, whole=True, length=len(whole))
    assert by_all > 3
    assert measured_seconds(whole[:40_000], whole=False, length=len(whole), last=whole[-60_000:]) == pytest.approx(by_all, abs=0.05)


def test_a_part_of_packed_audio_stands_for_all_of_it() -> None:
    segment = first_segment("packed-aac")
    seconds = measured_seconds(segment, whole=True, length=len(segment))
    assert measured_seconds(segment, whole=False, length=3 * len(segment)) == pytest.approx(3 * seconds)
    assert measured_seconds(segment, whole=False, length=None) == measured_seconds(segment, whole=True, length=3 * len(segment)) == seconds


def test_the_whole_of_fragmented_mp4_is_measured_however_long_it_is() -> None:
    init, segments = read_segments(media("fmp4-muxed"), "main.m3u8")
    assert init
    whole, free = init + b"".join(segments), box(b"free", bytes(END_BYTES))
    seconds = measured_seconds(whole, whole=True, length=len(whole))
    assert (
        measured_seconds(whole + free, whole=True, length=len(whole) + len(free))
        == seconds
        > measured_seconds(init + segments[0], whole=True, length=None)
    )


@pytest.mark.parametrize(("seconds", "rounding"), [(0.0, 1.0), (0.5, 1.0), (6.0, 6.0)])
def test_one_segment_is_planned_with_a_guess_of_its_duration(seconds: float, rounding: float) -> None:
    segment = Segment("https://a.example/a.ts", seconds, 0.0, None, None, None, rounding=rounding, guessed=True)
    expected = Plan((Period((Track(TrackKind.BOTH, (segment,), seconds),)),), 60.0, 1000)
    assert plan_segment("https://a.example/a.ts", seconds=seconds, length=1000) == expected


@pytest.mark.parametrize("name", ["ts-muxed", "ts-audio-only", "packed-aac", "packed-ac3"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_beginning_of_a_segment_stands_for_all_of_it(name: str, share: float) -> None:
    segment = first_segment(name)
    first = segment[: int(len(segment) * share)]
    seconds = measured_seconds(segment, whole=True, length=len(segment))
    assert measured_seconds(first, whole=False, length=len(segment)) == pytest.approx(seconds, rel=0.5)


def test_media_without_a_time_has_no_duration() -> None:
    assert measured_seconds(first_segment("ts-muxed")[:752], whole=False, length=None) == 0.0


def test_a_segment_without_its_movie_header_is_refused_by_its_name() -> None:
    assert str(no_movie_header("a.m4s")).startswith("a.m4s is one segment of a video, without the initialization section (moov)")
