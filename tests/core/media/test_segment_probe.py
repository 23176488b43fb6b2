"""What a probe finds in fragments of which every number is known, and how far it looks."""

import pytest
from peers.two_tracks import AUDIO, AUDIO_TRACK, MOVIE, SECOND_AUDIO, TEXT, TIMESCALE, VIDEO, VIDEO_TRACK, Part, fragment, moof, movie

from transcoder.core.media.mp4.boxes import Box, box
from transcoder.core.media.mp4_source.fragments import read_fragment
from transcoder.core.media.mp4_source.probe import fragment_ends, has_no_samples, probe_fragments
from transcoder.core.media.mp4_source.tracks import source_tracks
from transcoder.core.media.streams import Medium, Probe
from transcoder.errors import DamagedMediaError

SECOND = TIMESCALE
MEBIBYTE = 1024 * 1024
VIDEO_PART, AUDIO_PART = Part(1024, [64], offsets=[32]), Part(512, [32], AUDIO)


def probed(body: bytes, *, init: bytes = MOVIE) -> Probe:
    found = probe_fragments(body, init=init, whole=True)
    assert found
    return found


def starts(found: Probe) -> dict[int, tuple[float | None, float | None]]:
    """Return the first presentation and decode times of each track."""
    return {stream.id: (stream.start, stream.decode_start) for stream in found.streams}


def free(size: int) -> bytes:
    return box(b"free", bytes(size - 8))


def test_each_track_begins_with_its_first_fragment_that_has_a_time() -> None:
    body = fragment(Part(None, [64]), Part(0, [], AUDIO)) + fragment(VIDEO_PART, AUDIO_PART) + fragment(Part(0, [64]), Part(0, [9], AUDIO))
    assert starts(probed(fragment(VIDEO_PART, AUDIO_PART))) == {1: (1056 / SECOND, 1.0), 2: (0.5, 0.5), 4: (None, None)}
    assert starts(probed(body)) == {1: (1056 / SECOND, 1.0), 2: (0.5, 0.5), 4: (None, None)}


def test_a_movie_in_the_segment_counts_if_there_is_no_other() -> None:
    body = movie(VIDEO_TRACK) + fragment(VIDEO_PART, AUDIO_PART)
    assert list(starts(probed(body, init=b""))) == [1]
    assert list(starts(probed(body))) == [1, 2, 4]
    assert list(starts(probed(movie(VIDEO_TRACK) + MOVIE + fragment(VIDEO_PART), init=b""))) == [1]
    with pytest.raises(DamagedMediaError, match="no video or audio track"):
        probed(fragment(VIDEO_PART), init=b"")


def test_more_bytes_are_needed_until_each_medium_has_begun() -> None:
    video, both = fragment(VIDEO_PART), fragment(VIDEO_PART) + fragment(Part(0, [9], SECOND_AUDIO)) + fragment(Part(0, [], AUDIO))
    assert probe_fragments(video, init=MOVIE, whole=False) is None
    assert probe_fragments(both, init=MOVIE, whole=False) is None, "the first audio track has not"
    assert probe_fragments(both + fragment(AUDIO_PART), init=MOVIE, whole=False)
    assert probe_fragments(video, init=movie(VIDEO_TRACK), whole=False)
    assert probe_fragments(b"", init=MOVIE, whole=False) is None
    assert probe_fragments(box(b"styp"), init=MOVIE, whole=True) is not None


def test_eight_mebibytes_are_enough_to_find_the_first_fragment() -> None:
    body = free(8 * MEBIBYTE)
    assert probe_fragments(body[:-1], init=MOVIE, whole=False) is None
    found = probe_fragments(body, init=MOVIE, whole=False)
    assert found
    assert set(starts(found).values()) == {(None, None)}


@pytest.mark.parametrize(("filled", "is_read"), [(MEBIBYTE - 1, True), (MEBIBYTE, False)])
def test_no_track_begins_behind_a_box_that_begins_after_a_mebibyte_of_fragments(filled: int, *, is_read: bool) -> None:
    video = fragment(VIDEO_PART)
    begun = video + free(filled - len(video))
    body = begun + box(b"free") + fragment(AUDIO_PART)
    assert starts(probed(body))[2] == ((0.5, 0.5) if is_read else (None, None))
    assert fragment_ends(body, probed(body), init=MOVIE)[Medium.AUDIO] == 544 / SECOND, "the end is looked for everywhere"
    assert starts(probed(begun + fragment(AUDIO_PART)))[2] == (0.5, 0.5), "that box itself is read"
    late = free(2 * MEBIBYTE) + video + fragment(AUDIO_PART)
    assert starts(probed(late))[1] == (1056 / SECOND, 1.0), "the first fragment may come later"


def test_the_description_of_the_first_samples_of_the_output_must_be_known() -> None:
    for part in (Part(0, [9], description=2), Part(0, [9], AUDIO, description=2)):
        with pytest.raises(DamagedMediaError, match="has sample description 2"):
            probed(fragment(part))
    assert probed(fragment(AUDIO_PART, Part(0, [9], SECOND_AUDIO, description=2)))


def test_ends_are_those_of_the_streams_of_the_output_whichever_fragment_has_them() -> None:
    body = fragment(VIDEO_PART, Part(5000, [32], AUDIO)) + fragment(Part(0, [9], AUDIO), Part(9000, [9], SECOND_AUDIO))
    assert fragment_ends(body, probed(body), init=MOVIE) == {Medium.VIDEO: 1120 / SECOND, Medium.AUDIO: 5032 / SECOND}
    assert fragment_ends(fragment(Part(None, [9])), probed(body), init=MOVIE) == {}
    assert fragment_ends(fragment(VIDEO_PART), probed(body), init=movie(VIDEO_TRACK)) == {Medium.VIDEO: 1120 / SECOND}
    assert fragment_ends(body, probed(body, init=movie(VIDEO_TRACK)), init=MOVIE) == {Medium.VIDEO: 1120 / SECOND}


@pytest.mark.parametrize(
    ("segment", "is_empty"),
    [
        pytest.param(b"", True, id="nothing"),
        pytest.param(moof(Part(0, []), Part(0, [], AUDIO)), True, id="fragments without samples"),
        pytest.param(moof(Part(0, [])) + box(b"mdat"), True, id="and without media"),
        pytest.param(moof(Part(0, [9], TEXT)), True, id="samples of text"),
        pytest.param(box(b"mdat", b"a"), False, id="media"),
        pytest.param(box(b"free", b"a"), True, id="other content"),
        pytest.param(moof(Part(0, [9])), False, id="samples of video"),
        pytest.param(moof(Part(0, [9], SECOND_AUDIO)), False, id="samples of another audio"),
        pytest.param(free(2 * MEBIBYTE) + moof(Part(0, [])) + free(9) + moof(Part(0, [9])), False, id="samples far behind"),
    ],
)
def test_a_segment_may_have_no_samples(segment: bytes, *, is_empty: bool) -> None:
    assert has_no_samples(segment, init=MOVIE) == is_empty


def test_a_fragment_lasts_from_its_first_sample_to_the_end_of_the_one_that_is_presented_last() -> None:
    """The one that is decoded last says how long that is shown."""
    tracks = {track.id: track._replace(shift=16) for track in source_tracks(MOVIE)}
    parts = [Part(1024, [64, 128, 32], offsets=[8, 320, 0]), Part(None, [5, 6], AUDIO), Part(7, [], SECOND_AUDIO, description=2)]
    video, audio, other = read_fragment(Box.whole(moof(*parts)), tracks)
    assert (video.track.id, video.samples, video.bytes, video.description) == (VIDEO, 3, 3, 1)
    assert (video.start, video.end) == ((1024 + 8 - 16) / SECOND, (1024 + 64 + 320 + 32 - 16) / SECOND)
    assert (video.decode_start, video.decode_end, video.sample_seconds) == (1.0, (1024 + 64 + 128 + 32) / SECOND, 32 / SECOND)
    assert audio == (tracks[AUDIO], audio.fragment, 2, 2, None, None, None, None, 0.0, 1)
    assert other == (tracks[SECOND_AUDIO], other.fragment, 0, 0, None, None, None, None, 0.0, 2)
    assert read_fragment(Box.whole(moof(Part(0, [9], TEXT))), tracks) == ()


def test_only_tracks_of_the_source_are_probed() -> None:
    assert list(starts(probed(fragment(AUDIO_PART), init=movie(AUDIO_TRACK)))) == [AUDIO]
