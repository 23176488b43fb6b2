from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

import pytest
from fuzz.media_pieces import ADTS
from hypothesis import given
from hypothesis import strategies as st
from peers.encoded_pieces import encoded
from peers.mp3_fragments import FRAME_BYTES, HEADER, frame
from peers.segment_inspection import copy_with_ffmpeg, inspect_segments, probe_segment, split_at

from transcoder.core.media.audio_headers import HEADER_BYTES, read_ac3_header
from transcoder.core.media.inspector import Inspector, inspector_for
from transcoder.core.media.mpegts.pes import read_pes_header
from transcoder.core.media.packed_audio import probe_packed_audio
from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.presentation_ends import presentation_ends
from transcoder.core.media.streams import Container, Medium
from transcoder.core.media.timestamps import WRAP_SECONDS, unwrap
from transcoder.errors import DamagedMediaError, UnsupportedSourceError, UpstreamError

ENCODINGS = {
    "aac": ("adts", "-c:a", "aac"),
    "mp3": ("mp3", "-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0"),
    "ac3": ("ac3", "-c:a", "ac3"),
    "eac3": ("eac3", "-c:a", "eac3"),
}
OWNER = b"com.apple.streaming.transportStreamTimestamp\0"


@cache
def audio(codec: str, *, options: tuple[str, ...] = ()) -> bytes:
    muxer, *words = ENCODINGS[codec]
    return encoded("-f", "lavfi", "-i", "sine=440:r=48000:d=2", "-ac", "2", *words, *options, "-f", muxer)


@cache
def inspected(codec: str) -> Inspector:
    return inspect_segments([tag(3) + audio(codec)])[0]


def tag(seconds: float | None, owner: bytes = OWNER) -> bytes:
    body = owner + round((seconds or 0) * 90_000).to_bytes(8, "big")
    frame = b"PRIV" + len(body).to_bytes(4, "big") + b"\0\0" + body
    return b"ID3\4\0\0\0\0\0" + bytes([len(frame)]) + frame


@pytest.mark.parametrize("codec", ENCODINGS)
def test_frames_are_those_that_ffmpeg_copies(codec: str) -> None:
    data = audio(codec)
    probe = probe_segment(tag(12.5) + data)
    inspector, passed_on = inspect_segments([tag(12.5) + data, tag(14.5) + data])
    expected = copy_with_ffmpeg(passed_on, probe.container.value)[Medium.AUDIO]
    stream = probe.main(Medium.AUDIO)
    assert stream
    assert (stream.codec, stream.start, stream.sample_rate, stream.channels) == (codec, 12.5, 48000, 2)
    assert probe.skip == len(tag(0))
    assert passed_on == data + data
    assert inspector.samples[Medium.AUDIO] == expected.samples
    assert inspector.ends[Medium.AUDIO] == pytest.approx(14.5 + expected.end / 2, abs=0.03)
    assert inspector.starts == {Medium.AUDIO: 14.5}
    assert presentation_ends(tag(14.5) + data, probe) == pytest.approx(inspector.ends)


@pytest.mark.parametrize("codec", ENCODINGS)
@given(cuts=st.lists(st.integers(0, 20_000), max_size=30))
def test_results_do_not_depend_on_the_pieces(codec: str, cuts: list[int]) -> None:
    data, whole = tag(3) + audio(codec), inspected(codec)
    inspector = inspector_for(probe_segment(data))
    inspector.begin()
    passed_on = b"".join(inspector.feed(piece) for piece in split_at(data, (min(cut, len(data)) for cut in cuts))) + inspector.end()
    assert passed_on == audio(codec)
    assert (inspector.samples, inspector.ends, inspector.starts) == (whole.samples, whole.ends, whole.starts)


def test_without_a_tag_no_times_are_known() -> None:
    probe = probe_segment(audio("aac"))
    inspector, _ = inspect_segments([audio("aac")])
    assert probe.streams[0].start is None
    assert not inspector.starts
    assert not inspector.ends
    assert not presentation_ends(audio("aac"), probe)


def test_index_frame_of_an_mp3_is_not_counted() -> None:
    data = audio("mp3", options=("-write_xing", "1"))
    inspector, _ = inspect_segments([data])
    assert b"Info" in data[:200] or b"Xing" in data[:200]
    assert inspector.samples[Medium.AUDIO] == copy_with_ffmpeg(data, "mp3")[Medium.AUDIO].samples


def with_dependent_substreams() -> tuple[bytes, int]:
    """Return E-AC-3 with a dependent substream after each frame, and the number of samples."""
    data = audio("eac3", options=("-ac", "1"))
    frames, at = [], 0
    while at < len(data):
        frame = read_ac3_header(data + bytes(HEADER_BYTES), at)
        assert frame
        frames.append(data[at : at + frame.length])
        at += frame.length
    doubled = b"".join(frame + frame[:2] + bytes([frame[2] & 0x3F | 0x40]) + frame[3:] for frame in frames)
    return doubled, len(frames)


def test_dependent_substreams_belong_to_the_sample_before_them() -> None:
    doubled, count = with_dependent_substreams()
    inspector, _ = inspect_segments([doubled])
    assert inspector.samples[Medium.AUDIO] == copy_with_ffmpeg(doubled, "eac3")[Medium.AUDIO].samples == count


@pytest.mark.parametrize("codec", ENCODINGS)
def test_segment_cut_inside_a_frame_is_refused(codec: str) -> None:
    with pytest.raises(UpstreamError, match="inside an audio frame"):
        inspect_segments([audio(codec)[:-100]])


@pytest.mark.parametrize("codec", ENCODINGS)
def test_noise_between_frames_is_refused(codec: str) -> None:
    data = audio(codec)
    third = len(data) // 3
    with pytest.raises(UpstreamError):
        inspect_segments([data[:third] + bytes(third) + data[2 * third :]])


@pytest.mark.parametrize("segment", [b"", tag(1), b"<html>" * 500])
def test_segment_without_frames_is_refused(segment: bytes) -> None:
    with pytest.raises(UpstreamError):
        inspect_segments([audio("aac"), segment], probe_of=probe_segment(audio("aac")))


def test_encrypted_samples_are_refused_in_any_segment() -> None:
    described = tag(1, owner=b"com.apple.streaming.audioDescription\0") + audio("aac")
    with pytest.raises(UnsupportedSourceError, match="protected"):
        probe_segment(described)
    with pytest.raises(UnsupportedSourceError, match="protected"):
        inspect_segments([audio("aac"), described])


def written(segments: Iterable[bytes], *, start: float, cuts: Sequence[int] = ()) -> tuple[Inspector, bytes]:
    """Return what ffmpeg gets of segments that are written with timestamps, and their inspector."""
    segments = list(segments)
    inspector = inspector_for(probe_segment(segments[0]), written_from=start)
    output = []
    for segment in segments:
        inspector.begin()
        output += [inspector.feed(piece) for piece in split_at(segment, (min(cut, len(segment)) for cut in cuts))]
        output.append(inspector.end())
    return inspector, b"".join(output)


@pytest.mark.parametrize("codec", ENCODINGS)
@pytest.mark.parametrize("start", [12.5, WRAP_SECONDS - 1.0])
def test_samples_are_written_with_their_times(codec: str, start: float) -> None:
    data = audio(codec)
    plain = copy_with_ffmpeg(data, probe_segment(data).container.value)[Medium.AUDIO]
    inspector, stream = written([tag(start) + data, tag((start + plain.end) % WRAP_SECONDS) + data], start=start)
    found = copy_with_ffmpeg(stream, "mpegts")[Medium.AUDIO]
    assert found.samples == inspector.samples[Medium.AUDIO] == 2 * plain.samples
    assert unwrap(found.start, near=start) == pytest.approx(start, abs=0.0001)
    assert found.end - found.start == pytest.approx(2 * plain.end, abs=0.001)


@pytest.mark.parametrize("codec", ENCODINGS)
@given(cuts=st.lists(st.integers(0, 20_000), max_size=10))
def test_what_is_written_does_not_depend_on_the_pieces(codec: str, cuts: list[int]) -> None:
    assert written_twice(codec, cuts) == written_at_once(codec)


def written_twice(codec: str, cuts: Sequence[int] = ()) -> bytes:
    return written([tag(3) + audio(codec), tag(5.5) + audio(codec)], start=3.0, cuts=cuts)[1]


written_at_once = cache(written_twice)


def times_of(segments: Iterable[bytes], *, start: float = 10.0) -> list[float]:
    """Return the presentation time of each PES packet that is written."""
    _, stream = written(segments, start=start)
    packets = [stream[at : at + 188] for at in range(0, len(stream), 188)]
    units = [each[5 + each[4] :] if each[3] & 0x20 else each[4:] for each in packets if each[1] == 0x41]
    headers = [read_pes_header(unit) for unit in units]
    return [header.pts for header in headers if header and header.pts is not None]


@pytest.mark.parametrize("codec", ENCODINGS)
@pytest.mark.parametrize(
    ("deviations", "gap"),
    [
        pytest.param([0.0, 0.3], 0.3, id="time is left out"),
        pytest.param([0.0, 5.0], 5.0, id="much time is left out"),
        pytest.param([0.0, 0.04], 0.0, id="a little later"),
        pytest.param([0.0, -0.04], 0.0, id="a little earlier"),
        pytest.param([None, 0.3], 0.0, id="nothing said when the audio begins"),
        pytest.param([0.0, None], 0.0, id="nothing says when it goes on"),
    ],
)
def test_time_that_is_left_out_between_segments_stays(codec: str, deviations: Sequence[float | None], gap: float) -> None:
    data, length = audio(codec), copy_with_ffmpeg(audio(codec), probe_segment(audio(codec)).container.value)[Medium.AUDIO].end
    segments = [data if each is None else tag(10.0 + number * length + each) + data for number, each in enumerate(deviations)]
    times = times_of(segments)
    distances = [after - before for before, after in pairwise(times)]
    usual = sorted(distances)[len(distances) // 2]
    at_border = distances.pop(len(times) // 2 - 1)
    assert at_border == pytest.approx(usual + gap, abs=0.001)
    assert distances == pytest.approx([usual] * len(distances), abs=0.0001)


@pytest.mark.parametrize(("step", "fewer"), [(-0.02, 3), (0.02, 0)])
def test_small_deviations_do_not_add_up(step: float, fewer: int) -> None:
    """Each segment was encoded by itself, with a frame more than its time: of every few, some are left out."""
    data, length, count = audio("aac"), 95 * 1024 / 48_000, 6
    inspector, _ = written([tag(10.0 + number * (length + step)) + data for number in range(count)], start=10.0)
    times = times_of([tag(10.0 + number * (length + step)) + data for number in range(count)])
    assert inspector.samples[Medium.AUDIO] == len(times) == count * 95 - fewer
    assert times[-1] == pytest.approx(10.0 + count * length + (count - 1) * step - 1024 / 48_000, abs=0.06)


def test_the_index_frame_of_an_mp3_is_not_written() -> None:
    data = tag(10.0) + audio("mp3", options=("-write_xing", "1"))
    inspector, stream = written([data, data], start=10.0)
    assert copy_with_ffmpeg(stream, "mpegts")[Medium.AUDIO].samples == inspector.samples[Medium.AUDIO]
    assert times_of([data])[0] == 10.0


def test_dependent_substreams_are_written_with_the_sample_before_them() -> None:
    doubled, count = with_dependent_substreams()
    assert len(times_of([tag(10.0) + doubled])) == count


def test_each_codec_has_its_container() -> None:
    assert [probe_segment(audio(codec)).container for codec in ENCODINGS] == [Container.ADTS, Container.MP3, Container.AC3, Container.EAC3]


@pytest.mark.parametrize(
    ("head", "whole", "outcome"),
    [
        pytest.param(b"ID", False, "more", id="what may begin a tag"),
        pytest.param(tag(12.5)[:-1], False, "more", id="a tag without its end"),
        pytest.param(tag(12.5) + ADTS[:8], False, "more", id="a tag and not all of a header"),
        pytest.param(tag(12.5) + ADTS[:9], False, "found", id="a tag and a header"),
        pytest.param(tag(12.5) + ADTS[:8], True, "damaged", id="a segment that ends inside a header"),
        pytest.param(tag(12.5) + ADTS, True, "found", id="a segment of one frame"),
        pytest.param(tag(12.5) + ADTS + bytes(8), False, "found", id="too little behind the frame"),
        pytest.param(tag(12.5) + ADTS + bytes(9), False, "damaged", id="something else behind the frame"),
        pytest.param(tag(12.5) + ADTS + ADTS[:9], False, "found", id="a header behind the frame"),
        pytest.param(tag(12.5) + ADTS + b"TAG" + bytes(6), False, "found", id="a tag behind the frame"),
        pytest.param(tag(12.5) + ADTS + b"ID3" + bytes(6), False, "found", id="what may be a tag behind the frame"),
        pytest.param(tag(12.5) + bytes(9), False, "damaged", id="something else behind the tag"),
    ],
)
def test_packed_audio_begins_with_a_frame_that_another_one_or_a_tag_follows(head: bytes, *, whole: bool, outcome: str) -> None:
    if outcome == "damaged":
        with pytest.raises(DamagedMediaError, match="contains no audio frame"):
            probe_packed_audio(head, whole=whole)
        return
    found = probe_packed_audio(head, whole=whole)
    assert (found is None) is (outcome == "more")
    if found:
        stream = found.streams[0]
        assert (found.container, found.skip, stream.codec, stream.start) == (Container.ADTS, len(tag(12.5)), "aac", 12.5)
        assert (stream.sample_rate, stream.channels, stream.decode_start) == (48_000, 2, 12.5)


def inspector_of(data: bytes, *, written_from: float | None = None) -> Inspector:
    found = probe_packed_audio(data, whole=True)
    assert found
    return inspector_for(found, written_from=written_from)


def passed(inspector: Inspector, *pieces: bytes) -> bytes:
    inspector.begin()
    return b"".join(map(inspector.feed, pieces)) + inspector.end()


TITLE = b"ID3\4\0\0\0\0\0\x0bTXXX\0\0\0\1\0\0\0"
ADTS_SECONDS = 1024 / 48_000


def test_a_tag_in_a_segment_that_begins_without_one_hides_nothing() -> None:
    inspector = inspector_of(20 * ADTS)
    assert passed(inspector, 20 * ADTS + TITLE + 20 * ADTS) == 40 * ADTS
    with pytest.raises(DamagedMediaError, match="frames follow"):
        passed(inspector, TITLE + 20 * ADTS + TITLE + 20 * ADTS)


def test_each_segment_of_packed_audio_is_counted_and_timed_by_itself() -> None:
    inspector = inspector_of(tag(12.5) + 20 * ADTS)
    assert (inspector.starts, inspector.ends, inspector.samples) == ({}, {Medium.AUDIO: 12.5}, {Medium.AUDIO: 0})
    assert (inspector.sample_seconds, inspector.last_decode_times, inspector.undecodable) == ({}, {}, {})
    assert (inspector.units, inspector.decode_spans, inspector.packets) == ((), {}, PacketEvidence())
    for number, (start, tags) in enumerate([(12.5, tag(12.5)), (14.0, tag(14.0)), (None, b"")], 1):
        assert passed(inspector, tags + 19 * ADTS, ADTS) == 20 * ADTS
        assert inspector.starts == ({} if start is None else {Medium.AUDIO: start})
        end = (12.5 if number == 1 else 14.0) + (40 if number == 3 else 20) * ADTS_SECONDS
        assert inspector.ends == pytest.approx({Medium.AUDIO: end})
        assert inspector.last_decode_times == pytest.approx({Medium.AUDIO: end - ADTS_SECONDS})
        assert inspector.sample_seconds == pytest.approx({Medium.AUDIO: ADTS_SECONDS})
        assert inspector.samples == {Medium.AUDIO: 20 * number}
    with pytest.raises(DamagedMediaError, match="contains no audio"):
        passed(inspector, tag(20.0))


@pytest.mark.parametrize(("late", "is_damage"), [(0.0, False), (0.049, False), (-0.049, False), (0.051, True), (-0.051, True)])
def test_a_timestamp_between_frames_continues_those_before_it(late: float, *, is_damage: bool) -> None:
    segment = tag(12.5) + 20 * ADTS + tag(12.5 + 20 * ADTS_SECONDS + late) + 20 * ADTS
    if is_damage:
        with pytest.raises(DamagedMediaError, match="does not continue"):
            passed(inspector_of(segment), segment)
    else:
        assert passed(inspector_of(segment), segment) == 40 * ADTS


@pytest.mark.parametrize("written_from", [None, 12.5])
@pytest.mark.parametrize("piece", [1, 150, 10_000])
@pytest.mark.parametrize(
    ("mark", "at", "left_out"),
    [(b"Xing", 36, 1), (b"Info", 21, 1), (b"VBRI", 36, 1), (b"Xing", 196, 1), (b"Xing", 197, 0), (b"LAME", 36, 0)],
)
def test_an_index_is_left_out_of_the_first_segment_alone(
    mark: bytes, at: int, left_out: int, piece: int, written_from: float | None
) -> None:
    index = (HEADER.ljust(at, b"\0") + mark).ljust(FRAME_BYTES, b"\0")
    segment = tag(12.5) + index + frame(0) + frame(1)
    inspector = inspector_of(segment, written_from=written_from)
    passed(inspector, *(segment[start : start + piece] for start in range(0, len(segment), piece)))
    assert inspector.samples == {Medium.AUDIO: 3 - left_out}
    passed(inspector, index + frame(2) + frame(3))
    assert inspector.samples == {Medium.AUDIO: 6 - left_out}


SHORTEST = ADTS[:4] + bytes([8 >> 3, (8 & 7) << 5 | 0x1F, 0xFC]) + bytes(1)
"""An ADTS frame of 8 bytes, fewer than the longest header has."""


@pytest.mark.parametrize(
    "segment",
    [ADTS, 3 * ADTS, tag(12.5) + ADTS, 20 * ADTS + SHORTEST, tag(12.5) + ADTS + SHORTEST],
    ids=["one frame", "a few", "one after a tag", "a short one at the end", "one and a short one"],
)
def test_a_segment_of_packed_audio_may_be_short_and_end_with_a_short_frame(segment: bytes) -> None:
    inspector, frames = inspector_of(20 * ADTS), segment.removeprefix(tag(12.5))
    assert passed(inspector, segment) == frames
    assert inspector.samples == {Medium.AUDIO: frames.count(ADTS[:4])}


def test_audio_that_begins_without_a_timestamp_is_written_from_where_it_is_put() -> None:
    """Its first timestamp says when a segment begins. Audio is missing only before the next timestamp."""
    times = times_of([20 * ADTS, tag(30.0) + 20 * ADTS, tag(30.3 + 20 * ADTS_SECONDS) + 20 * ADTS])
    assert times == pytest.approx([10.0 + number * ADTS_SECONDS + (0.3 if number >= 40 else 0.0) for number in range(60)], abs=0.0001)
