from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import make_media
import pytest
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from hypothesis import given
from hypothesis import strategies as st
from peers.encoded_pieces import encoded
from peers.segment_inspection import copy_with_ffmpeg, inspect_segments, probe_segment, read_segments, split_at

from transcoder.core.media.inspector import Inspector, inspector_for
from transcoder.core.media.streams import Container, Medium
from transcoder.core.media.timestamps import WRAP_SECONDS
from transcoder.errors import ProgramChangedError, UnsupportedSourceError, UpstreamError

PACKET = 188
SETS = ["ts-muxed", "ts-audio-only", "ts-video-only", "ts-hevc", "ts-mp3", "ts-ac3", "ts-eac3"]
SETS += [
    "fmp4-muxed",
    "fmp4-hevc",
    "fmp4-av1",
    "fmp4-vp9",
    "fmp4-mp3",
    "fmp4-ac3",
    "fmp4-eac3",
    "fmp4-opus",
    "fmp4-flac",
    "fmp4-edit-lists",
]
ONE_PER_CONTAINER = ["ts-muxed", "fmp4-muxed"]
HTML = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body>Gone. Great Good Gone.</body></html>\n"


@cache
def stream(name: str) -> tuple[bytes, list[bytes]]:
    return read_segments(make_media.media(name))


@cache
def first_two(name: str) -> Inspector:
    init, segments = stream(name)
    return inspect_segments(segments[:2], init=init)[0]


@pytest.mark.parametrize("name", SETS)
def test_samples_and_times_are_those_that_ffmpeg_copies(name: str) -> None:
    init, segments = stream(name)
    inspector, passed_on = inspect_segments(segments, init=init)
    assert passed_on == b"".join(segments)
    probe = probe_segment(segments[0], init=init)
    expected = copy_with_ffmpeg(init + passed_on, probe.container.value)
    assert inspector.samples == {medium: stream.samples for medium, stream in expected.items()}
    starts = {medium: probe.main(medium) for medium in expected}
    assert {medium: stream and stream.start for medium, stream in starts.items()} == pytest.approx(
        {medium: stream.start for medium, stream in expected.items()}, abs=0.001
    )
    assert inspector.ends == pytest.approx({medium: stream.end for medium, stream in expected.items()}, abs=0.035)


@pytest.mark.parametrize("name", ONE_PER_CONTAINER)
@given(cuts=st.lists(st.integers(0, 200_000), max_size=30))
def test_results_do_not_depend_on_the_pieces(name: str, cuts: list[int]) -> None:
    init, segments = stream(name)
    whole = first_two(name)
    inspector = inspector_for(probe_segment(segments[0], init=init), init=init)
    passed_on = b""
    for segment in segments[:2]:
        inspector.begin()
        cut_segment = split_at(segment, (min(cut, len(segment)) for cut in cuts))
        passed_on += b"".join(inspector.feed(piece) for piece in cut_segment) + inspector.end()
    assert passed_on == b"".join(segments[:2])
    assert (inspector.samples, inspector.starts) == (whole.samples, whole.starts)
    assert inspector.ends == pytest.approx(whole.ends)


def html(segment: bytes) -> bytes:
    return (HTML * (len(segment) // len(HTML) + 1))[: len(segment)]


def noise(segment: bytes) -> bytes:
    third = len(segment) // 3
    return segment[:third] + Random(7).randbytes(third) + segment[2 * third :]  # noqa: S311 - test bytes, not a secret


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "html": html,
    "empty": lambda _: b"",
    "garbage": lambda segment: Random(3).randbytes(len(segment)),  # noqa: S311 - test bytes, not a secret
    "cut": lambda segment: segment[: len(segment) // 2 - len(segment) // 2 % PACKET + 1],
    "hole": lambda segment: segment[: len(segment) // 3 // PACKET * PACKET] + segment[2 * len(segment) // 3 // PACKET * PACKET + 1 :],
}


@pytest.mark.parametrize("name", [*ONE_PER_CONTAINER, "ts-audio-only"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_segment_is_refused(name: str, damage: str) -> None:
    init, segments = stream(name)
    probe = probe_segment(segments[0], init=init)
    with pytest.raises(UpstreamError):
        inspect_segments([segments[0], DAMAGES[damage](segments[1])], init=init, probe_of=probe)


def test_noise_in_the_middle_of_a_transport_stream_is_refused() -> None:
    _, segments = stream("ts-muxed")
    with pytest.raises(UpstreamError, match="sync byte"):
        inspect_segments([segments[0], noise(segments[1])])


def test_noise_in_the_audio_of_undamaged_packets_is_refused() -> None:
    _, segments = stream("ts-audio-only")
    packets = [segments[0][at : at + PACKET] for at in range(0, len(segments[0]), PACKET)]
    third = len(packets) // 3
    noisy = [
        packet[:4] + bytes(PACKET - 4) if third < number < 2 * third and packet[1] & 0x5F == 1 else packet
        for number, packet in enumerate(packets)
    ]
    with pytest.raises(UpstreamError, match="audio is damaged"):
        inspect_segments([b"".join(noisy)])


def test_segment_with_less_media_than_announced_is_refused() -> None:
    init, segments = stream("fmp4-muxed")
    at = segments[0].find(b"mdat") - 4
    short = segments[0][:at] + (16).to_bytes(4, "big") + b"mdat" + bytes(8)
    with pytest.raises(UpstreamError, match="less media"):
        inspect_segments([short], init=init, probe_of=probe_segment(segments[0], init=init))


def test_initialization_section_in_each_segment_is_passed_on() -> None:
    init, segments = stream("fmp4-muxed")
    alone, _ = inspect_segments(segments, init=init)
    inspector, passed_on = inspect_segments([init + segment for segment in segments])
    assert passed_on == b"".join(init + segment for segment in segments)
    assert (inspector.samples, inspector.ends) == (alone.samples, alone.ends)


def test_different_initialization_section_without_a_tag_is_refused() -> None:
    init, segments = stream("fmp4-muxed")
    at = init.index(b"avcC") + 12
    other = init[:at] + bytes([init[at] ^ 1]) + init[at + 1 :]
    with pytest.raises(UnsupportedSourceError, match="initialization section"):
        inspect_segments([init + segments[0], other + segments[1]])


@pytest.mark.parametrize("piece", [100, 65536])
def test_image_before_the_transport_stream_is_removed(piece: int) -> None:
    _, segments = stream("ts-muxed")
    junk = b"\x89PNG\r\n\x1a\nGGGG" + bytes(700)
    probe = probe_segment(junk + segments[0])
    inspector, passed_on = inspect_segments([junk + segment for segment in segments], chunk_bytes=piece, probe_of=probe)
    assert probe.skip == len(junk)
    assert passed_on == b"".join(segments)
    assert inspector.samples == inspect_segments(segments)[0].samples


def test_audio_frames_split_between_segments_are_counted_once() -> None:
    _, segments = stream("ts-muxed")
    data = b"".join(segments)
    cut = (len(data) // PACKET // 3 + 1) * PACKET
    inspector, _ = inspect_segments([data[at : at + cut] for at in range(0, len(data), cut)], probe_of=probe_segment(segments[0]))
    assert inspector.samples == inspect_segments(segments)[0].samples


def test_changed_sampling_rate_without_a_tag_is_refused() -> None:
    parts = [encoded("-f", "lavfi", "-i", f"sine=r={rate}:d=1", "-c:a", "aac", "-f", "adts") for rate in (48_000, 44_100)]
    inspector = inspector_for(probe_segment(parts[0]))
    for part in (parts[0], parts[0]):
        inspector.begin()
        inspector.feed(part)
        inspector.end()
    inspector.begin()
    with pytest.raises(UnsupportedSourceError, match="sampling rate"):
        inspector.feed(parts[1])


def test_changed_program_map_has_its_own_error() -> None:
    _, muxed = stream("ts-muxed")
    _, alone = stream("ts-video-only")
    inspect_segments([muxed[0], alone[0]])  # the next map may list the audio again
    with pytest.raises(ProgramChangedError):
        inspect_segments([alone[0], muxed[0]])


def test_scrambled_packets_are_refused() -> None:
    _, segments = stream("ts-video-only")
    scrambled = bytearray(segments[1])
    for at in range(0, len(scrambled), PACKET):
        if scrambled[at + 1] & 0x1F == 1 and scrambled[at + 2] == 0:
            scrambled[at + 3] |= 0x80
    with pytest.raises(UnsupportedSourceError, match="scrambled"):
        inspect_segments([segments[0], bytes(scrambled)])


def test_times_continue_over_a_wrap_of_the_clock(tmp_path: Path) -> None:
    run_ffmpeg(*encoder_arguments(GeneratedVideo(seconds=3, timestamp_offset=WRAP_SECONDS - 2)), tmp_path / "wrap.ts")
    data = (tmp_path / "wrap.ts").read_bytes()
    inspector, _ = inspect_segments([data])
    assert inspector.samples == {medium: stream.samples for medium, stream in copy_with_ffmpeg(data, "mpegts").items()}
    probe = probe_segment(data)
    for medium, end in inspector.ends.items():
        first = probe.main(medium)
        assert first
        assert first.start
        assert end - first.start == pytest.approx(3, abs=0.1)
        assert end > WRAP_SECONDS


def test_each_segment_has_its_own_start() -> None:
    _, segments = stream("ts-muxed")
    inspector = inspector_for(probe_segment(segments[0]))
    starts = []
    for segment in segments:
        inspector.begin()
        assert not inspector.starts
        inspector.feed(segment)
        inspector.end()
        starts.append(inspector.starts[Medium.VIDEO])
    assert starts == pytest.approx([starts[0], starts[0] + 2, starts[0] + 4])


def test_audio_frames_that_go_on_from_the_segment_before_are_timed_where_they_arrive() -> None:
    _, (first, second, third) = stream("ts-muxed")
    last_unit = max(at for at in range(0, len(second), PACKET) if second[at + 1] & 0x40)
    tables = 3 * PACKET
    moved = second[last_unit + PACKET :]
    inspector = inspector_for(probe_segment(first))
    spans = []
    for segment in (first, second[: last_unit + PACKET], third[:tables] + moved + third[tables:]):
        inspector.begin()
        inspector.feed(segment)
        inspector.end()
        spans.append((inspector.starts[Medium.AUDIO], inspector.ends[Medium.AUDIO]))
    assert spans[2][0] == pytest.approx(spans[1][1])
    assert inspector.samples == inspect_segments([first, second, third])[0].samples


@pytest.mark.parametrize("name", ["ts-muxed", "ts-hevc"])
@pytest.mark.parametrize("missing", [0, 1, 5])
def test_a_video_that_begins_inside_a_group_of_pictures_is_known(name: str, missing: int) -> None:
    _, segments = stream(name)
    probe = probe_segment(segments[0])
    pid = next(each.id for each in probe.streams if each.medium is Medium.VIDEO)
    packets = [segments[0][at : at + PACKET] for at in range(0, len(segments[0]), PACKET)]
    starts = [number for number, packet in enumerate(packets) if packet[1] == 0x40 | pid >> 8 and packet[2] == pid & 0xFF]
    inspector = inspector_for(probe)
    inspector.begin()
    inspector.feed(b"".join([*packets[: starts[0]], *packets[starts[missing] :]]))
    assert list(inspector.packets.headless) == ([Medium.VIDEO] if missing else [])


def test_tested_sets_are_in_both_containers() -> None:
    assert {probe_segment(stream(name)[1][0], init=stream(name)[0]).container for name in ONE_PER_CONTAINER} == {
        Container.MPEGTS,
        Container.FMP4,
    }


def test_media_data_of_fragments_is_not_buffered() -> None:
    init, segments = stream("fmp4-video-only")
    inspector = inspector_for(probe_segment(segments[0], init=init), init=init)
    inspector.begin()
    inspector.feed(segments[0] + (64 << 20).to_bytes(4, "big") + b"free")
    block = bytes(1 << 20)
    assert all(inspector.feed(block) is block for _ in range(63))
    assert inspector.feed(block[8:]) == block[8:]
    inspector.end()
    assert inspector.samples[Medium.VIDEO] > 0
