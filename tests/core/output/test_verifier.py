import struct
from collections.abc import Callable, Sequence

import pytest
from peers.exact_fragments import AUDIO, VIDEO, Run, fragment, frames, header, pictures
from peers.remuxed_periods import A, Source, join, verify

from transcoder.core.media.mp4.boxes import boxes_of
from transcoder.core.media.mp4.mfra import write_index
from transcoder.core.media.streams import Medium
from transcoder.core.output.header import Durations
from transcoder.core.output.joiner import Joiner
from transcoder.errors import TranscodeError


def test_a_whole_output_is_found_whole(period: Callable[[Source], bytes]) -> None:
    output, _, joiner = join([period(A)], seconds=4.05)
    whole = verify(output, tolerance=0.1)
    assert whole.length == len(output)
    assert whole.announced == pytest.approx(4.05, abs=0.0001)
    assert whole.sent == pytest.approx(max(joiner.seconds.values()), abs=0.0001)
    assert whole.samples[Medium.VIDEO] == 100


@pytest.mark.parametrize("announced", [3.3, 4.0, 8.0])
def test_an_output_is_whole_whatever_its_header_announces(announced: float, period: Callable[[Source], bytes]) -> None:
    whole = verify(join([period(A)], seconds=announced)[0])
    assert whole.announced == pytest.approx(announced, abs=0.0001)
    assert whole.sent == pytest.approx(4.0, abs=0.1)


def test_an_output_that_stops_anywhere_is_not_whole(period: Callable[[Source], bytes]) -> None:
    output, _, _ = join([period(A)])
    index = len(output) - int.from_bytes(output[-4:])
    last = output.rindex(b"moof") - 4
    for end in (0, 10, 500, 1_500, 60_000, last, last + 100, index - 1, index, index + 9, len(output) - 1):
        with pytest.raises(TranscodeError):
            verify(output[:end])


def test_bytes_lost_or_put_in_are_found(period: Callable[[Source], bytes]) -> None:
    output, _, _ = join([period(A)])
    fragment, following = (output.index(b"moof", start) - 4 for start in (20_000, 80_000))
    for broken in (
        output[:50_000] + output[50_001:],
        output[:50_000] + b"x" + output[50_000:],
        output[:fragment] + output[following:],
        output + output,
    ):
        with pytest.raises(TranscodeError):
            verify(broken)


def test_an_index_whose_box_reaches_to_its_end_is_refused(period: Callable[[Source], bytes]) -> None:
    output, _, _ = join([period(A)])
    at = output.rindex(b"mfro") - 4
    with pytest.raises(TranscodeError, match="mfro"):
        verify(output[:at] + bytes(4) + output[at + 4 :])


def joined(*fragments: Sequence[Run], media: Sequence[Medium] = (VIDEO, AUDIO)) -> bytes:
    """Return an output of these fragments, whose times are known to the tick."""
    joiner = Joiner(Durations(2.0, {}))
    joiner.begin_period()
    parts = joiner.feed(header(*media) + b"".join(fragment(*runs, number=number) for number, runs in enumerate(fragments, 1)))
    return b"".join([*parts, *joiner.end_period()[0], joiner.finish()])


def usual() -> bytes:
    fragments = [[pictures(5 * n, (0, 3, 1, 2, 4), time=625 * n), frames(100, 10, time=64 + 320 * n)] for n in range(3)]
    return joined(*fragments)


def test_what_was_sent_is_counted_to_the_tick() -> None:
    """The video is shown from 0.125 s to 2 s by its own clock, the audio from there to 2 s."""
    whole = verify(usual())
    assert (whole.fragments, whole.samples, whole.announced) == (3, {VIDEO: 15, AUDIO: 30}, 2.0)
    assert whole.sent == 1.875
    late = joined([pictures(0, (0,)), frames(100, 3, time=320)], [frames(103, 2, time=480)])
    assert verify(late).sent == 0.9375
    assert verify(joined([frames(0, 3, time=7)], media=[AUDIO])).samples == {AUDIO: 3}


def times_of(data: bytes, number: int) -> int:
    """Return where the decode time is in the track fragment with that number."""
    at = -1
    for _ in range(number):
        at = data.index(b"tfdt", at + 1)
    return at + 8


def test_what_was_sent_begins_with_the_first_sample_wherever_that_is() -> None:
    data, moved = usual(), bytearray(usual())
    for number in range(1, data.count(b"tfdt") + 1):
        at, scale = times_of(data, number), (1000, 512)[(number - 1) % 2]
        moved[at : at + 8] = (int.from_bytes(data[at : at + 8], "big") + 3 * scale).to_bytes(8, "big")
    assert verify(bytes(moved)).sent == verify(data).sent == 1.875


@pytest.mark.parametrize("medium", [0, 1])
@pytest.mark.parametrize(("later", "fails"), [(0, False), (5, False), (-1, True)])
def test_decoding_goes_on_where_it_stopped_or_later(medium: int, later: int, *, fails: bool) -> None:
    data = bytearray(usual())
    at = times_of(bytes(data), 5 + medium)
    (time,) = struct.unpack_from(">Q", data, at)
    struct.pack_into(">Q", data, at, time + later)
    if fails:
        with pytest.raises(TranscodeError, match="goes back in time"):
            verify(bytes(data))
    else:
        verify(bytes(data))


def boxes(data: bytes) -> list[bytes]:
    return [data[each.start : each.end] for each in boxes_of(data)]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        pytest.param([1, 0, 2, 3, 4, 5, 6, 7, 8], "box moov out of its turn", id="moov first"),
        pytest.param([0, 2, 3, 1, 4, 5, 6, 7, 8], "box moof out of its turn", id="a fragment before the header"),
        pytest.param([0, 1, 1, 2, 3, 4, 5, 6, 7, 8], "box moov out of its turn", id="two headers"),
        pytest.param([0, 0, 1, 2, 3, 4, 5, 6, 7, 8], "box ftyp out of its turn", id="two beginnings"),
        pytest.param([0, 1, 3, 2, 3, 4, 5, 6, 7, 8], "media that no fragment describes", id="media first"),
        pytest.param([0, 1, 2, 4, 3, 5, 6, 7, 8], "box moof out of its turn", id="two fragments"),
        pytest.param([0, 1, 2, 3, 3, 4, 5, 6, 7, 8], "media that no fragment describes", id="media twice"),
        pytest.param([0, 1, 4, 5, 2, 3, 6, 7, 8], "Fragment 1 .* number of another", id="another order"),
        pytest.param([0, 1, 2, 3, 4, 5, 6, 7], "no index at its end", id="no index"),
        pytest.param([0, 1, 2, 3, 4, 5, 6, 8], "box mfra out of its turn", id="no media before the index"),
        pytest.param([0, 1, 8], "box mfra out of its turn", id="no fragments"),
        pytest.param([0, 1, 2, 3, 4, 5, 6, 7, 8, 8], "box mfra out of its turn", id="two indexes"),
    ],
)
def test_boxes_come_in_their_turn(order: Sequence[int], words: str) -> None:
    parts = boxes(usual())
    assert len(parts) == 9
    with pytest.raises(TranscodeError, match=words):
        verify(b"".join(parts[number] for number in order))


def test_samples_lie_in_their_media_and_the_index_leads_to_fragments() -> None:
    parts = boxes(usual())
    shorter = (len(parts[3]) - 1).to_bytes(4, "big") + parts[3][4:-1]
    with pytest.raises(TranscodeError, match="samples are not in its media"):
        verify(b"".join([*parts[:3], shorter, *parts[4:]]))
    longer = (len(parts[3]) + 1).to_bytes(4, "big") + parts[3][4:] + b"\0"
    with pytest.raises(TranscodeError, match="points to where no fragment is"):
        verify(b"".join([*parts[:3], longer, *parts[4:]]))


@pytest.mark.parametrize("changed", ["timescale", "no edits", "two edits", "text"])
def test_a_header_that_this_program_does_not_write_is_refused(changed: str) -> None:
    data = bytearray(usual())
    if changed == "timescale":
        at = data.index(b"mvhd") + 4
        data[at + 12 + 8 * data[at] : at + 16 + 8 * data[at]] = bytes(4)
        words = "no timescale"
    elif changed == "no edits":
        data = bytearray(bytes(data).replace(b"edts", b"free", 1))
        words = "edit list that this program does not write"
    elif changed == "two edits":
        at = data.index(b"elst") + 4
        struct.pack_into(">I", data, at + 4, 0)
        words = "edit list that this program does not write|broken"
    else:
        data = bytearray(bytes(data).replace(b"vide", b"text", 1))
        words = "neither video nor audio"
    with pytest.raises(TranscodeError, match=words):
        verify(bytes(data))


def test_an_mp4_without_samples_lasts_no_time() -> None:
    parts = boxes(usual())
    whole = verify(b"".join([*parts[:2], fragment(), write_index(1, [])]))
    assert (whole.fragments, whole.samples, whole.sent) == (1, {}, 0.0)
