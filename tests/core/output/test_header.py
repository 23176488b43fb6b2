"""What a header says of its tracks, and the header of the output: its durations, and when each track begins."""

import math

import pytest
from peers.exact_fragments import AUDIO, TICKS, VIDEO, VIDEO_ENTRY, Run, audio_entry, fragment, frames, header, pictures
from peers.remuxed_periods import MONO_SILENCE, STEREO_SILENCE

from transcoder.core.media.mp4.boxes import Box, boxes_of
from transcoder.core.media.mp4.movie import Movie, read_movie
from transcoder.core.media.streams import Medium
from transcoder.core.output.header import Durations, OutputHeader, read_header
from transcoder.core.output.joiner import Joiner
from transcoder.errors import TranscodeError, UnsupportedSourceError


def moov_of(data: bytes) -> Box:
    return next(each for each in boxes_of(data) if each.type == b"moov")


def specific_config(kind: int, rate_index: int, channels: int) -> bytes:
    """Write an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1); SBR and PS are written on top of AAC-LC at twice the rate."""
    bits = f"{kind:05b}{rate_index:04b}" + (f"{44_100:024b}" if rate_index == 15 else "") + f"{channels:04b}"
    bits += f"{3:04b}{2:05b}" if kind in {5, 29} else ""
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


@pytest.mark.parametrize(
    ("config", "silence"),
    [
        pytest.param(specific_config(2, 3, 2), STEREO_SILENCE, id="AAC-LC, stereo"),
        pytest.param(specific_config(2, 4, 1), MONO_SILENCE, id="AAC-LC, mono"),
        pytest.param(specific_config(5, 6, 2), STEREO_SILENCE, id="with SBR"),
        pytest.param(specific_config(29, 6, 1), MONO_SILENCE, id="with PS"),
        pytest.param(specific_config(2, 3, 6), None, id="5.1"),
        pytest.param(specific_config(2, 3, 0), None, id="channels that are described elsewhere"),
        pytest.param(specific_config(1, 3, 2), None, id="AAC Main"),
        pytest.param(specific_config(2, 15, 2), None, id="a rate that is written out"),
    ],
)
def test_a_silent_frame_is_known_of_aac_with_one_or_two_channels(config: bytes, silence: bytes | None) -> None:
    (track,) = read_header(moov_of(header(AUDIO, audio=audio_entry(config)))).tracks
    assert track.silence == silence
    assert (track.medium, track.id, track.timescale) == (AUDIO, 2, TICKS[AUDIO])


def test_what_must_be_the_same_in_all_periods_is_read() -> None:
    both = read_header(moov_of(header(VIDEO, AUDIO)))
    assert [(track.medium, track.sample_rate, track.channels, track.parameter_sets) for track in both.tracks] == [
        (VIDEO, None, None, b""),
        (AUDIO, 3, 2, b""),
    ]
    hvc1 = read_header(moov_of(header(VIDEO, video=VIDEO_ENTRY.replace(b"avc1", b"hvc1")))).tracks[0]
    assert hvc1.parameter_sets == VIDEO_ENTRY[8:]


def test_tracks_are_found_by_their_ids() -> None:
    found = read_header(moov_of(header(VIDEO, AUDIO)))
    assert [found.track(number).medium for number in (1, 2)] == [VIDEO, AUDIO]
    with pytest.raises(TranscodeError, match="belongs to track 3, which the header does not list"):
        found.track(3)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(header(VIDEO, AUDIO, handlers=(b"text", b"soun")), "neither video nor audio", id="a track of text"),
        pytest.param(
            header(VIDEO, AUDIO, handlers=(b"soun", b"soun"), video=audio_entry()), "exactly one track of each", id="two of audio"
        ),
        pytest.param(header(), "exactly one track of each", id="none"),
        pytest.param(header(VIDEO).replace(b"trex", b"free"), "no fragments of track 1", id="no fragments"),
        pytest.param(header(VIDEO).replace(b"\0\0\x03\xe8\0\0\0\0", bytes(8), 2), "neither video nor audio", id="no timescale"),
    ],
)
def test_a_header_of_another_kind_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(TranscodeError, match=words):
        read_header(moov_of(data))


def written(durations: Durations, *runs: Run, media: tuple[Medium, ...] = (VIDEO, AUDIO)) -> tuple[Movie, OutputHeader, bytes]:
    joiner = Joiner(durations)
    joiner.begin_period()
    data = b"".join(joiner.feed(header(*media) + fragment(*runs)))
    return read_movie(moov_of(data)), read_header(moov_of(data)), data


@pytest.mark.parametrize("seconds", [1.0, 1.00001, 2.9999999, 0.3])
def test_no_duration_is_rounded_down(seconds: float) -> None:
    movie, _, _ = written(Durations(seconds, {VIDEO: seconds - 0.1}), pictures(0, (0, 1)), frames(0, 4, time=64))
    assert (movie.timescale, movie.duration) == (90_000, math.ceil(seconds * 90_000))
    assert [track.duration for track in movie.tracks] == [math.ceil((seconds - 0.1) * 1000), math.ceil(seconds * 512)]


@pytest.mark.parametrize(
    ("video", "audio", "delays", "lengths"),
    [
        pytest.param(0, 64, (0, 0), (2000, 1024), id="together"),
        pytest.param(1000, 64, (78_750, 0), (1125, 1024), id="the video decoded seven eighths later"),
        pytest.param(0, 192, (0, 22_500), (2000, 896), id="the audio a quarter later"),
        pytest.param(0, 65, (0, 176), (2000, 1023), id="the audio a tick later"),
        pytest.param(126, 64, (90, 0), (1999, 1024), id="the video decoded a millisecond later"),
        pytest.param(-5000, -2496, (0, 0), (2000, 1024), id="before 0"),
    ],
)
def test_a_track_that_begins_later_has_an_empty_edit_and_is_shorter(
    video: int, audio: int, delays: tuple[int, int], lengths: tuple[int, int]
) -> None:
    movie, _, _ = written(Durations(2.0, {}), pictures(0, (0, 1), time=video), frames(0, 4, time=audio))
    found = [sum(edit.duration for edit in track.edits if edit.media_time == -1) for track in movie.tracks]
    assert tuple(found) == delays
    assert tuple(track.duration for track in movie.tracks) == lengths
    assert [track.edits[-1].media_time for track in movie.tracks] == [0 if delays[0] else 125, 0]


@pytest.mark.parametrize(("entry", "becomes"), [(b"hev1", b"hvc1"), (b"hvc1", b"hvc1"), (b"avc1", b"avc1"), (b"dvh1", b"dvh1")])
def test_hevc_is_named_as_players_of_apples_expect_it(entry: bytes, becomes: bytes) -> None:
    joiner = Joiner(Durations(1.0, {}))
    joiner.begin_period()
    data = b"".join(joiner.feed(header(VIDEO, AUDIO, video=VIDEO_ENTRY.replace(b"avc1", entry)) + fragment(pictures(0, (0, 1)))))
    assert [track.entries[0].type for track in read_movie(moov_of(data)).tracks] == [becomes, b"mp4a"]


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [(b"avc1", b"avc3", True), (b"avc3", b"avc1", True), (b"hev1", b"hev1", True), (b"avc1", b"hev1", False), (b"hvc1", b"hev1", False)],
)
def test_periods_may_differ_in_where_their_parameter_sets_are(first: bytes, second: bytes, *, fits: bool) -> None:
    joiner = Joiner(Durations(1.0, {}))
    joiner.begin_period(last=False)
    joiner.feed(header(VIDEO, video=VIDEO_ENTRY.replace(b"avc1", first)) + fragment(pictures(0, (0, 1))))
    joiner.end_period()
    joiner.begin_period()
    later = header(VIDEO, video=VIDEO_ENTRY.replace(b"avc1", second)) + fragment(pictures(2, (0, 1), time=250))
    if fits:
        assert joiner.feed(later)
    else:
        with pytest.raises(UnsupportedSourceError, match="changes its codec"):
            joiner.feed(later)
