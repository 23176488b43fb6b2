import io
import struct
from collections.abc import Callable
from itertools import pairwise

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples
from peers.remuxed_periods import (
    HALF_FRAME,
    STEREO_SILENCE,
    A,
    B,
    C,
    D,
    Source,
    assert_contiguous,
    audio_runs,
    cut,
    decoded,
    join,
    packets,
    shifts,
    verify,
)

from transcoder.core.media.streams import Medium
from transcoder.core.output.header import Durations
from transcoder.core.output.joiner import Joiner
from transcoder.errors import TranscodeError, TranscoderError, UnsupportedSourceError


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(A, id="audio first"),
        pytest.param(C, id="late start"),
        pytest.param(Source(start=95_440, sample_rate=44_100), id="a wrap of the timestamps inside, 44.1 kHz"),
        pytest.param(Source(start=10, codec="ac3"), id="AC-3"),
    ],
)
def test_one_period_begins_at_zero_and_keeps_its_audio_in_time(period: Callable[[Source], bytes], source: Source) -> None:
    made = period(source)
    output, _, _ = join([made])
    assert min(packet.pts for kind in ("video", "audio") for packet in packets(output, kind)) == 0
    video, audio = shifts(output, made, "video"), shifts(output, made, "audio")
    assert max(video) - min(video) < 1e-6
    assert abs(video[0] - audio[0]) < 0.00003
    assert decoded(output, "video") == source.video * source.rate
    assert_contiguous(packets(output, "video"))


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_an_output_of_one_medium(period: Callable[[Source], bytes], kind: str) -> None:
    source = Source(start=7, audio=4 if kind == "audio" else 0, video=4 if kind == "video" else 0)
    output, counts, joiner = join([period(source), period(source)])
    found = packets(output, kind)
    assert found[0].pts == 0
    assert_contiguous(found)
    assert len(found) == sum(count.samples[Medium(kind)] for count in counts)
    assert verify(output).sent == pytest.approx(joiner.seconds[Medium(kind)], abs=1e-6)


@pytest.mark.parametrize("declared", [True, False])
def test_periods_are_joined_without_gap_or_drift(period: Callable[[Source], bytes], *, declared: bool) -> None:
    made = [period(source) for source in (A, B, C, D)]
    output, counts, _ = join(made, declared=declared)
    video, audio = packets(output, "video"), packets(output, "audio")
    assert_contiguous(video)
    assert_contiguous(audio)
    assert len({packet.pts for packet in video}) == len(video) == sum(count.samples[Medium.VIDEO] for count in counts)
    assert decoded(output, "video") == len(video)
    assert decoded(output, "audio") == len(audio)
    for source in made:
        video_shifts = shifts(output, source, "video")
        assert len(video_shifts) == len(packets(source, "video"))
        assert max(video_shifts) - min(video_shifts) < 1e-6
        assert max(abs(shift - video_shifts[0]) for shift in shifts(output, source, "audio")) <= HALF_FRAME


def test_errors_of_many_joins_do_not_add_up(period: Callable[[Source], bytes]) -> None:
    made = [period(Source(start=1 + index, video=1.52, audio=1.5 - index / 100)) for index in range(8)]
    output, _, _ = join(made)
    for source in made:
        video_shifts, audio_shifts = shifts(output, source, "video"), shifts(output, source, "audio")
        assert max(abs(shift - video_shifts[0]) for shift in audio_shifts) <= HALF_FRAME


def test_holes_between_periods_are_silence_and_overlaps_are_cut(period: Callable[[Source], bytes]) -> None:
    output, counts, joiner = join([period(B), period(B), period(C), period(B)])
    audio = packets(output, "audio")
    silent = sum(packet.data == STEREO_SILENCE for packet in audio)
    assert 4 <= silent <= 12
    assert len(audio) - silent <= sum(count.samples[Medium.AUDIO] for count in counts)
    assert abs(joiner.seconds[Medium.AUDIO] - joiner.seconds[Medium.VIDEO]) < 0.2


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("seconds", [0.2, 1.5, 4.0])
def test_a_later_period_waits_for_its_audio_to_begin(period: Callable[[Source], bytes], seconds: float, *, declared: bool) -> None:
    early = period(Source(start=12, late=(seconds, 0), video=2.5, audio=seconds + 2.5))
    output, _, _ = join([period(A), early], declared=declared)
    assert_contiguous(packets(output, "audio"))
    audio_shifts, video_shifts = shifts(output, early, "audio"), shifts(output, early, "video")
    assert max(abs(shift - video_shifts[0]) for shift in audio_shifts) <= HALF_FRAME
    assert len(packets(early, "audio")) - len(audio_shifts) <= 1
    verify(output)


@pytest.mark.parametrize("declared", [True, False])
def test_a_few_frames_of_audio_before_the_first_video_of_a_later_period_are_cut(
    period: Callable[[Source], bytes], *, declared: bool
) -> None:
    early = period(Source(start=12, late=(0.08, 0), video=2.5, audio=2.6))
    output, _, _ = join([period(A), early], declared=declared)
    assert_contiguous(packets(output, "audio"))
    assert 1 <= len(packets(early, "audio")) - len(shifts(output, early, "audio")) <= 6
    verify(output)


def test_audio_that_begins_late_in_a_later_period_is_preceded_by_silence(period: Callable[[Source], bytes]) -> None:
    late = period(Source(start=12, late=(0, 1.5), video=4, audio=2.5))
    output, _, _ = join([period(A), late])
    audio = packets(output, "audio")
    assert_contiguous(audio)
    audio_shifts, video_shifts = shifts(output, late, "audio"), shifts(output, late, "video")
    assert max(abs(shift - video_shifts[0]) for shift in audio_shifts) <= HALF_FRAME
    assert 65 <= sum(packet.data == STEREO_SILENCE for packet in audio) <= 75


def test_a_later_period_may_have_another_resolution(period: Callable[[Source], bytes]) -> None:
    output, counts, _ = join([period(A), period(Source(start=22, size="320x180")), period(D)])
    assert decoded(output, "video") == sum(count.samples[Medium.VIDEO] for count in counts)


def test_audio_that_runs_a_little_over_is_cut_at_the_period_it_belongs_to(period: Callable[[Source], bytes]) -> None:
    over, after = period(Source(start=3, video=2, audio=2.03)), period(B)
    output, _, _ = join([over, after])
    # The encoder's first frame lies before its first video, and falls to the first period's own audio
    assert len(shifts(output, after, "audio")) >= len(packets(after, "audio")) - 1
    assert len(shifts(output, over, "audio")) < len(packets(over, "audio"))


@pytest.mark.parametrize("channels", [2, 1])
def test_a_hole_inside_a_period_stays_as_long_as_it_is(period: Callable[[Source], bytes], channels: int) -> None:
    source = period(Source(start=5, channels=channels, drop="between(n,50,69)"))
    output, counts, _ = join([source])
    assert len(packets(output, "audio")) == counts[0].samples[Medium.AUDIO]
    audio_shifts, video_shifts = shifts(output, source, "audio"), shifts(output, source, "video")
    assert max(abs(shift - video_shifts[0]) for shift in audio_shifts) < 0.00003
    verify(output)


def test_a_lost_frame_or_two_move_nothing(period: Callable[[Source], bytes]) -> None:
    source = period(Source(start=6, drop="between(n,50,51)"))
    output, counts, _ = join([source])
    audio = packets(output, "audio")
    assert len(audio) == counts[0].samples[Medium.AUDIO]
    audio_shifts, video_shifts = shifts(output, source, "audio"), shifts(output, source, "video")
    assert max(abs(shift - video_shifts[0]) for shift in audio_shifts) < 0.00003


def test_a_hole_in_audio_without_a_known_silence_is_bridged(period: Callable[[Source], bytes]) -> None:
    source = Source(start=5, video=2, audio=1.8, codec="ac3")
    output, _, _ = join([period(source), period(source)])
    runs = audio_runs(output)
    # Read from the file itself: PyAV shows an AC-3 frame's own duration
    assert all(before.decode_time + sum(before.durations) == after.decode_time for before, after in pairwise(runs))
    assert max(max(one.durations) for one in runs) > 0.15 * 48_000
    assert decoded(output, "audio") == len(packets(output, "audio"))
    verify(output)


def test_timestamps_on_two_sides_of_a_wrap_are_brought_together(period: Callable[[Source], bytes]) -> None:
    made = bytearray(period(A))
    at = 0
    # Every tfdt of the audio 2^33 ticks earlier, as if the video had been seen before the wrap and the audio after it
    while (at := made.find(b"tfhd", at + 1)) >= 0:
        (track,) = struct.unpack_from(">I", made, at + 8)
        time_at = made.index(b"tfdt", at) + 8
        if track == 2:
            (time,) = struct.unpack_from(">q", made, time_at)
            struct.pack_into(">q", made, time_at, time - round(2**33 * 48_000 / 90_000))
    straight, wrapped = join([period(A)])[0], join([bytes(made)])[0]
    assert [packet.pts for packet in packets(straight, "video")] == [packet.pts for packet in packets(wrapped, "video")]
    assert abs(packets(straight, "audio")[0].pts - packets(wrapped, "audio")[0].pts) < 0.00003


@pytest.mark.parametrize("seconds", [5.999, 3_600.001, 50_000, 400_000])
def test_every_reader_is_told_the_length_at_once(period: Callable[[Source], bytes], seconds: float) -> None:
    joiner = Joiner(Durations(seconds, {Medium.VIDEO: seconds - 0.0214, Medium.AUDIO: seconds}))
    joiner.begin_period()
    head = b"".join(part for piece in cut(period(A)[:100_000], 7_000) for part in joiner.feed(piece))
    with av.open(io.BytesIO(head), "r") as container:
        assert container.duration is not None
        assert seconds <= container.duration / 1_000_000 + 1e-6 < seconds + 0.001
    for name, wide, at in ((b"mvhd", seconds * 90_000 > 2**32, 12), (b"tkhd", seconds * 90_000 > 2**32, 16)):
        place = head.index(name) + 4
        form, start = (">Q", at + 12) if wide else (">I", at + 4)
        assert head[place] == wide
        assert struct.unpack_from(form, head, place + start)[0] / 90_000 == pytest.approx(seconds, abs=0.00002)
    assert struct.unpack_from(">Q", head, head.index(b"mehd") + 8)[0] / 90_000 == pytest.approx(seconds, abs=0.00002)


@pytest.mark.parametrize("late", [(0.3, 0.0), (0.0, 0.4)])
def test_a_track_that_begins_late_does_so_in_the_output(period: Callable[[Source], bytes], late: tuple[float, float]) -> None:
    source = period(Source(start=33, late=late, video=3, audio=3, delay=3))
    _, _, joiner = join([source])
    begins = {kind: min(packet.pts for packet in packets(source, kind)) for kind in ("video", "audio")}
    begin = min(begins.values())
    ends = joiner.seconds
    lengths = Durations(max(ends.values()), {Medium(kind): ends[Medium(kind)] - float(at - begin) for kind, at in begins.items()})
    joiner = Joiner(lengths)
    joiner.begin_period()
    output = b"".join(joiner.feed(source)) + b"".join(joiner.end_period()[0]) + joiner.finish()
    for kind, at in begins.items():
        assert abs(min(packet.pts for packet in packets(output, kind)) - (at - begin)) < 0.00003
    for read in (output, output[:60_000]):
        with av.open(io.BytesIO(read), "r") as container:
            assert container.duration == pytest.approx(max(ends.values()) * 1_000_000, abs=2_000)
    assert verify(output, tolerance=0.001).sent == pytest.approx(max(ends.values()), abs=0.0001)


def test_counts_are_what_ffmpeg_wrote(period: Callable[[Source], bytes]) -> None:
    made = [period(A), period(C)]
    _, counts, _ = join(made)
    for source, count in zip(made, counts, strict=True):
        assert count.samples == {Medium(kind): len(packets(source, kind)) for kind in ("video", "audio")}


def test_the_index_leads_to_each_fragment(period: Callable[[Source], bytes]) -> None:
    output, _, _ = join([period(A), period(B)])
    length = int.from_bytes(output[-4:])
    mfra = output[-length:]
    assert mfra[4:8] == b"mfra"
    at = mfra.index(b"tfra") + 4
    _, _, count = struct.unpack_from(">III", mfra, at + 4)
    entries = [struct.unpack_from(">QQBBB", mfra, at + 16 + 19 * index) for index in range(count)]
    assert count >= 6
    assert all(output[place + 4 : place + 8] == b"moof" for _, place, _, _, _ in entries)
    assert all(before[0] < after[0] for before, after in pairwise(entries))


@pytest.fixture(scope="module")
def joined(period: Callable[[Source], bytes]) -> bytes:
    return join([period(B), period(C)])[0]


@settings(max_examples=examples(40))
@given(st.lists(st.lists(st.integers(0, 230_000), max_size=12), min_size=2, max_size=2))
def test_same_bytes_out_however_they_come_in(period: Callable[[Source], bytes], joined: bytes, cuts: list[list[int]]) -> None:
    made = [period(B), period(C)]
    joiner = Joiner(Durations(60.0, {}))
    output = bytearray()
    for index, (data, places) in enumerate(zip(made, cuts, strict=True)):
        joiner.begin_period(last=bool(index))
        for start, end in pairwise([0, *sorted(min(place, len(data)) for place in places), len(data)]):
            output += b"".join(joiner.feed(data[start:end]))
        output += b"".join(joiner.end_period()[0])
    assert bytes(output) + joiner.finish() == joined


def test_byte_by_byte_is_the_same(period: Callable[[Source], bytes]) -> None:
    made = [period(Source(start=3, video=1, audio=1))]
    assert join(made, size=1)[0] == join(made)[0]


@pytest.mark.parametrize("part", [0.0, 0.0005, 0.004, 0.1, 0.3, 0.5, 0.77, 0.95])
def test_output_that_stops_early_is_a_failure(period: Callable[[Source], bytes], part: float) -> None:
    made = period(A)
    with pytest.raises(TranscodeError):
        join([made[: int(len(made) * part)]])


def test_a_fragment_without_its_media_is_a_failure(period: Callable[[Source], bytes]) -> None:
    made = period(A)
    with pytest.raises(TranscodeError, match="before its media"):
        join([made[: made.rindex(b"mdat") - 4]])


def test_a_header_without_media_is_a_failure(period: Callable[[Source], bytes]) -> None:
    made = period(A)
    with pytest.raises(TranscodeError, match="before its media"):
        join([made[: made.index(b"moof") - 4]])


@settings(max_examples=examples(150))
@given(st.lists(st.tuples(st.integers(0, 2_600), st.integers(0, 255)), min_size=1, max_size=3))
def test_broken_output_is_a_failure_with_a_name(period: Callable[[Source], bytes], changes: list[tuple[int, int]]) -> None:
    made = bytearray(period(B))
    for at, value in changes:
        made[at] = value
    try:
        output, _, _ = join([bytes(made), period(B)])
    except TranscoderError:
        return
    assert output


def resized(data: bytes, kind: bytes, size: int) -> bytes:
    """Change the size of the first box of a type, without moving anything."""
    at = data.index(kind) - 4
    return data[:at] + struct.pack(">I", size) + data[at + 4 :]


def short_track_header(data: bytes) -> bytes:
    """Cut a `tkhd` off behind the id of its track; an empty box has the rest."""
    at = data.index(b"tkhd") - 4
    (size,) = struct.unpack_from(">I", data, at)
    cut_off = resized(data, b"tkhd", 24)
    return cut_off[: at + 24] + struct.pack(">I4s", size - 24, b"free") + cut_off[at + 32 :]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(lambda made: made.replace(b"mfhd", b"free"), "ffmpeg's output is broken.* no mfhd", id="a fragment without a number"),
        pytest.param(short_track_header, "ffmpeg's output is broken.* cut short", id="a short tkhd"),
        pytest.param(lambda made: resized(made, b"mvex", 0), "header .* is broken.* mvex", id="a box up to the end of the header"),
        pytest.param(lambda made: resized(made, b"trun", 0), "fragment .* is broken.* trun", id="a box up to the end of a traf"),
        pytest.param(lambda made: resized(made, b"traf", 0), "fragment .* is broken.* traf", id="a box up to the end of a moof"),
    ],
)
def test_boxes_that_cannot_be_written_again_are_a_failure(
    period: Callable[[Source], bytes], broken: Callable[[bytes], bytes], reason: str
) -> None:
    with pytest.raises(TranscodeError, match=reason):
        join([broken(period(Source(start=3, video=1, audio=0)))])


def with_long_header(data: bytes, kind: bytes, *around: bytes) -> bytes:
    """Give the first box of a type a 64-bit size; the first boxes of the types `around` it grow with it."""
    for outer in around:
        at = data.index(outer) - 4
        data = resized(data, outer, struct.unpack_from(">I", data, at)[0] + 8)
    at = data.index(kind) - 4
    return data[:at] + struct.pack(">I4sQ", 1, kind, struct.unpack_from(">I", data, at)[0] + 8) + data[at + 8 :]


@pytest.mark.parametrize(
    "path",
    [
        (b"tfhd", b"traf", b"moof"), (b"tfdt", b"traf", b"moof"), (b"traf", b"moof"), (b"mfhd", b"moof"),
        (b"tkhd", b"trak", b"moov"), (b"mdia", b"trak", b"moov"), (b"mvhd", b"moov"),
    ],
    ids=lambda path: path[0].decode(),
)  # fmt: skip
def test_inner_boxes_with_a_long_header_are_a_failure(period: Callable[[Source], bytes], path: tuple[bytes, ...]) -> None:
    with pytest.raises(TranscodeError, match=f"the box {path[0].decode()} has not the short header"):
        join([with_long_header(period(Source(start=3, video=1, audio=0)), *path)])


def test_the_header_of_hevc_may_itself_have_a_long_header(period: Callable[[Source], bytes]) -> None:
    named = [made.replace(b"avc1", b"hev1") for made in (period(Source(start=3, video=1, audio=0)),)]
    assert join([with_long_header(named[0], b"moov")])[0] == join(named)[0]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        pytest.param(Source(start=1, audio=0), "loses or gains", id="no audio"),
        pytest.param(Source(start=1, channels=1), "changes", id="mono"),
        pytest.param(Source(start=1, sample_rate=44_100), "changes", id="another rate"),
        pytest.param(Source(start=1, codec="ac3"), "changes", id="another codec"),
    ],
)
def test_periods_that_do_not_fit_are_refused(period: Callable[[Source], bytes], second: Source, reason: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=reason):
        join([period(A), period(second)])


def test_only_a_period_with_a_successor_holds_its_newest_fragment_back(period: Callable[[Source], bytes]) -> None:
    sent = {}
    for last in (True, False):
        joiner = Joiner(Durations(60.0, {}))
        joiner.begin_period(last=last)
        sent[last] = sum(len(part) for part in joiner.feed(period(A)[:30_000]))
        assert joiner.has_output
    assert 500 < sent[False] < 2_000
    assert sent[True] > 29_000


def test_a_fragment_too_long_to_be_held_back_passes(period: Callable[[Source], bytes]) -> None:
    made = [period(Source(start=3, video=2, audio=2.03)), period(B)]
    output = bytearray()
    joiner = Joiner(Durations(60.0, {}), max_held=1_000)
    for data in made:
        joiner.begin_period(last=False)
        output += b"".join(joiner.feed(data))
        rest, _ = joiner.end_period()
        assert not rest
    output += joiner.finish()
    assert_contiguous(packets(bytes(output), "audio"))
    assert len(shifts(bytes(output), made[0], "audio")) == len(packets(made[0], "audio"))
    assert len(shifts(bytes(output), made[1], "audio")) < len(packets(made[1], "audio")) - 1
    verify(bytes(output))


def test_a_track_that_goes_back_to_before_its_beginning_is_a_failure(period: Callable[[Source], bytes]) -> None:
    made = bytearray(period(Source(start=7, video=0, audio=4)))
    second = made.index(b"tfdt", made.index(b"tfdt") + 4)
    size = 8 if made[second + 4] else 4
    made[second + 8 : second + 8 + size] = bytes(size)
    with pytest.raises(TranscodeError, match="goes back"):
        join([bytes(made)])


def test_steps_out_of_order_are_bugs(period: Callable[[Source], bytes]) -> None:
    joiner = Joiner(Durations(60.0, {}))
    with pytest.raises(RuntimeError):
        joiner.feed(b"")
    with pytest.raises(RuntimeError):
        joiner.end_period()
    with pytest.raises(RuntimeError):
        joiner.finish()
    assert not joiner.has_output
    assert joiner.seconds == {}
    joiner.begin_period()
    joiner.feed(period(A))
    with pytest.raises(RuntimeError):
        joiner.begin_period()
    with pytest.raises(RuntimeError):
        joiner.finish()
