"""MP3 frames of several periods in one file."""

import pytest
from peers.mp3_fragments import FRAME_TICKS, MOOV, SILENT, fragment, frame

from transcoder.core.media.streams import Medium
from transcoder.core.output.header import Durations
from transcoder.core.output.mp3_joiner import Mp3Joiner
from transcoder.errors import TranscodeError

# 192 kbit/s at 48 kHz: 576 bytes, 24 ms (ISO/IEC 11172-3).
_HEADER, _FRAME_BYTES, _FRAME_SECONDS = b"\xff\xfb\xb4\x00", 576, 0.024


def _frames(count: int, *, first: int = 0) -> bytes:
    return b"".join(_HEADER + bytes([first + number]) * (_FRAME_BYTES - len(_HEADER)) for number in range(count))


def _joined(*periods: tuple[int, float], piece: int = 1000) -> bytes:
    """Return what comes out for periods of so many frames, each with the seconds of its source."""
    joiner, output = Mp3Joiner(Durations(0.0, {})), b""
    for number, (frames, seconds) in enumerate(periods):
        joiner.begin_period(last=number == len(periods) - 1)
        data = _frames(frames)
        for at in range(0, len(data), piece):
            output += b"".join(joiner.feed(data[at : at + piece]))
        pieces, written = joiner.end_period(seconds)
        output += b"".join(pieces)
        assert written.samples == {Medium.AUDIO: frames}
        assert written.seconds[Medium.AUDIO] == pytest.approx(frames * _FRAME_SECONDS)
    return output + joiner.finish()


def test_one_period_passes_whole() -> None:
    assert _joined((12, 0.24)) == _frames(12)
    announced = Durations(0.24, {Medium.AUDIO: 0.24})
    assert Mp3Joiner(announced).durations is announced


@pytest.mark.parametrize("piece", [1, 575, 576, 577, 100_000])
def test_the_first_frame_of_a_later_period_is_left_out(piece: int) -> None:
    assert _joined((11, 0.24), (11, 0.24), piece=piece) == _frames(11) + _frames(10, first=1)


@pytest.mark.parametrize(
    ("source_frames", "left"),
    [pytest.param(9.45, 10, id="a frame of the encoder's too many"), pytest.param(9.55, 11, id="within half a frame")],
)
def test_the_end_of_a_period_is_cut_by_whole_frames_to_within_half_a_frame_of_the_source(source_frames: float, left: int) -> None:
    # Beside those of the source, the frame of silence that stays at the beginning.
    last = (3, 2 * _FRAME_SECONDS)
    assert _joined((11, source_frames * _FRAME_SECONDS), last) == _frames(left) + _frames(2, first=1)


@pytest.mark.parametrize("parts", [0.0, 0.25, 0.5, 0.75, 0.999])
def test_however_many_periods_the_output_is_no_longer_than_the_source_by_more_than_two_frames(parts: float) -> None:
    # An encoder adds a frame at the beginning, and fills the last one.
    frames, seconds = 12, (10 + parts) * _FRAME_SECONDS
    periods = 50
    out = len(_joined(*[(frames, seconds)] * periods)) / _FRAME_BYTES * _FRAME_SECONDS
    assert -_FRAME_SECONDS <= out - periods * seconds <= 2.5 * _FRAME_SECONDS


def test_copied_frames_pass_with_the_pauses_before_them() -> None:
    joiner = Mp3Joiner(Durations(0.0, {}))
    joiner.begin_period(last=False)
    assert joiner.feed(MOOV + fragment(0, frame(0), frame(1))) == [frame(0) + frame(1)]
    pieces, written = joiner.end_period(2 * _FRAME_SECONDS)
    assert (pieces, written.samples) == ([], {Medium.AUDIO: 2})
    joiner.begin_period(goes_on_from=2 * _FRAME_SECONDS)
    assert joiner.feed(MOOV) == [b""]
    assert joiner.feed(fragment(12 * FRAME_TICKS, frame(2))) == [10 * SILENT + frame(2)]
    assert joiner.end_period(_FRAME_SECONDS)[1].samples == {Medium.AUDIO: 1}


@pytest.mark.parametrize(("source_frames", "left"), [(9.45, 10), (9.55, 11)])
def test_copied_frames_count_where_a_later_period_is_cut(source_frames: float, left: int) -> None:
    joiner = Mp3Joiner(Durations(0.0, {}))
    joiner.begin_period(last=False)
    joiner.feed(MOOV + fragment(0, frame(0), frame(1)))
    joiner.end_period(2 * _FRAME_SECONDS)
    joiner.begin_period(last=False)
    output = joiner.feed(_frames(12)) + joiner.end_period(source_frames * _FRAME_SECONDS)[0]
    assert b"".join(output) == _frames(left, first=1)


def test_copied_frames_that_end_early_are_refused() -> None:
    joiner = Mp3Joiner(Durations(0.0, {}))
    joiner.begin_period()
    joiner.feed(MOOV + fragment(0, frame(0))[:-1])
    with pytest.raises(TranscodeError, match="ffmpeg's output"):
        joiner.end_period(_FRAME_SECONDS)
