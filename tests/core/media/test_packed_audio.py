from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from generated_video import run_ffmpeg
from hypothesis import given
from hypothesis import strategies as st
from peers.segment_inspection import copy_with_ffmpeg, inspect_segments, probe_segment, split_at

from transcoder.core.media.audio_headers import HEADER_BYTES, read_ac3_header
from transcoder.core.media.inspector import inspector_for
from transcoder.core.media.presentation_ends import presentation_ends
from transcoder.core.media.streams import Container, Medium
from transcoder.errors import UnsupportedSourceError, UpstreamError

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
    with TemporaryDirectory() as folder:
        file = Path(folder, "audio")
        run_ffmpeg("-f", "lavfi", "-i", "sine=440:r=48000:d=2", "-ac", "2", *words, *options, "-f", muxer, file)
        return file.read_bytes()


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
    data = tag(3) + audio(codec)
    whole, _ = inspect_segments([data])
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


def test_dependent_substreams_belong_to_the_sample_before_them() -> None:
    data = audio("eac3", options=("-ac", "1"))
    frames, at = [], 0
    while at < len(data):
        frame = read_ac3_header(data + bytes(HEADER_BYTES), at)
        assert frame
        frames.append(data[at : at + frame.length])
        at += frame.length
    doubled = b"".join(frame + frame[:2] + bytes([frame[2] & 0x3F | 0x40]) + frame[3:] for frame in frames)
    inspector, _ = inspect_segments([doubled])
    assert inspector.samples[Medium.AUDIO] == copy_with_ffmpeg(doubled, "eac3")[Medium.AUDIO].samples == len(frames)


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


def test_each_codec_has_its_container() -> None:
    assert [probe_segment(audio(codec)).container for codec in ENCODINGS] == [Container.ADTS, Container.MP3, Container.AC3, Container.EAC3]
