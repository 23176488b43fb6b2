"""Whether a fragment ends between a frame and those that are decoded after it and presented before it."""

import struct

import pytest

from transcoder.core.media.mp4.boxes import Box, box, full_box
from transcoder.core.media.mp4.fragment import TrackFragment, read_track_fragments
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4_source.frame_order import FrameOrder

FRAME = 40


def fragment(*offsets: int, time: int | None = None) -> TrackFragment:
    """Return a fragment of frames that are presented so much later than they are decoded."""
    tfhd = full_box(b"tfhd", 0, 0x020008, struct.pack(">II", 1, FRAME))
    tfdt = b"" if time is None else full_box(b"tfdt", 0, 0, struct.pack(">I", time))
    trun = full_box(b"trun", 1, 0xA00, struct.pack(">I", len(offsets)), *(struct.pack(">Ii", 1, offset) for offset in offsets))
    (found,) = read_track_fragments(Box.whole(box(b"moof", box(b"traf", tfhd, tfdt, trun))), lambda _: TrackDefaults(0, 0, 0))
    return found


@pytest.mark.parametrize(
    ("fragments", "complete"),
    [
        pytest.param([fragment(0, 0, time=0), fragment(0)], [True, True], id="no other order"),
        pytest.param([fragment(40, time=0), fragment(80), fragment(0)], [True, False, True], id="a frame between two comes later"),
        pytest.param([fragment(40, 80, 0, time=0), fragment(80, 0)], [True, True], id="with the frames that they need"),
        pytest.param([fragment(40, 80, time=0), fragment(0)], [False, True], id="without, at the beginning"),
        pytest.param([fragment(40, time=0), fragment(60)], [True, True], id="half a frame later"),
        pytest.param([fragment(40, time=0), fragment(61)], [True, False], id="more than that"),
        pytest.param([fragment(80, time=0), fragment(0), fragment(40), fragment(80)], [True, True, True, False], id="begins far ahead"),
        pytest.param([fragment(40, time=0), fragment(40, time=80), fragment(80)], [True, True, False], id="a pause"),
        pytest.param([fragment(40), fragment(80)], [True, True], id="no time"),
        pytest.param([fragment(time=0), fragment(40, time=0), fragment(), fragment(80)], [True, True, True, False], id="no frames"),
    ],
)
def test_frames_are_complete_if_presentation_is_as_far_ahead_as_at_the_first(fragments: list[TrackFragment], complete: list[bool]) -> None:
    order = FrameOrder()
    assert [order.is_complete_with(each) for each in fragments] == complete
