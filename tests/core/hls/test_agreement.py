"""Tests that playlists of video and audio are compared, and that a difference counts only with a second witness."""

from collections.abc import Iterable
from itertools import product

import pytest
from peers.playlists import BREAK, GAP, audio_playlist, media_playlist, parse_media, section

from transcoder.core.hls.agreement import (
    Evidence,
    Shortfall,
    address_after_last_segment,
    byte_after_last_segment,
    find_shortfall,
    is_longer,
)
from transcoder.core.hls.plan import ByteRange
from transcoder.core.hls.playlist import MediaPlaylist
from transcoder.core.media.streams import Medium

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
EXACT = 2.005
"""A duration that is not rounded to whole seconds."""


def numbered(pattern: str, *numbers: int, sequence: int = 0, ended: bool = True, seconds: float = EXACT) -> MediaPlaylist:
    """Make a VOD playlist of segments of `seconds` each, whose names have these numbers."""
    head = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    entries = "".join(f"#EXTINF:{seconds},\n{pattern.format(number)}\n" for number in numbers)
    return parse_media(head + entries + ("#EXT-X-ENDLIST\n" if ended else ""))


def ranged(*numbers: int, section: int = 0, before: int = 0) -> MediaPlaylist:
    """Make a playlist of byte ranges, 100 bytes each, after a section of so many bytes."""
    head = f'#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="a.mp4",BYTERANGE="{section}@0"\n' if section else "#EXTM3U\n"
    entries = "".join(f"#EXTINF:{EXACT},\n#EXT-X-BYTERANGE:100@{before + section + 100 * number}\na.mp4\n" for number in numbers)
    return parse_media(head + entries + "#EXT-X-ENDLIST\n")


def without(missing: int, *, first: int = 0, count: int = 12) -> list[int]:
    return [number for number in range(first, first + count) if number != first + missing]


def whole(*seconds: int, letter: str = "v") -> MediaPlaylist:
    return media_playlist(*seconds, letter=letter)


FULL = numbered("v{}.ts", *range(12))


@pytest.mark.parametrize(("pattern", "missing"), [*product(["a{}.ts", "2024/a-{:05}.m4s?t=7"], range(11))])
def test_an_entry_that_is_missing_in_one_playlist_is_found_by_the_numbers_in_the_names(pattern: str, missing: int) -> None:
    thinned = numbered(pattern, *without(missing))
    for video, audio, medium in ((FULL, thinned, AUDIO), (thinned, FULL, VIDEO)):
        shortfall = find_shortfall(video, audio)
        assert shortfall is not None
        assert (shortfall.medium, shortfall.evidence) == (medium, Evidence.CONCLUSIVE)
        assert shortfall.seconds == pytest.approx(EXACT)


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize("first", [1, 7])
def test_entries_that_are_missing_at_the_beginning_are_found_wherever_the_numbers_begin(first: int, lost: int) -> None:
    full, thinned = numbered("v{}.ts", *range(first, first + 12)), numbered("a{}.ts", *range(first + lost, first + 12))
    shortfall = find_shortfall(full, thinned)
    assert shortfall is not None
    assert (shortfall.medium, shortfall.evidence) == (AUDIO, Evidence.CONCLUSIVE)


@pytest.mark.parametrize("section", [0, 700])
@pytest.mark.parametrize("missing", range(11))
def test_an_entry_that_is_missing_is_found_by_the_byte_ranges(missing: int, section: int) -> None:
    shortfall = find_shortfall(FULL, ranged(*without(missing), section=section))
    assert shortfall is not None
    assert shortfall.evidence is Evidence.CONCLUSIVE


@pytest.mark.parametrize("first", [0, 4])
def test_a_playlist_that_begins_with_a_later_media_sequence_number_is_found(first: int) -> None:
    shortfall = find_shortfall(numbered("{}-v", *range(12), sequence=first), numbered("{}-a", *range(3, 12), sequence=first + 3))
    assert shortfall is not None
    assert (shortfall.medium, shortfall.evidence) == (AUDIO, Evidence.CONCLUSIVE)
    assert "audio is 6.015 s shorter than that of the video" in str(shortfall.error())


@pytest.mark.parametrize("kept", range(1, 12))
def test_a_playlist_without_an_end_that_is_shorter_than_the_other_has_lost_its_end(kept: int) -> None:
    shortfall = find_shortfall(numbered("v{}.ts", *range(kept), ended=False), FULL)
    assert shortfall is not None
    assert (shortfall.medium, shortfall.evidence) == (VIDEO, Evidence.CONCLUSIVE)


@pytest.mark.parametrize("seconds", [4.0, 0.5])
def test_a_period_that_a_playlist_without_an_end_does_not_reach_is_missing(seconds: float) -> None:
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:4.0,\na0.ts\n"
    shortfall = find_shortfall(media_playlist(4.0, BREAK, seconds), parse_media(text))
    assert shortfall == Shortfall(AUDIO, seconds, Evidence.CONCLUSIVE)
    assert find_shortfall(media_playlist(4, BREAK, 1), parse_media(text)) is None, "rounded, it may be nothing"
    assert find_shortfall(media_playlist(4.0, BREAK, seconds), parse_media(text + "#EXT-X-ENDLIST\n")) is None


def test_a_difference_in_length_alone_is_not_conclusive() -> None:
    four, eleven = numbered("a{}.ts", *range(4), seconds=2.25), numbered("a{}.ts", *range(11))
    assert find_shortfall(FULL, four) == Shortfall(AUDIO, FULL.seconds - 9, Evidence.STRONG)
    assert find_shortfall(FULL, eleven) == Shortfall(AUDIO, FULL.seconds - eleven.seconds, Evidence.SLIGHT)


@pytest.mark.parametrize(
    ("video", "audio"),
    [
        pytest.param(FULL, numbered("a{}.ts", *range(11)), id="the audio ends a segment earlier"),
        pytest.param(FULL, numbered("a{}.ts", *range(1, 13)), id="the numbers begin at 0 and at 1"),
        pytest.param(FULL, numbered("a{}.ts", *range(1, 12), seconds=2.19), id="they begin at 0 and at 1, in longer segments"),
        pytest.param(FULL, numbered("a{}.ts", *range(0, 24, 2)), id="one counts in steps of two"),
        pytest.param(FULL, numbered("a{}.ts", *without(5, count=13)), id="a number is skipped, and no time"),
        pytest.param(FULL, numbered("a{}.ts", *range(12), sequence=40), id="media sequence numbers that do not match"),
        pytest.param(FULL, numbered("{}.ts", 7, 3811, 22, 9, 1024, 5, 77, 78, 100, 101, 45), id="names that do not count"),
        pytest.param(media_playlist(*[4.0] * 9, GAP, 4.0), audio_playlist(*[4.0] * 9), id="a gap at the end"),
        pytest.param(media_playlist(*[9] * 60, target=10), audio_playlist(*[10] * 57, target=10), id="whole seconds"),
        pytest.param(media_playlist(4.0, 4.0), audio_playlist(0.0, 0.0), id="no durations"),
        pytest.param(media_playlist(4.0, BREAK, 4.0, BREAK, 4.0), audio_playlist(4.0), id="audio that ends at a break"),
        pytest.param(FULL, parse_media("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.005,\na9.ts\n"), id="live"),
        pytest.param(FULL, ranged(*range(12), section=700), id="byte ranges without a hole"),
        pytest.param(FULL, ranged(*range(11), section=140), id="a section in front of the first range, and a shorter end"),
    ],
)
def test_playlists_that_only_look_unequal_agree(video: MediaPlaylist, audio: MediaPlaylist) -> None:
    shortfall = find_shortfall(video, audio)
    assert shortfall is None or shortfall.evidence is Evidence.SLIGHT


@pytest.mark.parametrize(
    ("seconds", "evidence"), [(20, None), (19, None), (18, Evidence.SLIGHT), (15, Evidence.SLIGHT), (14, Evidence.STRONG)]
)
def test_a_difference_counts_above_half_a_segment_and_surely_above_another_target_duration(seconds: int, evidence: Evidence | None) -> None:
    """Both durations are rounded by half a second, and half of the longest segment is 20 s; the target duration is 4 s."""
    for pair in ((whole(40), whole(seconds, letter="a")), (whole(seconds, letter="a"), whole(40))):
        shortfall = find_shortfall(*pair)
        assert (shortfall and shortfall.evidence) is evidence
        assert shortfall is None or shortfall.seconds == 40 - seconds


@pytest.mark.parametrize(
    ("total", "evidence"), [(22.5, None), (23.0, Evidence.CONCLUSIVE), (25.0, Evidence.CONCLUSIVE), (25.5, Evidence.SLIGHT)]
)
def test_the_names_must_leave_out_as_many_segments_as_time_is_missing(total: float, evidence: Evidence | None) -> None:
    """A number is left out among eleven segments of 2 s, which is half a segment more or less than is missing, at most."""
    video = numbered("v{}.ts", *range(10), seconds=total / 10)
    shortfall = find_shortfall(video, numbered("a{}.ts", *without(5), seconds=2.0))
    assert (shortfall and shortfall.evidence) is evidence


@pytest.mark.parametrize("video", [numbered("v{}.ts", *range(12), sequence=1), numbered("v{}.ts", *range(1, 13))])
def test_a_list_that_begins_earlier_makes_up_for_nothing_that_is_left_out(video: MediaPlaylist) -> None:
    shortfall = find_shortfall(video, numbered("a{}.ts", 0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12))
    assert (shortfall and shortfall.evidence) is Evidence.SLIGHT


@pytest.mark.parametrize(
    ("video", "audio"),
    [
        pytest.param(
            numbered("v{}.ts", *range(12), sequence=1), numbered("a{}.ts", *range(11)), id="a later sequence number of the longer one"
        ),
        pytest.param(numbered("v{}.ts", *range(1, 13)), numbered("a{}.ts", *range(11)), id="later names of the longer one"),
        pytest.param(FULL, numbered("a{}.ts", *range(0, 22, 2)), id="larger steps of the shorter one"),
        pytest.param(
            numbered("{}.ts", 7, 3811, 22, 9, 1024, 5, 77, 78, 100, 101, 45, 2),
            numbered("a{}.ts", 0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12),
            id="twice as many left out in names beside names that do not count",
        ),
        pytest.param(
            media_playlist(section("x"), 0.001, section("y"), *[EXACT] * 3, target=1),
            audio_playlist(*[EXACT] * 4, target=1),
            id="a second period of one, which is the first of the other",
        ),
        pytest.param(FULL, ranged(*range(11), before=50), id="half a range before the first one"),
    ],
)
def test_what_no_numbering_says_is_missing_is_a_slight_difference(video: MediaPlaylist, audio: MediaPlaylist) -> None:
    shortfall = find_shortfall(video, audio)
    assert (shortfall and shortfall.evidence) is Evidence.SLIGHT


@pytest.mark.parametrize("video", [FULL, numbered("{}.ts", 7, 3811, 22, 9, 1024, 5, 77, 78, 100, 101, 45, 2)])
def test_names_that_do_not_count_show_nothing(video: MediaPlaylist) -> None:
    for names in ((7, 3811, 22, 9, 1024, 5, 77, 78, 100, 101, 45), range(11)):
        shortfall = find_shortfall(video, numbered("{}.ts", *names))
        assert (shortfall and shortfall.evidence) is Evidence.SLIGHT


def test_two_entries_show_that_earlier_ones_are_missing() -> None:
    shortfall = find_shortfall(numbered("v{}.ts", 1, 2, 3), numbered("a{}.ts", 2, 3))
    assert (shortfall and shortfall.evidence) is Evidence.CONCLUSIVE


def test_only_the_beginnings_of_playlists_are_compared_by_their_numbers() -> None:
    """A later period begins at any number."""

    def broken(letter: str, second: Iterable[int]) -> MediaPlaylist:
        entries = [f"#EXTINF:{EXACT},\n{letter}{number}.ts" for number in (*range(3), *second)]
        return parse_media("\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:2", *entries[:3], BREAK, *entries[3:], "#EXT-X-ENDLIST", ""]))

    for numbers in ((4, 5, 6, 7, 8), (3, 4, 7, 8, 9)):
        shortfall = find_shortfall(broken("v", range(3, 9)), broken("a", numbers))
        assert (shortfall and shortfall.evidence) is Evidence.SLIGHT


def test_another_list_is_longer_if_it_has_most_of_what_is_missing() -> None:
    shortfall = Shortfall(AUDIO, EXACT, Evidence.SLIGHT)
    assert is_longer(FULL, numbered("{}", *range(11)), shortfall=shortfall)
    assert not is_longer(FULL, FULL, shortfall=shortfall)
    for seconds, expected in ((12, False), (13, True)):
        assert is_longer(whole(seconds), whole(10), shortfall=Shortfall(AUDIO, 4.0, Evidence.SLIGHT)) is expected


def test_the_byte_after_the_last_segment_is_half_a_segment_away() -> None:
    assert byte_after_last_segment(ranged(0, 1, 2, section=700)) == ("https://media.example/video/a.mp4", ByteRange(1050, 1))
    assert byte_after_last_segment(FULL) is None
    assert byte_after_last_segment(FULL._replace(segments=())) is None


def test_the_average_segment_is_that_of_the_last_file() -> None:
    entries = [("other.mp4", "5000@0"), ("a.mp4", "100@0"), ("b.mp4", None), ("a.mp4", "200@100"), ("a.mp4", None), ("a.mp4", "302@300")]
    lines = [line for url, part in entries for line in ("#EXTINF:2,", *([f"#EXT-X-BYTERANGE:{part}"] if part else []), url)]
    playlist = parse_media("\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST", ""]))
    assert byte_after_last_segment(playlist) == ("https://media.example/video/a.mp4", ByteRange(602 + 100, 1))


@pytest.mark.parametrize(
    ("pattern", "numbers", "expected"),
    [
        ("v{}.ts", (0, 1, 2), "v3.ts"),
        ("2024/v-{:03}.ts?t=7", (97, 98, 99), "2024/v-100.ts?t=7"),
        ("{}.ts", (0, 2, 4), "6.ts"),
        ("{}.ts", (0, 1), "2.ts"),
        ("{}.ts", (0,), "1.ts"),
        ("v2-s{:03}.ts?t=7", (9,), "v2-s010.ts?t=7"),
        ("s{}.m4s", (0,), "s1.m4s"),
        ("{}", (9,), "10"),
        ("7/main.ts?t={}", (0,), None),
        ("{}.ts", (), None),
        ("{}.ts", (0, 2, 3), None),
        ("{}.ts", (3, 2, 1), None),
    ],
)
def test_the_next_address_continues_names_that_count(pattern: str, numbers: tuple[int, ...], expected: str | None) -> None:
    found = address_after_last_segment(numbered(pattern, *numbers))
    assert found == (f"https://media.example/video/{expected}" if expected else None)
