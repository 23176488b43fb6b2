"""Whether packets were lost between two segments, by what their counters do there and elsewhere."""

import pytest

from transcoder.core.media.packet_borders import PacketBorders
from transcoder.core.media.streams import Medium

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO


def borders(word: str, *, doubts: str = "", medium: Medium = AUDIO) -> PacketBorders:
    """Note borders: c where the counter goes on, j where it does not, l where it does not and something is missing, m if only that.

    A doubt is noted where the counter goes on (c), or does not (j).
    """
    found = PacketBorders()
    for letter in word:
        found.add({medium: letter in "cm"}, incomplete=[medium] if letter in "lm" else [])
    for letter in doubts:
        found.doubt(medium, letter == "c")
    return found


@pytest.mark.parametrize(
    ("word", "lost"),
    [
        ("", False),
        ("ccc", False),
        ("mmm", False),
        ("ccl", True),
        ("lcc", True),
        ("cll", True),
        ("lll", True),
        ("cl", False),
        ("ll", False),
        ("l", False),
        ("cclj", False),
        ("jccccl", False),
        ("mml", True),
        ("jjj", False),
    ],
)
@pytest.mark.parametrize("medium", Medium)
def test_packets_are_lost_where_the_counter_stops_only_beside_what_is_missing(word: str, medium: Medium, *, lost: bool) -> None:
    """At three borders or more."""
    assert borders(word, medium=medium).lost_packets() is (medium if lost else None)


@pytest.mark.parametrize(
    ("word", "doubts", "lost"),
    [
        ("ccc", "c", False),
        ("cc", "c", True),
        ("c", "c", True),
        ("cccc", "cc", False),
        ("ccc", "cc", True),
        ("cccj", "c", True),
        ("ccl", "c", True),
        ("ccc", "j", True),
        ("cccc", "cj", True),
        ("", "j", True),
    ],
)
def test_a_few_frames_may_have_been_dropped_by_the_source_if_the_counter_goes_on_there_and_everywhere(
    word: str, doubts: str, *, lost: bool
) -> None:
    """At two borders more, since a counter goes on by chance at one of 16."""
    found = borders(word, doubts=doubts)
    assert found.lost_packets() is (AUDIO if lost else None)
    found.note_dropped(VIDEO)
    assert found.lost_packets() is (AUDIO if lost else None)
    if "l" not in word:
        found.note_dropped(AUDIO)
        assert found.lost_packets() is None


def test_each_medium_has_borders_of_its_own() -> None:
    found = borders("jjjj")
    for incomplete in ([], [], [VIDEO]):
        found.add({VIDEO: not incomplete, AUDIO: True}, incomplete=incomplete)
    assert found.lost_packets() is VIDEO
    doubted = borders("ccc", doubts="c", medium=VIDEO)
    doubted.doubt(AUDIO, continued=True)
    assert doubted.lost_packets() is AUDIO
