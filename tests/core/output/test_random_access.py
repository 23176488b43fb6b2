"""The index at the end of an output leads to samples that can be decoded by themselves, in the track that it is about."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from peers.encoded_pieces import encoded
from peers.remuxed_periods import JOINABLE, join, run

from transcoder.core.media.mp4.boxes import Box, boxes_of
from transcoder.core.media.mp4.fragment import NOT_SYNC, TrackFragment, read_track_fragments
from transcoder.core.media.mp4.mfra import IndexEntry, read_index
from transcoder.core.media.mp4.movie import Movie, read_movie
from transcoder.core.media.streams import Medium
from transcoder.core.output.header import OutputTrack, read_header
from transcoder.core.output.random_access import RandomAccessIndex

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO


def period(folder: Path, *, start: float, key_distance: float, media: frozenset[Medium]) -> bytes:
    """Return six seconds as ffmpeg remuxes them, in fragments of about a second, with a key frame every so many seconds."""
    path, keys = folder / f"{start}.ts", round(25 * key_distance)
    x264 = f"keyint={keys}:min-keyint={keys}:scenecut=0:open-gop=0"
    video = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=6", "-c:v", "libx264", "-preset", "ultrafast", "-x264-params", x264]
    audio = ["-f", "lavfi", "-i", "anoisesrc=r=48000:d=6:a=0.1", "-c:a", "aac"]
    inputs = [*(video[:4] if VIDEO in media else []), *(audio[:4] if AUDIO in media else [])]
    codecs = [*(video[4:] if VIDEO in media else []), *(audio[4:] if AUDIO in media else [])]
    path.write_bytes(encoded(*inputs, *codecs, "-output_ts_offset", str(start), "-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts"))
    filters = ["-bsf:a", "aac_adtstoasc"] if AUDIO in media else []
    return run("-copyts", "-f", "mpegts", "-i", str(path), *filters, *JOINABLE)


def track_fragments(output: bytes, movie: Movie) -> Iterator[tuple[int, int, TrackFragment]]:
    """Yield each track fragment of an output with the offset of its `moof` and its number in that."""
    defaults = {track.id: track.defaults for track in movie.tracks}
    for moof in (each for each in boxes_of(output) if each.type == b"moof"):
        for number, fragment in enumerate(read_track_fragments(moof, defaults.get), 1):
            yield moof.start, number, fragment


def begins_with_sync(fragment: TrackFragment) -> bool:
    return not fragment.runs[0].flags[0] & NOT_SYNC


def presented(fragment: TrackFragment) -> int:
    assert fragment.decode_time is not None
    return fragment.decode_time + fragment.runs[0].composition_offsets[0]


@pytest.mark.parametrize("key_distance", [0.4, 2.6])
@pytest.mark.parametrize("media", [frozenset({VIDEO}), frozenset({AUDIO}), frozenset({VIDEO, AUDIO})], ids=["video", "audio", "both"])
def test_each_entry_leads_to_a_sync_sample_of_its_track(media: frozenset[Medium], key_distance: float, tmp_path: Path) -> None:
    made = [period(tmp_path, start=start, key_distance=key_distance, media=media) for start in (1.5, 100.0)]
    output, _, _ = join(made)
    moov, mfra = (next(each for each in boxes_of(output) if each.type == kind) for kind in (b"moov", b"mfra"))
    movie, entries = read_movie(moov), list(read_index(mfra))
    (track,) = [each for each in movie.tracks if each.id == mfra.require(b"tfra").uint(4, 4)]
    assert track.medium is (VIDEO if VIDEO in media else AUDIO)
    by_place = {(offset, number): each for offset, number, each in track_fragments(output, movie)}
    led_to = [by_place[entry.moof_offset, entry.traf_number] for entry in entries]
    assert all(each.track_id == track.id and begins_with_sync(each) for each in led_to)
    assert [presented(each) for each in led_to] == [entry.time for entry in entries]
    own = [each for each in by_place.values() if each.track_id == track.id and each.samples]
    if track.medium is VIDEO and key_distance > 1:
        assert any(not begins_with_sync(each) for each in own), "a group of pictures is longer than a fragment"
    listed = set(led_to_times := [entry.time for entry in entries])
    for fragment in own:
        if begins_with_sync(fragment) and presented(fragment) not in listed:
            before = max(time for time in led_to_times if time < presented(fragment))
            assert presented(fragment) - before < track.timescale, "only what follows within a second is left out"


def output_track(output: bytes) -> OutputTrack:
    return read_header(next(each for each in boxes_of(output) if each.type == b"moov")).tracks[0]


@pytest.mark.parametrize(("distance", "listed"), [(1.0, [0, 1, 2, 3]), (0.999, [0, 2]), (0.5, [0, 2]), (0.34, [0, 3]), (2.5, [0, 1, 2, 3])])
def test_fragments_less_than_a_second_after_the_last_one_listed_are_left_out(distance: float, listed: list[int], tmp_path: Path) -> None:
    track = output_track(join([period(tmp_path, start=1.5, key_distance=1, media=frozenset({AUDIO}))])[0])
    entries = [IndexEntry(round(number * distance * track.timescale), 1000 * number, 1 + number % 2) for number in range(4)]
    index = RandomAccessIndex(track)
    for entry in entries:
        index.add(entry)
    assert list(read_index(Box.whole(index.write()))) == [entries[number] for number in listed]
