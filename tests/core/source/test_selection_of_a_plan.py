"""What a job takes of a plan: its size, its media, its format, and what of a file."""

import math
from http import HTTPStatus

import pytest
from fuzz.media_pieces import moov, u32

from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.hls.playlist import MultivariantPlaylist, parse
from transcoder.core.media.mp4.boxes import box, full_box
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import AudioMode, FileFormat, OutputFormat, VideoMode
from transcoder.core.source.selection import (
    needs_transcoding,
    oversize_factor,
    passthrough_plan,
    plan_plain_mp4,
    select,
    too_large_error,
)
from transcoder.errors import BadRequestError, TooLargeError, UnsupportedSourceError

SECONDS = 6.0
BYTES = 9000


def plan(*periods: list[TrackKind], seconds: float = SECONDS, size: int | None = BYTES) -> Plan:
    def track(kind: TrackKind) -> Track:
        return Track(kind, (Segment(kind.value, seconds, 0, None, None, None),), seconds)

    return Plan(tuple(Period(tuple(map(track, kinds))) for kinds in periods), 6.0, size)


MUXED, APART = [TrackKind.BOTH], [TrackKind.VIDEO, TrackKind.AUDIO]


@pytest.mark.parametrize(
    ("periods", "job", "expected"),
    [
        ([MUXED], Job(""), [[(TrackKind.BOTH, False)]]),
        ([APART], Job(""), [[(TrackKind.VIDEO, False), (TrackKind.AUDIO, False)]]),
        ([APART], Job("", mute=True), [[(TrackKind.VIDEO, False)]]),
        ([APART], Job("", format=FileFormat.M4A), [[(TrackKind.AUDIO, False)]]),
        ([APART], Job("", format=FileFormat.MP3), [[(TrackKind.AUDIO, False)]]),
        ([MUXED], Job("", mute=True), [[(TrackKind.VIDEO, True)]]),
        ([MUXED], Job("", format=FileFormat.MP3), [[(TrackKind.AUDIO, True)]]),
        ([APART, MUXED], Job("", format=FileFormat.M4A), [[(TrackKind.AUDIO, False)], [(TrackKind.AUDIO, True)]]),
        ([[TrackKind.AUDIO], [TrackKind.AUDIO]], Job("", format=FileFormat.MP3), [[(TrackKind.AUDIO, False)]] * 2),
    ],
)
def test_each_period_keeps_the_media_that_are_wanted(
    periods: list[list[TrackKind]], job: Job, expected: list[list[tuple[TrackKind, bool]]]
) -> None:
    got = select(plan(*periods), job)
    assert [[(track.kind, track.shares_segments) for track in period.tracks] for period in got.periods] == expected


@pytest.mark.parametrize(
    ("periods", "job", "missing"),
    [
        ([[TrackKind.VIDEO]], Job("", format=FileFormat.MP3), "no audio"),
        ([[TrackKind.AUDIO]], Job("", mute=True), "no video"),
        ([APART, [TrackKind.VIDEO]], Job("", format=FileFormat.M4A), "no audio"),
        ([[TrackKind.AUDIO], APART], Job("", mute=True), "no video"),
    ],
)
def test_what_any_period_lacks_is_refused(periods: list[list[TrackKind]], job: Job, missing: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=missing):
        select(plan(*periods), job)


@pytest.mark.parametrize(
    ("job", "size"),
    [
        (Job(""), BYTES),
        (Job("", mute=True), BYTES),
        (Job("", format=FileFormat.M4A), BYTES),
        (Job("", format=FileFormat.MP3), 144_000),
        (Job("", format=FileFormat.MP3, start=2.0, end=3.0), 24_000),
        (Job("", format=FileFormat.MP3, start=2.0), 144_000),
        (Job("", format=FileFormat.MP3, video=VideoMode.H264), 144_000),
        (Job("", video=VideoMode.H264), None),
        (Job("", exact=True, start=1.0), None),
        (Job("", exact=True), BYTES),
    ],
)
def test_the_size_of_what_is_copied_is_estimated_and_of_mp3_computed(job: Job, size: int | None) -> None:
    """An MP3 has 192 kbit/s. Of re-encoded video the size depends on what is seen."""
    assert select(plan(MUXED), job).estimated_bytes == size


def test_the_output_format_is_that_of_the_job() -> None:
    job = Job("", format=FileFormat.M4A, start=1.0, end=2.0, audio_codec=AudioMode.COPY)
    got = select(plan(MUXED), job).output_format
    assert (got.format, got.video_mode, got.audio_mode) == (FileFormat.M4A, VideoMode.COPY, AudioMode.COPY)
    assert got.clip is not None
    assert (got.clip.start, got.clip.seconds, got.clip.exact) == (1.0, 1.0, False)
    assert select(plan(MUXED), Job("", video=VideoMode.H264)).output_format == OutputFormat(video_mode=VideoMode.H264)


def test_a_clip_needs_a_duration_and_a_start_within_it() -> None:
    with pytest.raises(UnsupportedSourceError, match="duration of this video is unknown"):
        select(plan(MUXED, seconds=0.0), Job("", start=1.0))
    with pytest.raises(BadRequestError, match="beyond the end"):
        select(plan(MUXED), Job("", start=SECONDS))
    assert select(plan(MUXED, seconds=0.0), Job("")).output_format.clip is None


@pytest.mark.parametrize(
    ("job", "needs"),
    [
        (Job(""), False),
        (Job("", height=360, audio="de", exact=True), False),
        (Job("", mute=True), True),
        (Job("", format=FileFormat.M4A), True),
        (Job("", format=FileFormat.MP3), True),
        (Job("", start=0.001), True),
        (Job("", end=9.0), True),
        (Job("", video=VideoMode.H264), True),
    ],
)
def test_what_an_unchanged_file_cannot_be(job: Job, *, needs: bool) -> None:
    head = FileHead("https://a.example/film.mp4", HTTPStatus.OK, "video/mp4", 1000)
    assert needs_transcoding(job) is needs
    if needs:
        with pytest.raises(UnsupportedSourceError, match=r"file \(video/mp4\), which is passed through unchanged"):
            passthrough_plan(head, job)
    else:
        assert passthrough_plan(head, job) == Plan((), 0.0, 1000)


@pytest.mark.parametrize(("length", "fits"), [(999, True), (1000, True), (1001, False), (None, True)])
def test_a_file_may_have_exactly_as_many_bytes_as_fit(length: int | None, *, fits: bool) -> None:
    head, job = FileHead("https://a.example/film.mp4", HTTPStatus.OK, "video/mp4", length), Job("", fit=1000)
    if fits:
        assert passthrough_plan(head, job).estimated_bytes == length
    else:
        with pytest.raises(TooLargeError, match=r"the limit is 0\.001 MB, and the file has 0\.0 MB"):
            passthrough_plan(head, job)


@pytest.mark.parametrize(("fit", "factor"), [(9270, 0.0), (9271, 0.0), (9269, 9270 / 9269), (4635, 2.0), (1030, 9.0)])
def test_a_plan_fits_if_its_estimate_does_with_three_percent_more(fit: int, factor: float) -> None:
    assert oversize_factor(plan(MUXED), fit) == pytest.approx(factor)


def test_a_plan_without_an_estimate_cannot_be_made_to_fit() -> None:
    with pytest.raises(UnsupportedSourceError, match="size of this video cannot be estimated"):
        oversize_factor(plan(MUXED, size=None), 10**9)


def variants(*rates: int) -> MultivariantPlaylist:
    lines = [f"#EXT-X-STREAM-INF:BANDWIDTH={rate}\n{rate}.m3u8" for rate in rates]
    parsed = parse("\n".join(["#EXTM3U", *lines, ""]), "https://a.example/main.m3u8")
    assert isinstance(parsed, MultivariantPlaylist)
    return parsed


@pytest.mark.parametrize(
    ("rates", "output_format", "size", "smallest"),
    [
        (None, FileFormat.MP4, 10_000_000, "10.3 MB"),
        ((8_000_000, 4_000_000), FileFormat.MP4, 10_000_000, "3.1 MB"),
        ((80_000_000,), FileFormat.MP4, 10_000_000, "10.3 MB"),
        ((8_000_000, 4_000_000), FileFormat.MP3, 10_000_000, "10.3 MB"),
        (None, FileFormat.MP4, 97_087, "0.1 MB"),
        (None, FileFormat.MP4, 97_088, "0.2 MB"),
    ],
)
def test_the_smallest_version_is_named_rounded_up(
    rates: tuple[int, ...] | None, output_format: FileFormat, size: int, smallest: str
) -> None:
    of_format = plan(MUXED, size=size)._replace(output_format=OutputFormat(output_format))
    error = too_large_error(of_format, 500_000, None if rates is None else variants(*rates))
    assert str(error) == f"fit: the limit is 0.5 MB, and the smallest available version has about {smallest}."


def plain_moov(*, samples: int = 90, ticks: int = 3000) -> bytes:
    """Return a `moov` with one video track that lists its samples."""
    tables = (
        full_box(b"stsz", 0, 0, u32(100, samples))
        + full_box(b"stts", 0, 0, u32(1, samples, ticks))
        + full_box(b"stsc", 0, 0, u32(1, 1, samples, 1))
        + full_box(b"stco", 0, 0, u32(1, 0))
    )
    return moov(tables=tables)


def test_a_plain_mp4_is_one_segment_of_its_duration() -> None:
    head = box(b"ftyp", b"isom") + plain_moov() + box(b"mdat", bytes(100))
    for kind, seconds in ((TrackKind.BOTH, 3.0), (TrackKind.VIDEO, 3.0), (TrackKind.AUDIO, 0.0)):
        made = plan_plain_mp4("https://a.example/film.mp4", head, kind)
        assert made
        assert (made.seconds, made.target_seconds, made.estimated_bytes) == (seconds, seconds, None)
        (track,) = made.periods[0].tracks
        assert (track.kind, [(each.url, each.at) for each in track.segments]) == (TrackKind.BOTH, [("https://a.example/film.mp4", 0.0)])
        assert math.isclose(track.seconds, seconds)


def test_a_plain_mp4_cut_at_any_byte_of_its_head_needs_more_or_is_planned() -> None:
    head = box(b"ftyp", b"isom") + plain_moov()
    whole = plan_plain_mp4("u", head + box(b"mdat", bytes(100)), TrackKind.BOTH)
    for size in range(8, len(head)):
        assert plan_plain_mp4("u", head[:size], TrackKind.BOTH) is None, size
    assert plan_plain_mp4("u", head, TrackKind.BOTH) == whole


def test_what_is_no_plain_mp4_that_can_be_read_as_it_arrives_is_refused() -> None:
    with pytest.raises(UnsupportedSourceError, match="at its end"):
        plan_plain_mp4("u", box(b"ftyp", b"isom") + box(b"mdat", bytes(100)), TrackKind.BOTH)
    with pytest.raises(UnsupportedSourceError, match="not an MP4 that can be converted"):
        plan_plain_mp4("u", box(b"ftyp", b"isom") + box(b"moov", b"broken"), TrackKind.BOTH)
