"""What an output will be, announced before its first byte."""

from typing import Any

import pytest

from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.media.slide import Slide
from transcoder.core.media.streams import Container, Medium, Probe, Stream, TrackKind
from transcoder.core.media.timestamps import WRAP_SECONDS
from transcoder.core.output.announcement import (
    announce,
    announce_plan,
    refuse_clocks_apart,
    refuse_missing_audio,
    refuse_other_variant,
    silence_for_period,
)
from transcoder.core.output.probed_track import Border, ProbedTrack
from transcoder.core.request.output_format import AudioMode, FileFormat, OutputFormat, VideoMode
from transcoder.errors import UnsupportedSourceError, UpstreamError

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO


def track(kind: TrackKind, *seconds: float) -> Track:
    segments = [Segment(f"{index}.ts", each, sum(seconds[:index]), None, None, None) for index, each in enumerate(seconds)]
    return Track(kind, tuple(segments), sum(seconds))


def video(start: float | None = 10.0, codec: str = "h264") -> Stream:
    return Stream(VIDEO, codec, 256, start)


def audio(start: float | None = 10.0, codec: str = "aac", rate: int = 48_000, channels: int = 2) -> Stream:
    return Stream(AUDIO, codec, 257, start, rate, channels)


def probed(kind: TrackKind, *streams: Stream, seconds: tuple[float, ...] = (6.0, 6.0), **more: object) -> ProbedTrack:
    found = ProbedTrack(track(kind, *seconds), Probe(Container.MPEGTS, streams), {})
    return found._replace(**more)  # type: ignore[arg-type]  # the fields of Surveyed, one by one in each test


def seconds(*periods: list[ProbedTrack]) -> float:
    return announce(periods, estimated_bytes=None).seconds


def test_the_duration_runs_from_the_earliest_start_to_the_latest_end() -> None:
    apart = [probed(TrackKind.VIDEO, video(10.6), seconds=(5.0, 5.08)), probed(TrackKind.AUDIO, audio(10.0), seconds=(5.0, 5.03))]
    assert seconds(apart) == pytest.approx(10.68)


@pytest.mark.parametrize(
    ("listed", "length"),
    [
        pytest.param((4.0, 1.0, 1.0), 9.0, id="within the first segment: EXTINF is that of the video"),
        pytest.param((1.0, 4.0, 4.0), 9.0, id="within the second one: EXTINF is that of both"),
        pytest.param((3.0, 1.0, 4.0), 8.0, id="where the second one begins"),
    ],
)
def test_video_that_begins_after_the_audio_ends_by_where_it_begins(listed: tuple[float, ...], length: float) -> None:
    assert seconds([probed(TrackKind.BOTH, video(13.0), audio(10.0), seconds=listed)]) == pytest.approx(length)


@pytest.mark.parametrize(
    ("listed", "end", "length"),
    [
        pytest.param((2.0, 2.0, 8.0), 16.0, 6.0, id="within the last segment"),
        pytest.param((8.0, 8.0, 2.0), 22.0, 18.0, id="before it"),
        pytest.param((1.0,) * 6, 12.9, 6.0, id="by more than half a second for each"),
        pytest.param((1.0,) * 6, 13.1, 3.1, id="by less than that"),
    ],
)
def test_an_end_counts_unless_it_is_earlier_than_rounding_and_the_last_segment_explain(
    listed: tuple[float, ...], end: float, length: float
) -> None:
    assert seconds([probed(TrackKind.BOTH, video(10.0), seconds=listed, ends={VIDEO: end})]) == pytest.approx(length)


def test_extinf_of_muxed_segments_covers_both_media_together() -> None:
    assert seconds([probed(TrackKind.BOTH, video(10.0), audio(10.5))]) == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("end", "cut", "length"),
    [
        pytest.param(21.6, False, 11.6, id="EXTINF was rounded"),
        pytest.param(17.0, False, 7.0, id="the last segment is shorter than all the others"),
        pytest.param(16.0, False, 12.0, id="the last segment seems to end before it begins"),
        pytest.param(4000.0, False, 12.0, id="another timeline"),
        pytest.param(18.0, True, 12.0, id="one of several fragments"),
        pytest.param(21.6, True, 11.6, id="the last of several fragments"),
    ],
)
def test_the_last_segment_decides_the_end_where_it_is_plausible(end: float, cut: bool, length: float) -> None:  # noqa: FBT001  # a column
    assert seconds([probed(TrackKind.BOTH, video(10.0), ends={VIDEO: end}, cut=cut)]) == pytest.approx(length)


@pytest.mark.parametrize(
    ("end", "guess", "length"),
    [
        pytest.param(20.0, 10.0, 10.0, id="guessed too long"),
        pytest.param(20.0, 2.0, 10.0, id="right"),
        pytest.param(23.5, 2.0, 13.5, id="guessed too short"),
        pytest.param(4000.0, 2.0, 10.0, id="another timeline"),
    ],
)
@pytest.mark.parametrize("which", range(4))
def test_the_end_of_the_media_decides_where_a_duration_is_guessed(end: float, guess: float, length: float, which: int) -> None:
    durations = [4.0, 2.0, 2.0, 2.0]
    durations[which] = guess if which else guess + 2.0
    listed = track(TrackKind.BOTH, *durations)
    segments = [each._replace(rounding=each.seconds, guessed=True) if n == which else each for n, each in enumerate(listed.segments)]
    guessed = probed(TrackKind.BOTH, video(10.0), ends={VIDEO: end}, track=listed._replace(segments=tuple(segments)))
    assert seconds([guessed]) == pytest.approx(length)
    assert not guessed.ends_early


@pytest.mark.parametrize(
    ("end", "border", "length"),
    [
        pytest.param(42.0, Border(8.0, 2.0, 0.0), 32.0, id="all are longer than guessed"),
        pytest.param(13.0, Border(0.5, 2.0, 0.0), 3.0, id="all are shorter than guessed"),
        pytest.param(29.0, Border(2.0, 2.0, 0.0), 8.0, id="a jump by more than all guesses together"),
        pytest.param(90_000.0, Border(2.0, 2.0, 0.0), 8.0, id="a jump without a tag"),
        pytest.param(90_000.0, Border(0.5, 2.0, 0.0), 2.0, id="a jump, and shorter than guessed"),
        pytest.param(90_000.0, Border(3.0, 2.0, 0.0), 12.0, id="a jump, and longer than guessed"),
        pytest.param(90_000.0, Border(90_000.0, 2.0, -89_998.0), 8.0, id="a jump after the first segment"),
    ],
)
def test_where_all_durations_are_guessed_the_first_border_says_how_wrong_that_is(end: float, border: Border, length: float) -> None:
    listed = track(TrackKind.BOTH, 2.0, 2.0, 2.0, 2.0)
    segments = tuple(each._replace(rounding=2.0, guessed=True) for each in listed.segments)
    guessed = probed(TrackKind.BOTH, video(10.0), ends={VIDEO: end}, border=border, track=listed._replace(segments=segments))
    assert seconds([guessed]) == pytest.approx(length)


def test_periods_add_up() -> None:
    first = [probed(TrackKind.BOTH, video(10.0), audio(10.0))]
    second = [probed(TrackKind.BOTH, video(4000.0), audio(4000.1), seconds=(3.0,))]
    announcement = announce([first, second], estimated_bytes=5)
    half_a_frame = 768 / 48_000  # where periods meet, audio may be moved by so much
    assert announcement.seconds == pytest.approx(15.0 + half_a_frame)
    assert announcement.media == pytest.approx({VIDEO: 15.0, AUDIO: 15.0 + half_a_frame})  # silence fills the beginning of a period
    assert announcement.estimated_bytes == 5


@pytest.mark.parametrize(
    ("starts", "length"),
    [
        pytest.param((22.0, 21.98), 24.0, id="the clock goes on"),
        pytest.param((22.03, 22.0), 24.03, id="the clock goes on after a picture that is missing"),
        pytest.param((WRAP_SECONDS + 22.0, WRAP_SECONDS + 21.98), 24.0, id="the clock has wrapped"),
        pytest.param((500.0, 499.98), 24.0, id="another clock"),
    ],
)
def test_audio_that_reaches_over_a_border_counts_once(starts: tuple[float, float], length: float) -> None:
    first = [probed(TrackKind.BOTH, video(10.0), audio(10.0), ends={VIDEO: 22.0, AUDIO: 22.05})]
    second = [probed(TrackKind.BOTH, video(starts[0]), audio(starts[1]), ends={VIDEO: starts[0] + 12.0, AUDIO: starts[0] + 11.9})]
    assert seconds(first, second) == pytest.approx(length + 768 / 48_000)


@pytest.mark.parametrize(
    ("periods", "words"),
    [
        ([[probed(TrackKind.BOTH)]], "neither video nor audio"),
        ([[probed(TrackKind.BOTH, video(), probe=Probe(Container.MP4, (video(),)))]], "plain MP4"),
        ([[probed(TrackKind.VIDEO, audio())]], "no video"),
        ([[probed(TrackKind.AUDIO, video())]], "no audio"),
        ([[probed(TrackKind.BOTH, video(codec="mpeg2video"))]], "mpeg2video"),
        ([[probed(TrackKind.BOTH, audio(codec="ac-4"))]], "ac-4, .* cannot decode"),
        ([[probed(TrackKind.BOTH, video())], [probed(TrackKind.BOTH, video(codec="hevc"))]], "from h264 to hevc"),
        ([[probed(TrackKind.BOTH, video(), audio())], [probed(TrackKind.BOTH, audio())]], "no video"),
    ],
)
def test_periods_that_cannot_be_one_output_are_refused(periods: list[list[ProbedTrack]], words: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=words):
        announce(periods, estimated_bytes=None)


@pytest.mark.parametrize(
    ("periods", "words"),
    [
        ([[probed(TrackKind.BOTH, audio(codec="mp2"))]], "mp2, .*; without audio_codec=copy it is re-encoded"),
        ([[probed(TrackKind.BOTH, audio())], [probed(TrackKind.BOTH, audio(rate=44_100))]], "sampling rate"),
        ([[probed(TrackKind.BOTH, audio())], [probed(TrackKind.BOTH, audio(channels=1))]], "channels"),
        ([[probed(TrackKind.BOTH, audio())], [probed(TrackKind.BOTH, audio(codec="ac3"))]], "from aac to ac3"),
    ],
)
def test_audio_is_not_reencoded_where_that_is_forbidden(periods: list[list[ProbedTrack]], words: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=words):
        announce(periods, estimated_bytes=None, output_format=OutputFormat(audio_mode=AudioMode.COPY))
    assert announce(periods, estimated_bytes=None).audio is not None


@pytest.mark.parametrize(
    ("first", "second", "codec", "reencoded"),
    [
        pytest.param(audio(codec="mp2"), audio(codec="mp2"), "aac", ("mp2",), id="MP4 cannot hold either"),
        pytest.param(audio(), audio(codec="dts"), "aac", ("dts",), id="MP4 cannot hold the second"),
        pytest.param(audio(codec="mp2", rate=44_100), audio(rate=44_100), "aac", ("mp2",), id="MP4 cannot hold the first"),
        pytest.param(audio(codec="ac3"), audio(), "ac3", ("aac",), id="another codec"),
        pytest.param(audio(), audio(rate=44_100), "aac", ("aac",), id="another rate"),
        pytest.param(audio(), audio(channels=6), "aac", ("aac",), id="other channels"),
        pytest.param(audio(channels=3), audio(), "aac", ("aac",), id="fewer channels than three"),
        pytest.param(audio(channels=4), audio(), "aac", ("aac",), id="fewer channels than four"),
        pytest.param(audio(codec="ac3", channels=5), audio(codec="ac3"), "ac3", ("ac3",), id="fewer channels than five"),
        pytest.param(audio(), audio(), "aac", (), id="the same"),
    ],
)
def test_audio_is_reencoded_where_it_could_not_be_in_the_output_otherwise(
    first: Stream, second: Stream, codec: str, reencoded: tuple[str, ...]
) -> None:
    announcement = announce([[probed(TrackKind.BOTH, video(), each)] for each in (first, second)], estimated_bytes=None)
    assert announcement.audio == first._replace(codec=codec)
    assert announcement.reencoded == reencoded


@pytest.mark.parametrize(
    ("first", "later", "rate", "channels"),
    [
        pytest.param(audio(codec="flac"), audio(codec="opus"), 48_000, 2, id="FLAC has more in its format"),
        pytest.param(audio(codec="flac"), None, 48_000, 2, id="FLAC, and silence"),
        pytest.param(audio(channels=7), audio(), 48_000, 6, id="more channels than are encoded"),
        pytest.param(audio(codec="ac3", channels=7), None, 48_000, 6, id="more channels, and silence"),
        pytest.param(audio(codec="truehd")._replace(sample_rate=None, channels=None), audio(), 48_000, 2, id="unknown, and known"),
        pytest.param(audio(codec="truehd")._replace(sample_rate=None), None, 48_000, 2, id="unknown, and silence"),
    ],
)
def test_all_audio_becomes_aac_where_a_later_period_cannot_have_the_format_of_the_first(
    first: Stream, later: Stream | None, rate: int, channels: int
) -> None:
    second = [video(), later] if later else [video()]
    for streams in ([[video(), first], second], [second, [video(), first]]) if later is None else ([[video(), first], second],):
        announcement = announce([[probed(TrackKind.BOTH, *each)] for each in streams], estimated_bytes=None)
        assert announcement.audio
        assert (announcement.audio.codec, announcement.audio.sample_rate, announcement.audio.channels) == ("aac", rate, channels)
        assert first.codec in announcement.reencoded


@pytest.mark.parametrize("first", [audio(codec="flac"), audio(channels=7)])
def test_audio_that_stays_the_same_is_copied_even_where_it_could_not_be_encoded(first: Stream) -> None:
    announcement = announce([[probed(TrackKind.BOTH, video(), first)]] * 2, estimated_bytes=None)
    assert (announcement.audio, announcement.reencoded) == (first, ())


@pytest.mark.parametrize("later", [[video(), audio()], [video()]])
def test_audio_that_cannot_be_encoded_is_not_reencoded_where_that_is_forbidden(later: list[Stream]) -> None:
    periods = [[probed(TrackKind.BOTH, video(), audio(codec="flac"))], [probed(TrackKind.BOTH, *later)]]
    with pytest.raises(UnsupportedSourceError, match=r"from flac to aac|no audio"):
        announce(periods, estimated_bytes=None, output_format=OutputFormat(audio_mode=AudioMode.COPY))


def test_what_is_reencoded_for_the_format_asked_for_is_not_mentioned() -> None:
    periods = [[probed(TrackKind.AUDIO, audio(codec="mp2"))]]
    for file_format in (FileFormat.M4A, FileFormat.MP3):
        assert announce(periods, estimated_bytes=None, output_format=OutputFormat(file_format)).reencoded == ()


def test_a_stream_that_is_announced_but_never_begins_is_left_out() -> None:
    announcement = announce([[probed(TrackKind.BOTH, video(), audio(start=None))]], estimated_bytes=None)
    assert set(announcement.media) == {VIDEO}


@pytest.mark.parametrize("file_format", [FileFormat.M4A, FileFormat.MP3])
def test_audio_alone_is_silent_in_a_period_that_has_only_video(file_format: FileFormat) -> None:
    shared = track(TrackKind.AUDIO, 3.0, 3.0)._replace(shares_segments=True)
    loud = [probed(TrackKind.AUDIO, video(), audio(), track=shared)]
    silent = [probed(TrackKind.AUDIO, video(500.0), track=shared, ends={VIDEO: 505.5})]
    for periods in ([loud, silent], [silent, loud]):
        announcement = announce(periods, estimated_bytes=None, output_format=OutputFormat(file_format))
        assert announcement.seconds == pytest.approx(11.5, abs=0.1)
        assert set(announcement.media) == {AUDIO}
        silence = silence_for_period(silent, announcement.audio)
        assert silence is not None
        assert (silence.start, silence.seconds) == (500.0, 5.5)


@pytest.mark.parametrize(
    ("shares_segments", "streams", "words"),
    [
        pytest.param(False, (video(),), "A part of the source has no audio", id="a playlist of audio, and video in its place"),
        pytest.param(True, (video(start=None),), "A part of the source has no audio", id="video that has not begun"),
        pytest.param(True, (), "A part of the source has no audio", id="nothing"),
    ],
)
def test_audio_alone_is_not_silent_where_something_is_missing(*, shares_segments: bool, streams: tuple[Stream, ...], words: str) -> None:
    shared = track(TrackKind.AUDIO, 6.0)._replace(shares_segments=shares_segments)
    found = [[probed(TrackKind.AUDIO, *each, track=shared)] for each in ((audio(),), streams)]
    with pytest.raises(UnsupportedSourceError, match=words):
        announce(found, estimated_bytes=None, output_format=OutputFormat(FileFormat.M4A))


def test_audio_that_must_be_there_may_be_in_any_period() -> None:
    silent, loud = [probed(TrackKind.BOTH, video())], [probed(TrackKind.BOTH, video(500.0), audio(500.0))]
    refuse_missing_audio(announce([silent, loud], estimated_bytes=None))
    for periods in ([silent, silent], [[probed(TrackKind.BOTH, video(), audio(start=None))]]):
        with pytest.raises(UnsupportedSourceError, match="names audio"):
            refuse_missing_audio(announce(periods, estimated_bytes=None))


@pytest.mark.parametrize(
    ("size", "refused"), [((640, 360), False), ((320, 180), True), ((638, 358), False), (None, False)], ids=["own", "other", "odd", "TS"]
)
def test_pictures_as_large_as_those_of_another_variant_are_refused(size: tuple[int, int] | None, *, refused: bool) -> None:
    found = [probed(TrackKind.VIDEO, video()._replace(picture_size=size)), probed(TrackKind.AUDIO, audio())]
    others = {(320, 180), (1280, 720)}
    refuse_other_variant([found, found], resolution=(640, 360), others=others)
    if refused:
        with pytest.raises(UpstreamError, match="320x180 pixels instead of 640x360"):
            refuse_other_variant([found], resolution=(640, 360), others=others)
    else:
        refuse_other_variant([found], resolution=(640, 360), others=others)


@pytest.mark.parametrize(
    ("late", "kind", "refused"),
    [
        pytest.param(0.7, TrackKind.AUDIO, False, id="audio begins later"),
        pytest.param(4.4, TrackKind.AUDIO, False, id="by almost a segment"),
        pytest.param(4.6, TrackKind.AUDIO, True, id="by more than a segment"),
        pytest.param(-10.0, TrackKind.AUDIO, True, id="video begins later"),
        pytest.param(18_000.0, TrackKind.AUDIO, True, id="hours"),
        pytest.param(4.6, TrackKind.BOTH, False, id="in the same segments, where it is searched for"),
        pytest.param(1000.0, TrackKind.BOTH, True, id="in the same segments, too late"),
    ],
)
def test_clocks_that_are_apart_are_refused(late: float, kind: TrackKind, *, refused: bool) -> None:
    streams = video(50.0), audio(50.0 + late)
    tracks = [probed(kind, *streams)] if kind is TrackKind.BOTH else [probed(TrackKind.VIDEO, streams[0]), probed(kind, streams[1])]
    if refused:
        with pytest.raises(UnsupportedSourceError, match=f"clocks of video and audio are {abs(late):.1f} s apart"):
            refuse_clocks_apart([tracks], target_seconds=4.0)
    else:
        refuse_clocks_apart([tracks], target_seconds=4.0)


def test_a_wrap_of_the_clock_between_video_and_audio_does_not_set_them_apart() -> None:
    tracks = [probed(TrackKind.VIDEO, video(2**33 / 90_000 - 0.5)), probed(TrackKind.AUDIO, audio(0.1))]
    refuse_clocks_apart([tracks], target_seconds=4.0)


def test_a_period_without_audio_gets_silence_of_its_duration_in_the_format_of_the_output() -> None:
    loud = [probed(TrackKind.BOTH, video(), audio(rate=44_100, channels=1))]
    silent = [probed(TrackKind.BOTH, video(500.0), seconds=(4.0,))]
    announcement = announce([silent, loud], estimated_bytes=None)
    silence = silence_for_period(silent, announcement.audio)
    assert silence is not None
    assert (silence.encoder, silence.sample_rate, silence.channels, silence.start) == ("aac", 44_100, 1, 500.0)
    assert silence.seconds == pytest.approx(4.0)
    assert silence_for_period(loud, announcement.audio) is None


def test_silence_beside_audio_of_an_unknown_format_has_none() -> None:
    unknown = Stream(AUDIO, "aac", 257, 10.0)
    silence = silence_for_period([probed(TrackKind.BOTH, video(500.0), seconds=(4.0,))], unknown)
    assert silence is not None
    assert (silence.sample_rate, silence.channels) == (0, 0)


def test_without_extinf_the_last_segment_decides_the_duration() -> None:
    ends = {VIDEO: 18.0, AUDIO: 18.1}
    assert seconds([probed(TrackKind.BOTH, video(10.0), audio(9.9), seconds=(0.0, 0.0), ends=ends)]) == pytest.approx(8.2)


def test_no_duration_is_negative() -> None:
    announcement = announce([[probed(TrackKind.BOTH, video(14.5), audio(10.0), seconds=(2.0, 1.0))]], estimated_bytes=None)
    assert announcement.media == pytest.approx({VIDEO: 0.0, AUDIO: 3.0})


def test_a_later_probe_adds_the_start_of_a_late_stream() -> None:
    first = Probe(Container.MPEGTS, (video(10.0), audio(None)))
    later = Probe(Container.MPEGTS, (video(12.0), audio(12.5)))
    assert first.has_pending_stream
    assert not first.merged_with(later).has_pending_stream
    assert [stream.start for stream in first.merged_with(later).streams] == [10.0, 12.5]


def test_audio_alone_may_be_longer_than_extinf_says_by_what_its_encoder_added() -> None:
    periods = [[probed(TrackKind.AUDIO, audio(start), seconds=(2.0,))] for start in (10.0, 500.0, 900.0)]
    assert 6.0 + 2 * 0.03 <= seconds(*periods) <= 6.1


@pytest.mark.parametrize(
    ("more", "length"),
    [
        pytest.param({"ends": {VIDEO: 30.0}, "is_late": True}, 20.0, id="EXTINF is too short"),
        pytest.param({"ends": {VIDEO: 30.0}, "last_start": 16.0}, 20.0, id="that of the last segment is"),
        pytest.param({"ends": {VIDEO: 22.0, AUDIO: 27.0}}, 17.0, id="the audio leaps alone"),
        pytest.param({"ends": {VIDEO: 30.0}}, 12.0, id="another timeline"),
    ],
)
def test_an_end_that_is_late_counts_where_something_explains_it(more: dict[str, Any], length: float) -> None:
    assert seconds([probed(TrackKind.BOTH, video(10.0), audio(10.0), **more)]) == pytest.approx(length)


def test_audio_that_begins_late_by_its_clock_ends_late() -> None:
    ends = {VIDEO: 22.0, AUDIO: 32.0}
    assert seconds([probed(TrackKind.BOTH, video(10.0), audio(20.0), ends=ends)]) == pytest.approx(22.0)


def test_one_segment_shows_its_own_length() -> None:
    assert seconds([probed(TrackKind.BOTH, video(10.0), seconds=(0.4,), ends={VIDEO: 30.0})]) == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("slide", "ends", "listed", "border", "length"),
    [
        pytest.param(Slide(20.0, None), {VIDEO: 20.0}, (5.0, 5.0, 5.0), None, 15.0, id="one in each segment"),
        pytest.param(Slide(20.0, None), {VIDEO: 20.0, AUDIO: 21.0}, (5.0, 5.0, 5.0), None, 15.0, id="and 1 s of audio"),
        pytest.param(Slide(35.0, 5.0, is_even=True), {VIDEO: 36.0}, (15.0, 15.0), None, 30.0, id="three in each segment"),
        pytest.param(Slide(10.0, None), {VIDEO: 10.0}, (5.0,), None, 5.0, id="the only one"),
        pytest.param(Slide(12.0, 2.0), {VIDEO: 13.0}, (4.0,), None, 4.0, id="two"),
        pytest.param(Slide(12.0, 2.0), {VIDEO: 13.0}, (2.5,), None, 2.5, id="the last one is short"),
        pytest.param(Slide(20.0, 5.0, is_even=True), {VIDEO: 21.0}, (30.0,), None, 15.0, id="EXTINF is twice as long"),
        pytest.param(Slide(20.0, 5.0, is_even=True), {VIDEO: 21.0}, (7.5,), None, 15.0, id="and half as long"),
        pytest.param(Slide(20.0, None), {VIDEO: 20.0}, (10.0,) * 3, Border(5.0, 10.0, 0.0), 15.0, id="twice as long in each of several"),
        pytest.param(Slide(20.0, None), {VIDEO: 20.0}, (2.5,) * 3, Border(5.0, 2.5, 0.0), 15.0, id="half as long in each of several"),
        pytest.param(Slide(39.0, 3.0), {VIDEO: 40.0, AUDIO: 41.0}, (14.0, 13.0), None, 31.0, id="the audio goes on for less"),
    ],
)
def test_a_slide_at_the_end_is_shown_until_the_playlist_ends_where_that_is_consistent(
    slide: Slide, ends: dict[Medium, float], listed: tuple[float, ...], border: Border | None, length: float
) -> None:
    found = probed(TrackKind.BOTH, video(10.0), audio(10.0), seconds=listed, slide=slide, ends=ends, border=border)
    assert announce([[found]], estimated_bytes=None).media[VIDEO] == pytest.approx(length)


def test_a_slide_may_be_shown_for_longer_where_extinf_is_rounded() -> None:
    listed = track(TrackKind.VIDEO, 2.0)
    rounded = listed._replace(segments=(listed.segments[0]._replace(rounding=0.5),))
    slide = probed(TrackKind.VIDEO, video(10.0), track=rounded, ends={VIDEO: 10.0}, slide=Slide(10.0, None))
    assert seconds([slide], [slide]) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("ends", "border", "length"),
    [
        pytest.param({VIDEO: 16.8, AUDIO: 16.8}, Border(1.6, 2.0, 0.4), 8.0, id="both overlap"),
        pytest.param({VIDEO: 16.8, AUDIO: 18.0}, Border(1.6, 2.0, 0.4), 10.4, id="the audio waits for more and more"),
        pytest.param({VIDEO: 17.6, AUDIO: 18.0}, Border(1.6, 2.0, 0.4), 8.4, id="at one border alone"),
        pytest.param({VIDEO: 17.6, AUDIO: 18.0}, Border(2.0, 2.0, 0.0), 8.0, id="the video is over by itself"),
    ],
)
def test_segments_whose_video_overlaps_are_played_whole(ends: dict[Medium, float], border: Border, length: float) -> None:
    found = probed(TrackKind.BOTH, video(10.0), audio(10.0), seconds=(2.0,) * 4, ends=ends, border=border)
    assert seconds([found]) == pytest.approx(length, abs=0.05)


@pytest.mark.parametrize(
    ("late", "length"),
    [pytest.param(11.9, 23.9, id="the last segment is longer than listed"), pytest.param(12.1, 12.0, id="by more than two segments")],
)
def test_the_last_segment_may_have_any_duration_in_the_playlist(late: float, length: float) -> None:
    """The playlist lists 6 s for both segments; the first one lasts as long."""
    found = probed(TrackKind.BOTH, video(10.0), ends={VIDEO: 22.0 + late}, border=Border(6.0, 6.0, 0.0))
    assert seconds([found]) == pytest.approx(length)


def plan(**more: Any) -> Plan:
    tracks = (track(TrackKind.VIDEO, 6.0, 6.0), track(TrackKind.AUDIO, 6.0, 6.0))
    return Plan((Period(tracks),), 6.0, 4_000_000)._replace(**more)


def test_what_a_plan_says_is_announced() -> None:
    found = [probed(TrackKind.VIDEO, video(codec="hevc")), probed(TrackKind.AUDIO, audio())]
    usual = announce_plan(plan(names_audio=True), [found])
    assert (usual.estimated_bytes, usual.encodes_video, usual.audio) == (4_000_000, False, audio())
    encoded = announce_plan(plan(output_format=OutputFormat(video_mode=VideoMode.H264)), [found])
    assert (encoded.encodes_video, encoded.reencoded) == (True, ())
    assert not announce_plan(
        plan(output_format=OutputFormat(video_mode=VideoMode.H264)), [[probed(TrackKind.VIDEO, video())]]
    ).encodes_video


@pytest.mark.parametrize(
    ("more", "streams", "words"),
    [
        pytest.param({"names_audio": True}, (video(),), "names audio", id="no audio"),
        pytest.param({"target_seconds": 6.0}, (video(), audio(1000.0)), "clocks", id="clocks apart"),
        pytest.param(
            {"resolution": (640, 360), "other_resolutions": frozenset({(320, 180)})},
            (video()._replace(picture_size=(320, 180)),),
            "another variant",
            id="another variant",
        ),
        pytest.param({}, (video(codec="mpeg2video"),), "mpeg2video", id="a codec that MP4 cannot hold"),
    ],
)
def test_media_that_do_not_fit_their_plan_are_refused(more: dict[str, Any], streams: tuple[Stream, ...], words: str) -> None:
    with pytest.raises(UpstreamError if "resolution" in more else UnsupportedSourceError, match=words):
        announce_plan(plan(**more), [[probed(TrackKind.BOTH, *streams)]])


def test_pictures_are_compared_with_a_plan_that_has_a_resolution_alone() -> None:
    streams = (video()._replace(picture_size=(320, 180)),)
    announce_plan(plan(other_resolutions=frozenset({(320, 180)})), [[probed(TrackKind.BOTH, *streams)]])


@pytest.mark.parametrize(("late", "refused"), [(4.5, False), (4.51, True), (-4.5, False), (-4.51, True)])
def test_clocks_may_be_apart_by_a_segment_and_half_a_second(late: float, *, refused: bool) -> None:
    tracks = [probed(TrackKind.VIDEO, video(50.0)), probed(TrackKind.AUDIO, audio(50.0 + late))]
    if refused:
        with pytest.raises(UnsupportedSourceError, match="apart"):
            refuse_clocks_apart([tracks], target_seconds=4.0)
    else:
        refuse_clocks_apart([tracks], target_seconds=4.0)


@pytest.mark.parametrize(("late", "refused"), [(58.5, False), (58.6, True)])
def test_where_both_share_segments_one_may_begin_in_any_of_the_first_nine(late: float, *, refused: bool) -> None:
    """Nine segments of 6 s, besides one of 4 s, and half a second."""
    tracks = [probed(TrackKind.BOTH, video(50.0), audio(50.0 + late), seconds=(6.0,) * 12)]
    if refused:
        with pytest.raises(UnsupportedSourceError, match="apart"):
            refuse_clocks_apart([tracks], target_seconds=4.0)
    else:
        refuse_clocks_apart([tracks], target_seconds=4.0)


def test_tracks_are_apart_by_what_their_playlists_do_not_say() -> None:
    later = track(TrackKind.AUDIO, 6.0)
    moved = later._replace(segments=tuple(segment._replace(at=100.0) for segment in later.segments))
    tracks = [probed(TrackKind.VIDEO, video(50.0)), probed(TrackKind.AUDIO, audio(150.0), track=moved)]
    refuse_clocks_apart([tracks, [probed(TrackKind.VIDEO, video(None))]], target_seconds=4.0)
    with pytest.raises(UnsupportedSourceError, match=r"100\.0 s apart"):
        refuse_clocks_apart([[tracks[0]], [tracks[0], tracks[1]._replace(track=later)]], target_seconds=4.0)


@pytest.mark.parametrize(
    ("begins", "waits"),
    [
        pytest.param((500.0, 499.9), 0.0, id="a few frames are cut"),
        pytest.param((500.0, 499.881), 0.0, id="as many as may be"),
        pytest.param((500.0, 499.879), 0.121, id="a little more"),
        pytest.param((500.0, 499.0), 1.0, id="a second of audio"),
    ],
)
@pytest.mark.parametrize("silent_end", [0.0, 0.3])
def test_a_later_period_waits_for_audio_that_begins_before_its_video(begins: tuple[float, float], waits: float, silent_end: float) -> None:
    """It may lie in what the audio of the period before lacks at its end."""
    first = [probed(TrackKind.BOTH, video(10.0), audio(10.0), ends={VIDEO: 22.0, AUDIO: 22.0 - silent_end})]
    ends = {VIDEO: begins[0] + 12.0, AUDIO: begins[0] + 12.0}
    second = [probed(TrackKind.BOTH, video(begins[0]), audio(begins[1]), ends=ends)]
    expected = 24.0 + (waits - silent_end if waits > silent_end else 0.0) + 768 / 48_000
    assert seconds(first, second) == pytest.approx(expected)
    assert announce([first, second], estimated_bytes=None).media == pytest.approx({VIDEO: expected - 768 / 48_000, AUDIO: expected})


@pytest.mark.parametrize(
    ("start", "end"),
    [(22.099, 22.099), (22.101, 22.0), (21.901, 21.901), (21.899, 22.0), (500.0, 22.0)],
)
def test_a_period_goes_on_where_the_one_before_ended_by_less_than_a_tenth_of_a_second(start: float, end: float) -> None:
    first = [probed(TrackKind.VIDEO, video(10.0), ends={VIDEO: 22.0})]
    second = [probed(TrackKind.VIDEO, video(start), ends={VIDEO: start + 12.0})]
    assert seconds(first, second) == pytest.approx(end - 10.0 + 12.0)


def test_rounding_of_extinf_widens_that() -> None:
    listed = track(TrackKind.VIDEO, 6.0, 6.0)
    segments = tuple(each._replace(rounding=0.25) for each in listed.segments)
    second = [probed(TrackKind.VIDEO, video(22.55), ends={VIDEO: 34.55})]
    for guessed, length in ((False, 24.55), (True, 24.0)):
        changed = tuple(each._replace(guessed=guessed) for each in segments)
        first = [probed(TrackKind.VIDEO, video(10.0), track=listed._replace(segments=changed), ends={VIDEO: 22.0})]
        assert seconds(first, second) == pytest.approx(length)


@pytest.mark.parametrize(("audio_end", "length"), [(22.06, 24.0), (22.07, 24.07), (23.0, 25.0)])
def test_a_picture_stays_for_audio_that_goes_on_by_more_than_sixty_milliseconds(audio_end: float, length: float) -> None:
    first = [probed(TrackKind.BOTH, video(10.0), audio(10.0), ends={VIDEO: 22.0, AUDIO: audio_end})]
    second = [probed(TrackKind.BOTH, video(500.0), audio(500.0), ends={VIDEO: 512.0, AUDIO: 512.0})]
    assert seconds(first, second) == pytest.approx(length + 768 / 48_000)


@pytest.mark.parametrize(("rate", "more"), [(48_000, 2 * 1024 / 48_000), (8000, 2 * 1024 / 8000), (None, 2 * 1024 / 48_000)])
def test_audio_that_is_encoded_may_be_longer_by_two_frames(rate: int | None, more: float) -> None:
    stream = audio(codec="mp2")._replace(sample_rate=rate)
    found = [probed(TrackKind.BOTH, video(10.0), stream, ends={VIDEO: 22.0, AUDIO: 22.0})]
    announcement = announce([found], estimated_bytes=None)
    assert announcement.media == pytest.approx({VIDEO: 12.0, AUDIO: 12.0 + more})
    assert announcement.seconds == pytest.approx(12.0 + more)


def test_each_of_several_periods_ends_where_the_next_one_begins() -> None:
    starts = [10.0, 22.03, 34.08, 500.0]
    periods = [[probed(TrackKind.VIDEO, video(start), ends={VIDEO: start + 12.0})] for start in starts]
    assert seconds(*periods) == pytest.approx(12.03 + 12.05 + 12.0 + 12.0)
    assert seconds(*periods[1:], periods[0]) == pytest.approx(12.05 + 12.0 + 12.0 + 12.0)
