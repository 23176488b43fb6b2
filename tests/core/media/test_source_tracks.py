"""What is read of the tracks of a source, whose every number is known."""

import struct

import pytest
from fuzz.media_pieces import u32
from peers.two_tracks import AUDIO_ENTRY, AUDIO_TRACK, AVCC, MOVIE, TIMESCALE, VIDEO_ENTRY, VIDEO_TRACK, Part, fragment, movie, track

from transcoder.core.media.mp4.boxes import Box, box, full_box
from transcoder.core.media.mp4.movie import TrackDefaults, read_movie
from transcoder.core.media.mp4_source.inspector import PlainFileInspector
from transcoder.core.media.mp4_source.plain_file import media_comes_first, plain_file_tracks, probe_plain_file
from transcoder.core.media.mp4_source.tracks import SourceTrack, read_tracks, source_damage, source_tracks
from transcoder.core.media.streams import Container, Medium, Stream
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]
CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8]
"""ISO/IEC 14496-3, tables 1.18 and 1.19."""


def tracks(*written: bytes) -> tuple[SourceTrack, ...]:
    return read_tracks(Box.whole(movie(*written)))


def test_the_tracks_of_a_movie() -> None:
    trex = full_box(b"trex", 0, 0, u32(2, 1, 3, 4, 5))
    edits = box(b"edts", full_box(b"elst", 0, 0, u32(1, 0, 77, 0x10000)))
    video, audio = tracks(track(1, b"vide", VIDEO_ENTRY, edits=edits), track(2, b"soun", AUDIO_ENTRY), box(b"mvex", trex))
    expected = SourceTrack(1, Medium.VIDEO, "h264", TIMESCALE, 77, TrackDefaults(0, 0, 0), None, None, (640, 360), "avc1")
    assert video == expected._replace(parameter_sets=AVCC[4:])
    assert audio == SourceTrack(2, Medium.AUDIO, "ac3", TIMESCALE, 0, TrackDefaults(3, 4, 5), 48_000, 2, None, "ac-3")
    assert video.stream(1.5, decode_start=1.0) == Stream(
        Medium.VIDEO, "h264", 1, 1.5, picture_size=(640, 360), sample_entry="avc1", decode_start=1.0
    )
    assert audio.stream(None) == Stream(Medium.AUDIO, "ac3", 2, None, 48_000, 2, sample_entry="ac-3")


def test_an_entry_without_parameter_sets_says_so() -> None:
    (video,) = tracks(track(1, b"vide", VIDEO_ENTRY.replace(b"\xff\xe1", b"\xff\xe0")))
    assert video.lacks_parameter_sets
    assert video.stream(None).lacks_parameter_sets
    (audio,) = tracks(track(1, b"soun", box(b"ac-3", AUDIO_ENTRY[8:], AVCC.replace(b"\xff\xe1", b"\xff\xe0"))))
    assert not audio.lacks_parameter_sets


def test_a_clock_without_ticks_counts_seconds() -> None:
    (video,) = tracks(track(1, b"vide", VIDEO_ENTRY, timescale=0))
    assert video.timescale == 1


def test_what_an_audio_entry_leaves_out_is_not_known() -> None:
    (audio,) = tracks(track(1, b"soun", box(b"ac-3", bytes(28))))
    assert (audio.sample_rate, audio.channels) == (None, None)


def aac(rate: int, channels: int) -> SourceTrack:
    """Return a track of AAC whose entry says 32,000 Hz and nine channels, and whose configuration says something else."""
    config = (2 << 11 | rate << 7 | channels << 3).to_bytes(2)
    decoder = b"\4" + bytes([13 + 4]) + b"\x40\x15" + bytes(11) + b"\5\2" + config
    esds = full_box(b"esds", 0, 0, b"\3" + bytes([3 + len(decoder)]) + bytes(3) + decoder)
    entry = box(b"mp4a", bytes(16) + struct.pack(">HHIHH", 9, 16, 0, 32_000, 0), esds)
    (found,) = tracks(track(1, b"soun", entry))
    return found


@pytest.mark.parametrize("rate", range(16))
def test_rate_and_channels_of_aac_are_those_of_its_configuration_if_they_are_both_there(rate: int) -> None:
    for channels in range(16):
        found = aac(rate, channels)
        is_known = rate < len(RATES) and 0 < channels < len(CHANNELS)
        assert (found.sample_rate, found.channels) == ((RATES[rate], CHANNELS[channels]) if is_known else (32_000, 9))


@pytest.mark.parametrize(
    ("kind", "is_description"),
    [
        (b"urn:mpeg:dash:role:2011\0description\0", True),
        (b"urn:mpeg:dash:role:2011\0commentary\0", True),
        (b"urn:mpeg:dash:role:2011\0commentary", True),
        (b"urn:tva:metadata:cs:AudioPurposeCS:2007\x001\0", True),
        (b"urn:mpeg:dash:role:2011\0main\0", False),
        (b"urn:mpeg:dash:role:2011\x001\0", False),
        (b"urn:tva:metadata:cs:AudioPurposeCS:2007\x002\0", False),
        (b"description\0", False),
        (b"urn:mpeg:dash:role:2011", False),
    ],
)
def test_a_track_for_those_who_cannot_see_says_so_by_its_kind(kind: bytes, *, is_description: bool) -> None:
    """ISO/IEC 14496-12, 8.10.4: a scheme, and a value that may be left out."""
    written = track(2, b"soun", AUDIO_ENTRY)
    other = full_box(b"kind", 0, 0, b"urn:other\0description\0")
    user_data = box(b"udta", box(b"name", kind), other, full_box(b"kind", 0, 0, kind))
    (found,) = tracks(box(b"trak", written[8:], user_data))
    assert found.is_description == found.stream(0.0).is_description == is_description


@pytest.mark.parametrize("version", [0, 1])
def test_a_track_may_have_dates_of_64_bits(version: int) -> None:
    written = VIDEO_TRACK.replace(
        full_box(b"tkhd", 0, 3, u32(0, 0, 1), bytes(68)),
        full_box(b"tkhd", version, 3, bytes(16 if version else 8), u32(0x01020304), bytes(72)),
    )
    trak = box(b"trak", written[8:])
    assert [each.id for each in read_movie(Box.whole(movie(trak))).tracks] == [0x01020304]


def test_a_track_without_an_entry_is_damaged_and_an_encrypted_one_is_not_supported() -> None:
    with pytest.raises(DamagedMediaError, match="no sample entry"):
        tracks(track(1, b"vide"))
    for entries in ([b"encv"], [b"avc1", b"encv"], [b"encv", b"avc1"]):
        with pytest.raises(UnsupportedSourceError, match="encrypted"):
            tracks(track(1, b"vide", *(box(kind, bytes(78)) for kind in entries)))


def test_an_initialization_section_without_a_movie_has_no_tracks() -> None:
    assert source_tracks(b"") == source_tracks(box(b"ftyp", b"iso5") + box(b"free")) == ()
    assert [each.id for each in source_tracks(box(b"free") + MOVIE)] == [1, 2, 4]
    with pytest.raises(DamagedMediaError):
        source_tracks(MOVIE[:-1])


def test_only_broken_mp4_is_damage_of_the_source() -> None:
    with pytest.raises(ZeroDivisionError), source_damage():
        raise ZeroDivisionError


def entries_of(*entries: bytes) -> SourceTrack:
    (found,) = tracks(track(1, b"vide", *entries))
    return found


def test_samples_may_have_any_entry_that_describes_the_same() -> None:
    found = entries_of(VIDEO_ENTRY, VIDEO_ENTRY, VIDEO_ENTRY[:-1] + b"\x69")
    assert found.decodes_as_first == (True, True, False)
    found.check_description(1)
    found.check_description(2)
    with pytest.raises(UnsupportedSourceError, match="different sample descriptions"):
        found.check_description(3)
    for number in (-1, 0, 4):
        with pytest.raises(DamagedMediaError, match=f"has sample description {number}, and the track has 3"):
            found.check_description(number)


def tables(count: int, *, duration: int, size: int, offset: int = 0, description: int = 1) -> bytes:
    """Write the tables of so many samples in one chunk."""
    stts, ctts = full_box(b"stts", 0, 0, u32(1, count, duration)), full_box(b"ctts", 0, 0, u32(1, count, offset))
    stsc, stsz = full_box(b"stsc", 0, 0, u32(1, 1, count, description)), full_box(b"stsz", 0, 0, u32(size, count))
    return stts + (ctts if offset else b"") + stsc + stsz + full_box(b"stco", 0, 0, u32(1, 0))


def plain(*written: bytes) -> bytes:
    return box(b"ftyp", b"isom") + movie(*written) + box(b"mdat", bytes(50))


SHIFT = box(b"edts", full_box(b"elst", 0, 0, u32(1, 0, 512, 0x10000)))
PLAIN_VIDEO = track(1, b"vide", VIDEO_ENTRY, tables=tables(3, duration=64, size=7, offset=1024), edits=SHIFT)
PLAIN_AUDIO = track(2, b"soun", AUDIO_ENTRY, tables=tables(10, duration=32, size=2))


def test_the_tracks_of_a_plain_file() -> None:
    head = plain(PLAIN_VIDEO, PLAIN_AUDIO, track(3, b"text"))
    video, audio = plain_file_tracks(head)
    assert (video.track.id, *video[1:]) == (1, 3, 21, 0.5, 3 * 64 / TIMESCALE)
    assert (audio.track.id, *audio[1:]) == (2, 10, 20, 0.0, 10 * 32 / TIMESCALE)
    found = probe_plain_file(head)
    assert found
    assert (found.container, [each.start for each in found.streams]) == (Container.MP4, [0.5, 0.0])
    end = head.index(b"mdat") - 4
    assert probe_plain_file(head[:end]) == found
    assert probe_plain_file(head[: end - 1]) is None
    assert probe_plain_file(box(b"ftyp", b"isom") + MOVIE) is None, "fragments"


def test_a_file_may_have_tracks_in_fragments_beside_others() -> None:
    (video,) = plain_file_tracks(plain(PLAIN_VIDEO, AUDIO_TRACK))
    assert video.track.id == 1


@pytest.mark.parametrize("first", [True, False])
def test_only_tracks_that_go_into_the_output_need_one_description(*, first: bool) -> None:
    other = VIDEO_ENTRY[:-1] + b"\x69"
    good, bad = (track(number, b"vide", VIDEO_ENTRY, other, tables=tables(3, duration=64, size=7, description=number)) for number in (1, 2))
    if first:
        with pytest.raises(UnsupportedSourceError, match="different sample descriptions"):
            probe_plain_file(plain(bad, good))
    else:
        assert probe_plain_file(plain(good, bad))


@pytest.mark.parametrize(
    ("head", "comes_first"),
    [
        (box(b"ftyp") + box(b"mdat", b"media") + MOVIE, False),
        (box(b"ftyp") + box(b"mdat", b"media"), True),
        (box(b"ftyp") + struct.pack(">I4s", 0, b"mdat") + b"media", True),
        (box(b"ftyp"), False),
        (MOVIE + box(b"mdat", b"media"), False),
    ],
)
def test_media_may_come_first(head: bytes, *, comes_first: bool) -> None:
    assert media_comes_first(head) == comes_first


def inspected(*pieces: bytes) -> PlainFileInspector:
    found = probe_plain_file(plain(PLAIN_VIDEO, PLAIN_AUDIO))
    assert found
    inspector = PlainFileInspector(found, init=b"")
    inspector.begin()
    assert b"".join(map(inspector.feed, pieces)) + inspector.end() == b"".join(pieces)
    return inspector


def test_a_plain_file_is_inspected_by_its_tables() -> None:
    inspector = inspected(plain(PLAIN_VIDEO, PLAIN_AUDIO))
    assert inspector.samples == {Medium.VIDEO: 3, Medium.AUDIO: 10}
    assert inspector.starts == {Medium.VIDEO: 0.5, Medium.AUDIO: 0.0}
    assert inspector.ends == {Medium.VIDEO: 0.5 + 3 * 64 / TIMESCALE, Medium.AUDIO: 10 * 32 / TIMESCALE}
    third = track(7, b"soun", AUDIO_ENTRY, tables=tables(4, duration=99, size=2))
    assert inspected(plain(PLAIN_VIDEO, PLAIN_AUDIO, third)).samples == inspector.samples


def test_a_plain_file_has_as_much_media_as_all_its_tracks_list() -> None:
    moov = movie(PLAIN_VIDEO, PLAIN_AUDIO, track(7, b"soun", AUDIO_ENTRY, tables=tables(4, duration=99, size=2)))
    inspected(moov, box(b"mdat", bytes(49)))
    inspected(box(b"mdat", bytes(40)), moov, box(b"mdat", bytes(9)))
    with pytest.raises(DamagedMediaError, match="less media"):
        inspected(moov, box(b"mdat", bytes(48)))
    with pytest.raises(DamagedMediaError, match="neither video nor audio"):
        inspected(MOVIE, box(b"mdat", bytes(48)))


def test_a_file_is_plain_or_fragmented() -> None:
    with pytest.raises(UnsupportedSourceError, match="both a plain and a fragmented MP4"):
        inspected(plain(PLAIN_VIDEO, PLAIN_AUDIO), fragment(Part(0, [64])))
